"""The accepted sizes of networks nobody thought of, against trying every size: zero disagreements.

The planner's answer for all sizes at once is compared with the loop-level oracle (:mod:`tests.harness.naive_sizes`) at
every size from 1 to 200, and with PyTorch's own shape rules where PyTorch is installed. A few hundred networks here;
``python -m tests.planner.domain.test_random_networks --networks 5000 --first 0`` asks for as many as one likes and
prints every disagreement with the smallest network that shows it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import product
from random import Random
from typing import Any

import pytest

import planner
import planner.symbols as sy
from planner import Network, Plan, diagnose, layer
from planner.domain import SizeSet
from planner.layers import KINDS, Dense
from tests.harness import naive_sizes
from tests.harness.naive.windows import NoResult
from tests.harness.random_networks import Drawn, draw, smaller

LARGEST = 200
PAIRS = 40
"""Largest height and width of which every pair is tried."""

IN_CI = 40
"""Networks asked about in every run; `make property` asks about thousands."""

BATCHES = 4

FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError)
"""What the planner never raises about a network that can be built."""

VOCABULARY = frozenset(KINDS)
HAS_FEATURES = "features" in {item.name for item in fields(Dense)}


def drawn_network(seed: int, coupled: bool = False) -> Drawn:
    """Return the network of a seed."""
    return draw(Random(seed), VOCABULARY, coupled, HAS_FEATURES)


def network_of(drawn: Drawn) -> Network:
    """Return the planner's network of drawn steps."""
    layers = [
        layer(step.kind, name=step.name, from_=step.reads, expect=step.expect, **step.settings) for step in drawn.steps
    ]
    return Network(name="drawn", input={"x": drawn.shape}, layers=layers)


def plan_of(drawn: Drawn) -> Plan | None:
    """Return the plan of a network, None where there is none."""
    return diagnose(network_of(drawn)).plan


@dataclass(frozen=True)
class Sizes:
    """Sizes by name as a network takes them, and as the height and width that stands for."""

    named: dict[str, int]
    height: int
    width: int


def at(drawn: Drawn, height: int, width: int) -> Sizes | None:
    """Return these sizes for a network, None where its input cannot be of that height and width."""
    named: dict[str, int] = {"N": 1}
    for axis, size in zip(drawn.shape[2:], (height, width), strict=True):
        if named.setdefault(str(axis), size) != size or (isinstance(axis, int) and axis != size):
            return None
    return Sizes({name: size for name, size in named.items() if not name.isdigit()}, height, width)


def disagreements(drawn: Drawn, rng: Random) -> Iterator[str]:
    """Yield every sentence in which planner and oracle differ about a network."""
    network = network_of(drawn)
    try:
        plan = diagnose(network).plan
        if plan is not None:
            len(plan.domain), len(plan.lossless)
    except FAULTS as error:
        yield f"{type(error).__name__}: {error}"
        return
    yield from axis_disagreements(drawn, plan)
    coupled = plan is not None and any(len(o.requirement.condition.free) > 1 for o in plan.requirements)
    yield from pair_disagreements(drawn, plan, rng, LARGEST if coupled else PAIRS)


def axis_disagreements(drawn: Drawn, plan: Plan | None) -> Iterator[str]:
    """Yield where the set of one size differs from what the oracle finds at 1, 2, ..., 200.

    Where a layer couples height and width, each one's own set can only be smaller.
    """
    high, wide = drawn.shape[2:]
    if isinstance(high, int):
        return
    coupled = any(step.kind in ("flatten", "reshape") for step in drawn.steps)
    axes: dict[str, Callable[[int], tuple[int | None, int | None]]] = {str(high): lambda n: (n, None)}
    axes[str(wide)] = (lambda n: (n, n)) if high == wide else (lambda n: (None, n))
    if plan is None:
        if not coupled and all(
            any(naive_sizes.verdict(drawn, *sizes(n)) is not None for n in range(1, LARGEST + 1))
            for sizes in axes.values()
        ):
            yield f"there is no plan: {[f.message for f in diagnose(network_of(drawn)).errors]}"
        return
    verdicts = {
        name: [naive_sizes.verdict(drawn, *sizes(n)) for n in range(1, LARGEST + 1)] for name, sizes in axes.items()
    }
    for name, found in verdicts.items():
        runs, whole = plan.domain[name], plan.lossless[name]
        undecided = any(name in o.requirement.condition.free for o in plan.domain.assumptions)
        # Where another size always loses something, no choice of this one helps.
        hopeless = not all(any(other) for key, other in verdicts.items() if key != name)
        for n, verdict in enumerate(found, start=1):
            if (n in runs) != (verdict is not None) and not (undecided if n in runs else coupled):
                yield f"{name} = {n}: the oracle says {verdict}, the planner {runs.text(name)}"
            elif not coupled and (n in whole) != bool(verdict) and not (hopeless and not whole):
                yield f"{name} = {n}, losing nothing: the oracle says {verdict}, the planner {whole.text(name)}"


def pair_disagreements(drawn: Drawn, plan: Plan | None, rng: Random, most: int) -> Iterator[str]:
    """Yield where the verdict or a shape at some height and width differs from the oracle's."""
    tried = {(rng.randint(1, most), rng.randint(1, most)) for _ in range(20)}
    tried |= {(h, w) for h, w in product(range(1, 4), range(1, 4))}
    accepted = [
        (h, w)
        for h, w in product(range(1, PAIRS + 1), range(1, PAIRS + 1))
        if rng.random() < 0.1 and naive_sizes.verdict(drawn, h, w) is not None
    ]
    tried |= set(rng.sample(accepted, min(len(accepted), 12)))
    if plan is not None and plan.domain.boxes:
        tried |= set(boxed(drawn, plan))
    for height, width in sorted(tried):
        sizes = at(drawn, height, width)
        if sizes is None:
            continue
        try:
            found = naive_sizes.outcome(drawn, height, width)
        except NoResult as error:
            if plan is not None and plan.accepts(**sizes.named):
                yield f"{sizes.named}: accepted, but {error}"
            continue
        if plan is None or not plan.accepts(**sizes.named):
            yield f"{sizes.named}: not accepted, but the oracle finds {list(found.shapes.values())[-1]}"
        elif wrong := shape_differences(plan, sizes, found.shapes):
            yield f"{sizes.named}: {wrong}"


def boxed(drawn: Drawn, plan: Plan) -> Iterator[tuple[int, int]]:
    """Yield some pairs of sizes that the joint sets of a plan hold."""
    high, wide = (str(axis) for axis in drawn.shape[2:])
    for box in plan.domain.boxes:
        heights, widths = box.get(high), box.get(wide)
        if heights is not None and widths is not None:
            yield from ((h, w) for h, w in product(first(heights, 3), first(widths, 3)) if max(h, w) <= 500)


def first(sizes: SizeSet, most: int) -> list[int]:
    """Return the smallest sizes of a set."""
    return [size for size, _ in zip(sizes, range(most), strict=False)]


def shape_differences(plan: Plan, sizes: Sizes, shapes: Any) -> str:
    """Return in words which shapes differ: those of formulas, and those of the bound plan."""
    given: dict[str, Any] = {name: sizes.named[name] for name in plan.free}
    bound = plan.bind(**given).by_name
    for node in plan.nodes:
        formula = tuple(sy.evaluate(size, sizes.named) for size in node.output_shape)
        if not formula == bound[node.name].output_shape == shapes[node.name]:
            return f"{node.name} is {shapes[node.name]}, planned {formula}, bound {bound[node.name].output_shape}"
    return ""


def minimised(drawn: Drawn, seed: int) -> tuple[Drawn, str]:
    """Return the smallest network found that still shows a disagreement, and the disagreement."""
    said = next(disagreements(drawn, Random(seed)), "")
    while True:
        for other in smaller(drawn):
            try:
                found = next(disagreements(other, Random(seed)), None)
            except (planner.PlannerError, KeyError):  # not a network any more
                continue
            if found is not None:
                drawn, said = other, found
                break
        else:
            return drawn, said


def told(seed: int, coupled: bool) -> str:
    """Return a disagreement about the network of a seed, with the smallest network that shows it, or ""."""
    drawn = drawn_network(seed, coupled)
    if next(disagreements(drawn, Random(seed)), None) is None:
        return ""
    least, said = minimised(drawn, seed)
    return f"seed {seed}{' coupled' if coupled else ''}: {said}\n{least}"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_accepted_sizes_are_those_that_trying_every_size_finds(batch: int) -> None:
    share = IN_CI // BATCHES
    assert [said for seed in range(batch * share, (batch + 1) * share) if (said := told(seed, coupled=False))] == []


def test_sizes_that_only_fit_together_are_those_that_trying_pairs_finds() -> None:
    assert [said for seed in range(IN_CI // 2) if (said := told(1_000_000 + seed, coupled=True))] == []


def test_networks_drawn_are_of_many_kinds() -> None:
    drawn = [drawn_network(seed, coupled=True) for seed in range(160)]
    used = {step.kind for network in drawn for step in network.steps}
    known = {*naive_sizes.WINDOWS, *naive_sizes.ARITHMETIC, *naive_sizes.RULES}
    assert used >= {kind for kind in VOCABULARY & known if not KINDS[kind].random}
    plans = [plan_of(network) for network in drawn[:IN_CI]]
    assert sum(plan is not None for plan in plans) > IN_CI // 3
    assert sum(len(network.steps) > 6 for network in drawn) > len(drawn) // 6


def test_a_planner_that_is_off_by_one_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from planner.layers.window import Window

    travel = Window.travel
    monkeypatch.setattr(Window, "travel", lambda self, size: travel(self, size) + (self.stride == 2))
    assert any(told(seed, coupled=False) for seed in range(5))


@pytest.mark.other_frameworks
def test_pytorch_finds_the_same_shapes_and_refuses_the_same_sizes() -> None:
    pytest.importorskip("torch")
    assert [said for seed in range(60) for said in torch_disagreements(drawn_network(seed), Random(seed))] == []


def torch_disagreements(drawn: Drawn, rng: Random) -> Iterator[str]:
    """Yield where PyTorch on its meta device, where nothing is computed, differs from the planner."""
    import torch

    from tests.harness import torch_judge

    plan = plan_of(drawn)
    for height, width in [(rng.randint(1, 70), rng.randint(1, 70)) for _ in range(8)]:
        sizes = at(drawn, height, width)
        if sizes is None:
            continue
        ours = plan is not None and plan.accepts(**sizes.named)
        try:
            naive_sizes.outcome(drawn, height, width)
        except naive_sizes.OwnRule:
            continue  # PyTorch has no such rule; the oracle has judged it
        except NoResult:
            pass
        tensors = {"x": torch.empty(2, drawn.shape[1], height, width, device="meta")}
        try:
            for step in drawn.steps:
                inputs = [tensors[name] for name in step.reads]
                arrays = {name: torch.empty(shape, device="meta") for name, shape in weights(step, inputs).items()}
                chosen = {key: value for key, value in step.settings.items() if key not in ("rounding", "features")}
                if step.kind != "conv" and "rounding" in step.settings:
                    chosen["rounding"] = step.settings["rounding"]
                tensors[step.name] = torch_judge.FUNCTIONS[step.kind](inputs, chosen, arrays, False)
        except torch_judge.NoOpinionError:
            continue
        except (RuntimeError, ValueError) as error:
            if ours:
                yield f"{drawn}\n{sizes.named}: accepted, but PyTorch says {error}"
            continue
        if not ours or plan is None:
            yield f"{drawn}\n{sizes.named}: refused, but PyTorch has {list(tensors.values())[-1].shape}"
            continue
        shapes = {name: (1, *tensor.shape[1:]) for name, tensor in tensors.items()}
        if wrong := shape_differences(plan, sizes, shapes):
            yield f"{drawn}\n{sizes.named}: {wrong}"


def weights(step: Any, inputs: list[Any]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays PyTorch wants for a layer."""
    channels = inputs[0].shape[1]
    if step.kind == "dense":
        return {"weight": (step.settings["units"], step.settings.get("features", channels))}
    if step.kind in ("conv", "convtranspose"):
        kernel = step.settings["kernel"]
        taps = tuple(kernel) if isinstance(kernel, list) else (kernel, kernel)
        filters = step.settings["filters"]
        return {"weight": (filters, channels, *taps) if step.kind == "conv" else (channels, filters, *taps)}
    if step.kind in ("prelu", "layer_scale", "shift"):
        return {"weight": (1 if step.kind == "prelu" else channels,)}
    if step.kind == "batchnorm":
        return dict.fromkeys(("running_mean", "running_var", "weight", "bias"), (channels,))
    return {}


def main() -> int:
    """Ask about many networks; return 1 where there is a disagreement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=4000)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this long")
    options = parser.parse_args()
    start, wrong, planned, asked, slowest = time.perf_counter(), 0, 0, 0, (0.0, 0)
    for seed in range(options.first, options.first + options.networks):
        if time.perf_counter() - start > options.seconds:
            break
        coupled = seed % 4 == 3
        began = time.process_time()
        with suppress(*FAULTS):  # told below
            plan = plan_of(drawn_network(seed, coupled))
            planned += plan is not None and len(plan.domain) + len(plan.lossless) > 0
        slowest = max(slowest, (time.process_time() - began, seed))
        if said := told(seed, coupled):
            wrong += 1
            sys.stdout.write(f"{said}\n\n")
            sys.stdout.flush()
        asked += 1
    sys.stdout.write(
        f"{asked} networks, {planned} of them with a plan, sizes 1 to {LARGEST}: {wrong} disagreements; "
        f"{time.perf_counter() - start:.0f} s; slowest answer {slowest[0]:.2f} s (seed {slowest[1]})\n"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
