"""Convolution kernels against PyTorch on the same cores, the two sides taking turns in one process.

``python -m tests.benchmarks.conv [--repeat 9] [--threads 2]`` prints milliseconds and the ratio ours / PyTorch
(below 1 is faster), the best of each side. ``--clock cpu`` with ``--threads 1`` counts the process's own time, for
machines that others use too. The measurements run in a child process without ``OPENBLAS_CORETYPE`` and
``OPENBLAS_L2_SIZE``, because a shell that sets them holds NumPy to slower kernels than PyTorch uses.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import threadpoolctl

from planner.layers import Conv
from tests.benchmarks.race import CLOCKS
from tests.harness.kernel_bench import Bench

HELD_BACK = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True)
class Case:
    """One convolution: input (batch, channels, size, size) and settings; `first` needs no input gradient."""

    name: str
    batch: int
    channels: int
    size: int
    filters: int
    kernel: int
    stride: int = 1
    pad: int = 0
    groups: int = 1
    first: bool = False


CASES = (
    Case("3x3 64->64 at 32x32", 64, 64, 32, 64, 3, pad=1),
    Case("3x3 128->128 at 16x16", 64, 128, 16, 128, 3, pad=1),
    Case("3x3 256->256 at 8x8", 64, 256, 8, 256, 3, pad=1),
    Case("3x3 64->128 /2 at 32x32", 64, 64, 32, 128, 3, stride=2, pad=1),
    Case("1x1 64->256 at 28x28", 16, 64, 28, 256, 1),
    Case("depthwise 3x3 128 at 28x28", 16, 128, 28, 128, 3, pad=1, groups=128),
    Case("7x7 3->64 /2 at 112x112", 8, 3, 112, 64, 7, stride=2, pad=3, first=True),
    Case("LeNet c1, batch 64", 64, 1, 32, 6, 5, first=True),
    Case("LeNet c3, batch 64", 64, 6, 14, 16, 5),
    Case("LeNet c5, batch 64", 64, 16, 5, 120, 5),
    Case("3x3 64->64 at 32x32, one image", 1, 64, 32, 64, 3, pad=1),
)


def milliseconds(work: Callable[[], object], clock: str) -> float:
    """Return how long one call takes."""
    start = CLOCKS[clock]()
    work()
    return (CLOCKS[clock]() - start) * 1e3


def compare(case: Case, repeat: int, clock: str) -> str:
    """Return one line: forward and forward + backward on both sides."""
    import torch

    rng = np.random.default_rng(0)
    x = rng.standard_normal((case.batch, case.channels, case.size, case.size), dtype=np.float32)
    layer = Conv(filters=case.filters, kernel=case.kernel, stride=case.stride, pad=case.pad, groups=case.groups)
    bench = Bench(layer, (x,), wanted=not case.first)
    grad = rng.standard_normal(bench.forward().shape, dtype=np.float32)
    bench.backward(grad)
    parameters = {name: torch.tensor(array, requires_grad=True) for name, array in bench.parameters.items()}
    tensor = torch.tensor(x, requires_grad=not case.first)
    wanted = [*parameters.values(), *(() if case.first else (tensor,))]
    torch_grad = torch.tensor(grad)

    def theirs() -> torch.Tensor:
        return torch.nn.functional.conv2d(
            tensor, parameters["weight"], parameters["bias"], case.stride, case.pad, 1, case.groups
        )

    def ours() -> None:
        bench.run_forward()

    def ours_both() -> None:
        bench.run_forward()
        bench.run_backward()

    def theirs_both() -> None:
        torch.autograd.grad(theirs(), wanted, torch_grad)

    def theirs_forward() -> None:
        with torch.no_grad():
            theirs()

    cells = []
    for left, right in ((ours, theirs_forward), (ours_both, theirs_both)):
        pairs: list[tuple[float, float]] = []
        for _ in range(repeat):
            pairs.append((milliseconds(left, clock), milliseconds(right, clock)))
        mine, other = (min(times) for times in zip(*pairs, strict=True))
        cells.append(f"{mine:8.2f} {other:8.2f} {mine / other:6.2f}")
    error = _error(bench, theirs())
    return f"{case.name:<32} {cells[0]}   {cells[1]}   {error:.0e}"


def _error(bench: Bench, expected: object) -> float:
    import torch

    assert isinstance(expected, torch.Tensor)
    found: npt.NDArray[np.floating] = bench.forward()
    known = expected.detach().numpy()
    return float(np.abs(found - known).max() / np.abs(known).max())


def measure(repeat: int, threads: int, clock: str) -> None:
    """Print the table."""
    import torch

    torch.set_num_threads(threads)
    with threadpoolctl.threadpool_limits(threads):
        for pool in threadpoolctl.threadpool_info():
            print(f"# {pool['internal_api']} {pool.get('architecture', '')} x {pool['num_threads']}")
        print(f"# NumPy {np.__version__}, PyTorch {torch.__version__}")
        print(f"# {clock} ms of ours, of PyTorch, their ratio; at the end the largest relative error")
        print(f"{'':<32} {'forward':<24}   {'forward + backward':<24}")
        for case in CASES:
            print(compare(case, repeat, clock), flush=True)


def main() -> int:
    """Start the child process, or be it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        measure(options.repeat, options.threads, options.clock)
        return 0
    environment = {name: value for name, value in os.environ.items() if name not in HELD_BACK}
    command = [sys.executable, "-m", "tests.benchmarks.conv", "--child"]
    command += ["--repeat", str(options.repeat), "--threads", str(options.threads), "--clock", options.clock]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
