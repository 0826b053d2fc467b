"""``python -m tests.benchmarks [GROUP ...] [--nets lenet5 ...] [--batches 1] [--cores 1] [--clock cpu] [--json FILE]``.

    train, infer   steps, passes and passes of our fused networks, compared with PyTorch and onnxruntime
    peers          LeNet compared with networks in NumPy: numpy-ml, the ONNX ReferenceEvaluator, autograd
    memory         how far a process grows, compared with PyTorch
    growth         steps over batch, image, depth and cores
    shares         where the time of a step goes, compared with what products of matrices and memory allow

Ratios are of two sides that took turns in one process: below 1 we are faster. The measurements run in a child process
without the OPENBLAS_* settings of the shell, which may hold NumPy to slower kernels than PyTorch uses.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.networks import LARGE, SMALL
from tests.benchmarks.race import CHILD, CLOCKS
from tests.benchmarks.rivals import RIVALS

NAMES = ("train", "infer", "peers", "memory", "growth", "shares")

Rows = Iterator[dict[str, Any]]
Line = Callable[[Mapping[str, Any]], str]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """Return what was measured on, and with which libraries."""
    import numpy as np
    import threadpoolctl

    np.ones((2, 2)) @ np.ones((2, 2))
    pools = [
        {key: pool.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
        for pool in threadpoolctl.threadpool_info()
    ]
    return {
        "machine": platform.machine(),
        "cores": cores(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "beside": {name: rival.versions() for name, rival in RIVALS.items() if not rival.missing()},
        "pools": pools,
    }


def group(name: str, chosen: argparse.Namespace) -> tuple[str, Rows, Line]:
    """Return the heading of a group's table, its rows as they are measured, and how to print one."""
    if name == "memory":
        from tests.benchmarks import resident

        return resident.HEAD, resident.rows(chosen.nets, chosen.batches), resident.line
    if name == "growth":
        from tests.benchmarks import growth

        return growth.HEAD, growth.rows(chosen.nets, chosen.seconds, chosen.clock), growth.line
    if name == "shares":
        from tests.benchmarks import shares

        return shares.HEAD, shares.rows(chosen.nets, chosen.batches, cores(), CLOCKS[chosen.clock]), shares.line
    from tests.benchmarks import races

    raced = races.GROUPS[name]
    nets, batches = chosen.nets or raced.nets, chosen.batches or raced.batches
    return races.HEAD, races.rows(raced, nets, batches, chosen.seconds, CLOCKS[chosen.clock]), races.line


def run(chosen: argparse.Namespace) -> None:
    """Measure, print as it comes, and write JSON where asked."""
    facts = machine() | {"clock": chosen.clock}
    print(json.dumps(facts))
    for name, rival in RIVALS.items():
        if absent := " and ".join(rival.missing()):
            print(f"# {name} is not measured: {absent} not installed; pip install -e '.[bench]' brings it")
    found: dict[str, list[dict[str, Any]]] = {}
    for name in chosen.groups:
        head, rows, line = group(name, chosen)
        print(f"\n{name}\n{head}")
        found[name] = []
        for row in rows:
            found[name].append(row)
            print(line(row), flush=True)
        if chosen.json:
            Path(chosen.json).write_text(json.dumps({"machine": facts, "groups": found}, indent=2) + "\n", "utf-8")


def main() -> int:
    """Run in a child process free of OPENBLAS_* settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", default=list(NAMES), metavar="GROUP")
    parser.add_argument("--nets", nargs="+", default=[])
    parser.add_argument("--batches", nargs="+", type=int, default=[])
    parser.add_argument("--seconds", type=float, default=4.0, help="for each row")
    parser.add_argument("--cores", type=int, help="at most so many")
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall", help="cpu: where others use the machine too")
    parser.add_argument("--json", help="file for the figures")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.groups if name not in NAMES]:
        parser.error(f"no group {unknown[0]!r}; there are {', '.join(NAMES)}")
    if unknown := [name for name in chosen.nets if name not in (*SMALL, *LARGE)]:
        parser.error(f"no network {unknown[0]!r}; there are {', '.join((*SMALL, *LARGE))}")
    if min(chosen.batches, default=1) < 1 or (chosen.cores or 1) < 1:
        parser.error("batches and cores count from 1")
    if chosen.cores and hasattr(os, "sched_setaffinity"):
        # Before any library looks how many there are.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: chosen.cores])
    if CHILD not in os.environ:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
        command = [sys.executable, "-m", "tests.benchmarks", *sys.argv[1:]]
        return subprocess.run(command, env={**clean, CHILD: "1"}, check=False).returncode
    run(chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
