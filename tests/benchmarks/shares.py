"""Where the time of a training step goes, and what it could not be faster than: products of matrices, and memory.

*Alone* is the time of the step's products of matrices by themselves, on operands that lie ready in the cache: no
convolution by columns is faster. *Bytes* are those of the arrays that a layer must read and write at least once, over
what the machine copies in a second, measured here: a layer that does little with each number is not much faster, unless
what it reads is still in the cache.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

import runtime
from planner.layers import Layer, MaxPool
from planner.lowering.node import BoundNode
from planner.plan.plan import BoundPlan
from runtime.blas_threads import for_step
from runtime.kernels.base import Kernel
from tests.benchmarks import sides
from tests.benchmarks.networks import SMALL, bound
from tests.benchmarks.race import Clock
from tests.benchmarks.rivals import RIVALS

BATCH = 64
STEPS = 15
CACHED = 2**17
"""Numbers of a block of columns that stays in a second-level cache."""
COPIED_BYTES = 128 * 2**20
HEAD = (
    f"{'network':<14}{'batch':>5} {'layers':<12}{'ms':>9} {'share':>6} {'alone ms':>9} {'MiB':>8} {'bytes ms':>9}   "
    "(ms: in the step; alone: its products of matrices; bytes: its arrays, each moved once)"
)


def bandwidth(threads: int, clock: Clock) -> float:
    """Return bytes a second that this machine reads and writes when it copies what no cache holds."""
    pairs = [np.ones((2, COPIED_BYTES // threads // 8)) for _ in range(threads)]

    def copy(pair: Any) -> None:
        np.copyto(pair[1], pair[0])

    def copy_all() -> None:
        workers = [threading.Thread(target=copy, args=(pair,)) for pair in pairs]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return 2 * COPIED_BYTES / _fastest(copy_all, 9, clock)


def rows(nets: Sequence[str], batches: Sequence[int], cores: int, clock: Clock) -> Iterator[dict[str, Any]]:
    """Yield one row for each kind of layer in the step of each network, then one for the whole."""
    speeds = {count: bandwidth(count, clock if count == 1 else time.perf_counter) for count in (1, cores)}
    yield {"gigabytes_per_second": {str(count): speed / 1e9 for count, speed in speeds.items()}}
    for name in nets or SMALL:
        for batch in batches or (BATCH,):
            yield from _network(name, bound(name, batch), max(speeds.values()), clock)


def line(row: Mapping[str, Any]) -> str:
    """Return one row for people."""
    if "gigabytes_per_second" in row:
        return ", ".join(f"{count} core: {speed:.1f} GB/s" for count, speed in row["gigabytes_per_second"].items())
    cells = f"{row['ms']:9.2f} {row['share']:6.1%} {row['alone_ms']:9.2f}"
    cells += f" {row['bytes'] / 2**20:8.1f} {row['bytes_ms']:9.2f}"
    beside = f"   PyTorch's step: {row['theirs_ms']:.2f} ms" if "theirs_ms" in row else ""
    return f"{row['network']:<14}{row['batch']:>5} {row['layers']:<12}{cells}{beside}"


def _kernels(call: Any) -> list[Kernel[Any]]:
    """Return the kernels that a step of a program runs: one, or those of a run of layers in every shard."""
    if isinstance(call, partial):
        given = [each for argument in call.args for each in (argument if isinstance(argument, list) else [argument])]
        return [kernel for each in given for kernel in _kernels(each)]
    kernel = getattr(call, "__self__", None)
    return [kernel] if isinstance(kernel, Kernel) else []


def _kind(layer: Layer) -> str:
    """Return the kind as the network was written, whoever does the work."""
    return MaxPool.kind if isinstance(layer, MaxPool) else layer.kind


def _network(name: str, plan: BoundPlan, speed: float, clock: Clock) -> Iterator[dict[str, Any]]:
    model = runtime.Model(plan, seed=0)
    step = sides.step(plan, model)
    program = model.training_program(plan.batch)
    kinds: dict[str, list[float]] = {}
    moved: dict[str, int] = {}
    steps = {"forward": program._forward, "backward": program._backward}
    for _ in range(3):
        step()
    for part, calls in steps.items():
        for index, call in enumerate(calls):
            kernels = _kernels(call)
            kind = "+".join(dict.fromkeys(_kind(kernel.layer) for kernel in kernels)) or "sums"  # where paths meet
            moved[kind] = moved.get(kind, 0) + sum(_bytes(kernel.arrays, part) for kernel in kernels)
            calls[index] = _watched(call, kinds.setdefault(kind, []), clock)
    # The fastest step is the one that others on the machine disturbed least; its parts belong together.
    whole, fastest = math.inf, {}
    for _ in range(STEPS):
        for times in kinds.values():
            times.clear()
        start = clock()
        step()
        if (taken := clock() - start) < whole:
            whole, fastest = taken, {kind: sum(times) for kind, times in kinds.items()}
    alone: dict[str, float] = {}
    with for_step():
        for node in plan.nodes:
            if node.kind in ("conv", "dense"):
                wanted = node.inputs[0] not in plan.input_shapes
                alone[node.kind] = alone.get(node.kind, 0.0) + _products(node, wanted, clock)
    for kind, seconds in sorted(fastest.items(), key=lambda pair: -pair[1]):
        yield {
            "network": name, "batch": plan.batch, "layers": kind, "ms": seconds * 1e3, "share": seconds / whole,
            "alone_ms": alone.get(kind, 0.0) * 1e3, "bytes": moved[kind], "bytes_ms": moved[kind] / speed * 1e3,
        }  # fmt: skip
    total = {
        "network": name, "batch": plan.batch, "layers": "whole step", "ms": whole * 1e3, "share": 1.0,
        "alone_ms": sum(alone.values()) * 1e3, "bytes": sum(moved.values()),
        "bytes_ms": sum(moved.values()) / speed * 1e3,
    }  # fmt: skip
    rival = RIVALS["PyTorch"]
    if not rival.missing():
        total["theirs_ms"] = _fastest(rival.side("step", plan, model), STEPS, clock) * 1e3
    yield total


def _watched(call: Callable[[], object], times: list[float], clock: Clock) -> Callable[[], object]:
    def timed() -> None:
        start = clock()
        call()
        times.append(clock() - start)

    return timed


def _bytes(arrays: Any, part: str) -> int:
    """Return the bytes of what a pass reads and writes at least once."""
    own = [*arrays.parameters.values(), *arrays.saved.values()]
    if part == "forward":
        used = [*arrays.inputs, arrays.output, *own]
    else:
        used = [arrays.grad_output, *arrays.grad_inputs, *arrays.grad_parameters.values(), *own]
    return sum(array.nbytes for array in used if array is not None)


def _products(node: BoundNode, wanted: bool, clock: Clock) -> float:
    """Return the seconds of a layer's products of matrices: the pass, and the gradients of weights and input."""
    weight = node.parameters["weight"].shape
    groups: int = getattr(node.layer, "groups", 1)
    rows, inner = weight[0] // groups, prod(weight[1:])
    columns = node.output_shape[0] * prod(node.output_shape[2:])
    block = min(columns, max(256, CACHED // inner))
    rng = np.random.default_rng(0)
    w = rng.standard_normal((groups, rows, inner), dtype=np.float32)
    x = rng.standard_normal((groups, inner, block), dtype=np.float32)
    y = np.empty((groups, rows, block), np.float32)
    seconds = _fastest(lambda: np.matmul(w, x, out=y), 9, clock)
    seconds += _fastest(lambda: np.matmul(y, x.transpose(0, 2, 1), out=w), 9, clock)
    if wanted:
        seconds += _fastest(lambda: np.matmul(w.transpose(0, 2, 1), y, out=x), 9, clock)
    return seconds * float(columns / block)


def _fastest(work: Callable[[], object], count: int, clock: Clock) -> float:
    best = math.inf
    work()
    for _ in range(count):
        start = clock()
        work()
        best = min(best, clock() - start)
    return best
