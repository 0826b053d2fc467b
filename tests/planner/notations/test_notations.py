"""The rule in other notations: each is read back by an independent reader and says what the domain says."""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import Network, Plan, layer
from planner.domain.sizeset import SizeSet
from planner.findings import SizeError
from planner.notations import NOTATIONS, written
from planner.notations.halo import halos
from planner.notations.pieces import Piece, identifier, pieces
from tests.harness.terminal import run
from tests.planner.plan.test_unet import plan_of


def strided() -> Plan:
    """Return a network that runs from a smallest size on, and loses nothing along a progression."""
    layers = [
        layer("conv", name="a", filters=2, kernel=5, stride=3, pad=2),
        layer("conv", name="b", filters=2, kernel=3, stride=2),
    ]
    return Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=layers).check()


def halves() -> Plan:
    """Return branches that agree only where both sizes are even."""
    layers = [
        layer("conv", name="c", filters=2, kernel=3, pad=1),
        layer("maxpool", name="low", size=2),
        layer("maxpool", name="high", from_="c", size=2, rounding="ceil"),
        layer("add", from_=("low", "high")),
    ]
    return Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=layers).check()


def pairs() -> Plan:
    """Return a network that accepts 4 pairs of height and width, and no others."""
    layers = [layer("conv", filters=2, kernel=3), layer("flatten"), layer("dense", units=3, features=12)]
    return Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=layers).check()


def twice() -> Plan:
    """Return two inputs that share their names, one of them a keyword."""
    layers = [
        layer("conv", name="c", from_="my-a", filters=1, kernel=3, pad=1),
        layer("add", name="sum", from_=("c", "b")),
    ]
    shape = ("N", 1, "_h", "lambda")
    return Network(name="n", input={"my-a": shape, "b": shape}, layers=layers).check()


PLANS = {
    "strided": (strided(), False),
    "strided, lossless": (strided(), True),
    "halves": (halves(), False),
    "pairs": (pairs(), False),
    "twice": (twice(), False),
    "unet": (plan_of(2, True, False), False),
    "unet, valid": (plan_of(2, False, False), True),
}
CASES = pytest.mark.parametrize(("plan", "lossless"), PLANS.values(), ids=PLANS)


@given(st.sets(st.integers(1, 60), max_size=8), st.integers(1, 6), st.sets(st.integers(0, 5)), st.integers(0, 12))
@settings(max_examples=100)
def test_pieces_are_the_set(few: set[int], step: int, residues: set[int], start: int) -> None:
    runs = tuple(((start, None),) if r in residues else () for r in range(step))
    whole = SizeSet(step, runs) | SizeSet.of(*few)
    parts = pieces(whole)

    def held(size: int) -> int:
        return sum(
            size >= part.first and (part.last is None or size <= part.last) and (size - part.first) % part.step == 0
            for part in parts
        )

    assert [n for n in range(1, 150) if held(n)] == [n for n in range(1, 150) if n in whole]
    assert max(map(held, range(1, 150))) <= 1


def test_a_long_finite_set_is_told_in_few_pieces() -> None:
    assert pieces(SizeSet(1, (((5, 100_000),),))) == (Piece(1, 5, 100_000),)
    assert pieces(SizeSet(2, (((1, 50_000),), ()))) == (Piece(2, 2, 100_000),)


@CASES
def test_the_assertion_holds_exactly_for_accepted_sizes(plan: Plan, lossless: bool) -> None:
    code = compile(written(plan, "python", lossless=lossless), "rule", "exec")
    domain = plan.lossless if lossless else plan.domain
    _, high, wide = plan.free
    for height in (*range(1, 25), *range(40, 60), 188):
        for width in (3, 5, 6, 8, height, height + 1):
            space = {
                identifier(name): SimpleNamespace(shape=(2, shape[1], height, width))
                for name, shape in plan.input_shapes.items()
            }
            try:
                exec(code, space)
                holds = True
            except AssertionError:
                holds = False
            assert holds == domain.accepts({"N": 2, high: height, wide: width})


def test_the_assertion_tells_what_would_be_accepted() -> None:
    space = {"x": SimpleNamespace(shape=(2, 1, 6, 9))}
    with pytest.raises(AssertionError, match=re.escape("H = 6: H >= 7 is accepted")):
        exec(written(strided(), "python"), space)


@CASES
def test_bioimageio_axes_give_accepted_sizes_and_true_outputs(plan: Plan, lossless: bool) -> None:
    found = yaml.safe_load(written(plan, "bioimageio", lossless=lossless))
    domain = plan.lossless if lossless else plan.domain
    names = plan.free[1:]
    for turn in range(5):
        sizes = {
            (tensor["id"], axis["id"]): axis["size"]
            if isinstance(axis["size"], int)
            else axis["size"]["min"] + turn * axis["size"]["step"]
            for tensor in found["inputs"]
            for axis in tensor["axes"]
            if axis["type"] == "space"
        }
        first = found["inputs"][0]["id"]
        values = {"N": 1, names[0]: sizes[first, "y"], names[1]: sizes[first, "x"]}
        assert domain.accepts(values)
        bound = plan.bind(dtype="float32", **values)
        for tensor, (public, shape) in zip(found["outputs"], bound.output_shapes.items(), strict=True):
            axes = [axis for axis in tensor["axes"] if axis["type"] == "space"]
            assert [output_size(axis, sizes) for axis in axes] == list(shape[2:])
            for index, axis in enumerate(axes):
                halo = axis.get("halo", 0)
                if isinstance(axis["size"], int):  # the format has no halo there
                    continue
                assert halo == max(halos(bound, plan.outputs[public], index))
                assert shape[2 + index] > 2 * halo


def output_size(axis: Mapping[str, Any], sizes: Mapping[tuple[str, str], int]) -> float:
    """Return the size of an output axis as bioimage.io defines it."""
    size = axis["size"]
    if isinstance(size, int):
        return size
    return sizes[size["tensor_id"], size["axis_id"]] / float(axis.get("scale", 1)) + float(size["offset"])


def test_the_halo_of_the_unpadded_unet_is_nothing_and_its_offset_as_published() -> None:
    text = written(plan_of(4, False, False), "bioimageio", lossless=True)
    assert "size: {min: 188, step: 16}" in text
    assert "offset: -184}" in text
    assert "halo" not in text


def test_a_halo_is_what_a_padded_border_reaches() -> None:
    """Judge: with weights of one and padding of nan, exactly the positions that see padding are nan."""
    layers = [
        layer("conv", name="a", filters=1, kernel=5, pad=2),
        layer("maxpool", name="p", size=3, stride=2, pad=1),
        layer("conv", name="b", filters=1, kernel=3, pad=[2, 0, 1, 1], dilation=2),
        layer("convtranspose", name="t", filters=1, kernel=3, stride=2, pad=1),
        layer("upsample", name="u", scale=2),
    ]
    net = Network(name="n", input={"x": (1, 1, 41, 41)}, layers=layers)
    line = [0.0] * 41
    edge = math.nan
    line = windowed([edge, edge, *line, edge, edge], 5, 1, 1)
    line = windowed([edge, *line, edge], 3, 2, 1)
    line = windowed([edge, edge, *line], 3, 1, 2)
    spread = [edge, *[value for pair in zip(line, [0.0] * len(line), strict=True) for value in pair][:-1], edge]
    line = windowed(spread, 3, 1, 1)
    line = [value for value in line for _ in range(2)]
    bound = net.check().bind()
    assert bound.by_name["u"].output_shape[2] == len(line)
    first = next(i for i, value in enumerate(line) if not math.isnan(value))
    last = next(i for i, value in enumerate(reversed(line)) if not math.isnan(value))
    assert halos(bound, "u", 0) == (first, last)


def windowed(line: list[float], kernel: int, stride: int, dilation: int) -> list[float]:
    """Return the sums of all windows of a padded line."""
    reach = dilation * (kernel - 1) + 1
    starts = range(0, len(line) - reach + 1, stride)
    return [sum(line[start + tap * dilation] for tap in range(kernel)) for start in starts]


@pytest.mark.other_frameworks
def test_torch_exports_with_the_dimensions_and_takes_the_sizes() -> None:
    torch = pytest.importorskip("torch")
    functional = importlib.import_module("torch.nn.functional")

    class Strided(torch.nn.Module):  # type: ignore[name-defined, misc]  # torch may be missing
        def __init__(self) -> None:
            super().__init__()
            self.a = torch.nn.Conv2d(1, 2, 5, stride=3, padding=2)
            self.b = torch.nn.Conv2d(2, 2, 3, stride=2)

        def forward(self, x: Any) -> Any:
            return self.b(self.a(x))

    class Halves(torch.nn.Module):  # type: ignore[name-defined, misc]  # torch may be missing
        def __init__(self) -> None:
            super().__init__()
            self.c = torch.nn.Conv2d(1, 2, 3, padding=1)

        def forward(self, x: Any) -> Any:
            x = self.c(x)
            return functional.max_pool2d(x, 2) + functional.max_pool2d(x, 2, ceil_mode=True)

    cases = [(strided(), False, Strided()), (strided(), True, Strided()), (halves(), False, Halves())]
    for plan, lossless, module in cases:
        space: dict[str, Any] = {}
        text = written(plan, "torch", lossless=lossless)
        exec(text, space)
        domain = plan.lossless if lossless else plan.domain
        step = re.search(r"^H = (\d+) \* _H(?: \+ (\d+))?", text, re.MULTILINE)
        turn, rest = (1, 0) if step is None else (int(step[1]), int(step[2] or 0))
        sides = [n for n in range(2, 80) if n % turn == rest and domain.accepts({"N": 1, "H": n, "W": n})]
        example = torch.zeros(2, 1, sides[-1], sides[-2])
        program = torch.export.export(module, (example,), dynamic_shapes=space["dynamic_shapes"]).module()
        for side in sides[len(sides) // 2 :: 3]:
            shape = plan.bind(N=3, H=side, W=sides[-1]).output_shapes
            assert tuple(program(torch.zeros(3, 1, side, sides[-1])).shape) == next(iter(shape.values()))


@pytest.mark.other_frameworks
def test_torch_exports_a_unet_along_its_progression() -> None:
    torch = pytest.importorskip("torch")
    functional = importlib.import_module("torch.nn.functional")

    class Net(torch.nn.Module):  # type: ignore[name-defined, misc]  # torch may be missing
        def __init__(self) -> None:
            super().__init__()
            self.down = torch.nn.Conv2d(1, 2, 3)
            self.low = torch.nn.Conv2d(2, 2, 3)
            self.up = torch.nn.ConvTranspose2d(2, 2, 2, stride=2)

        def forward(self, x: Any) -> Any:
            skip = self.down(x)
            up = self.up(self.low(functional.max_pool2d(skip, 2)))
            return torch.cat([skip[:, :, 2:-2, 2:-2], up], dim=1)

    layers = [
        layer("conv", name="down", filters=2, kernel=3),
        layer("maxpool", size=2, rounding="exact"),
        layer("conv", filters=2, kernel=3),
        layer("convtranspose", name="up", filters=2, kernel=2, stride=2),
        layer("crop", name="skip", from_=("down", "up")),
        layer("concat", name="out", from_=("skip", "up")),
    ]
    plan = Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=layers).check()
    space: dict[str, Any] = {}
    exec(written(plan, "torch"), space)
    exported = torch.export.export(Net(), (torch.zeros(2, 1, 20, 24),), dynamic_shapes=space["dynamic_shapes"])
    program = exported.module()
    for height in (10, 12, 36):
        assert plan.accepts(H=height)
        made = tuple(program(torch.zeros(1, 1, height, 16)).shape)
        assert made == plan.bind(N=1, H=height, W=16).output_shapes["out"]
    assert not plan.accepts(H=13)
    with pytest.raises((AssertionError, RuntimeError, ValueError)):
        program(torch.zeros(1, 1, 13, 16))


@pytest.mark.other_frameworks
@CASES
def test_jax_reads_the_symbolic_shapes(plan: Plan, lossless: bool) -> None:
    pytest.importorskip("jax")
    space: dict[str, Any] = {}
    exec(written(plan, "jax", lossless=lossless), space)
    for name, shape in plan.input_shapes.items():
        assert len(space[identifier(name)]) == len(shape)


EXACT = layer("conv", filters=1, kernel=1, stride=4, rounding="exact")


def test_jax_writes_progressions_with_variables_that_begin_at_one() -> None:
    text = written(plan_of(4, False, False), "jax", lossless=True)
    assert 'SymbolicScope(["k_H >= 11", "k_W >= 11"])' in text
    assert '"N, 1, 16*k_H + 12, 16*k_W + 12"' in text
    small = Network(name="n", input={"x": (1, 1, "H", 5)}, layers=[EXACT])
    assert '"1, 1, 4*k_H - 3, 5"' in written(small.check(), "jax")


@CASES
def test_onnx_names_sizes_and_tells_the_rule_in_a_comment(plan: Plan, lossless: bool) -> None:
    text = written(plan, "onnx", lossless=lossless)
    domain = plan.lossless if lossless else plan.domain
    assert f"Accepted: {domain.text()}" in text
    infos = re.findall(r'make_tensor_value_info\("([^"]+)", TensorProto.FLOAT, \[(.*)\]\)', text)
    assert [name for name, _ in infos] == [*plan.input_shapes, *plan.output_shapes]
    compile(text, "onnx", "exec")


def test_what_a_notation_cannot_say_stands_in_a_comment() -> None:
    groups = re.compile(r"^# sizes are coupled; this is one of \d+ groups", re.MULTILINE)
    assert groups.search(written(pairs(), "torch"))
    assert groups.search(written(pairs(), "jax"))
    assert "also accepted, export separately" in written(strided(), "torch", lossless=True)
    assert "torch.export refuses these accepted sizes: 7 <= H <= 12" in written(strided(), "torch")


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_rule_that_nothing_meets_is_refused(notation: str) -> None:
    net = Network(name="n", input={"x": ("N", 1, "H", 8)}, layers=[layer("maxpool", size=3)])
    (chosen,) = (each for each in NOTATIONS if each == notation)
    with pytest.raises(SizeError, match="S212"):
        written(net.check(), chosen, lossless=True)


def test_the_command_prints_each_notation(workdir: Path) -> None:
    assert workdir.is_dir()
    for notation in NOTATIONS:
        told = run("solve", "small.yaml", "--as", notation)
        assert (told.exit_code, told.stderr) == (0, "")
    assert 'H = Dim("H", min=6)' in run("solve", "small.yaml", "--as", "torch").stdout
