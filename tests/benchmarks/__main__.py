"""``python -m tests.benchmarks [train infer] [--nets lenet5 ...] [--batches 1 32] [--seconds 4] [--json FILE]``.

Every figure is a ratio of two sides that took turns in one process: below 1 we are faster. The measurements run in a
child process without the OPENBLAS_* settings of the shell, which may hold NumPy to slower kernels than PyTorch uses.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.networks import LARGE, SMALL

GROUPS = ("train", "infer")
CHILD = "SHAPEPLAN_BENCH_CHILD"
BATCHES = {"train": (1, 32, 64, 256), "infer": (1, 32)}


def machine() -> dict[str, Any]:
    """Return what was measured on, and with which libraries."""
    import numpy as np
    import threadpoolctl
    import torch

    np.ones((2, 2)) @ np.ones((2, 2))
    pools = [
        {key: pool.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
        for pool in threadpoolctl.threadpool_info()
    ]
    return {
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
        "pools": pools,
    }


def measured(group: str, nets: list[str], batches: list[int], seconds: float) -> Iterator[dict[str, Any]]:
    """Yield one row a network and batch."""
    from tests.benchmarks import sides
    from tests.benchmarks.networks import bound
    from tests.benchmarks.race import race

    side: Callable[..., Any] = sides.training if group == "train" else sides.inference
    for net in nets:
        for batch in batches:
            result = race(*side(bound(net, batch)), seconds=seconds)
            low, high = result.spread
            yield {
                "group": group, "network": net, "batch": batch, "ours_ms": result.ours * 1e3,
                "theirs_ms": result.theirs * 1e3, "ratio": result.ratio, "low": low, "high": high,
                "pairs": len(result.our_times),
            }  # fmt: skip


def line(row: dict[str, Any]) -> str:
    """Return one row for people."""
    times = f"{row['ours_ms']:10.2f} {row['theirs_ms']:10.2f}"
    return (
        f"{row['group']:<6} {row['network']:<14}{row['batch']:>5} {times} {row['ratio']:7.2f}"
        f"  ({row['low']:.2f}-{row['high']:.2f}, {row['pairs']} pairs)"
    )


def run(chosen: argparse.Namespace) -> None:
    """Measure, print as it comes, and write JSON where asked."""
    facts = machine()
    print(json.dumps(facts))
    print(f"{'group':<6} {'network':<14}{'batch':>5} {'ours ms':>10} {'PyTorch ms':>10} {'ratio':>7}")
    rows = []
    for group in chosen.groups:
        nets = chosen.nets or [*SMALL, *(LARGE if group == "infer" else ())]
        for row in measured(group, nets, chosen.batches or list(BATCHES[group]), chosen.seconds):
            rows.append(row)
            print(line(row), flush=True)
    if chosen.json:
        Path(chosen.json).write_text(json.dumps({"machine": facts, "rows": rows}, indent=2) + "\n", "utf-8")


def main() -> int:
    """Run in a child process free of OPENBLAS_* settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", default=list(GROUPS))
    parser.add_argument("--nets", nargs="+")
    parser.add_argument("--batches", nargs="+", type=int)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each row")
    parser.add_argument("--json", help="file for the figures")
    chosen = parser.parse_args()
    if unknown := [group for group in chosen.groups if group not in GROUPS]:
        parser.error(f"no group {unknown[0]!r}; there are {', '.join(GROUPS)}")
    if CHILD not in os.environ:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
        command = [sys.executable, "-m", "tests.benchmarks", *sys.argv[1:]]
        return subprocess.run(command, env={**clean, CHILD: "1"}, check=False).returncode
    run(chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
