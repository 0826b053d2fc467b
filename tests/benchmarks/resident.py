"""Peak memory of a training step or a pass as the machine gives it, ours and PyTorch's, each in processes of its own.

What counts is how far the process grows beyond what it was with everything imported and one small step behind it.
``python -m tests.benchmarks.resident NET BATCH step|infer ours|pytorch`` is such a process. Linux only.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.networks import SMALL, bound
from tests.benchmarks.rivals import RIVALS

NETS: Mapping[str, Sequence[str]] = {"step": SMALL, "infer": [*SMALL, "resnet18", "mobilenet_v2"]}
BATCHES = (64,)
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
HEAD = f"{'work':<6} {'network':<14}{'batch':>5} {'planned':>10} {'ours':>10} {'PyTorch':>10} {'ratio':>7}   MiB"


def rows(nets: Sequence[str], batches: Sequence[int], repeats: int = 3) -> Iterator[dict[str, Any]]:
    """Yield one row for each work, network and batch: medians of processes that took turns."""
    others = [] if RIVALS["PyTorch"].missing() else ["pytorch"]
    for work, known in NETS.items():
        for net in nets or known:
            for batch in batches or BATCHES:
                grown: dict[str, list[int]] = {}
                for _ in range(repeats):
                    for side in ("ours", *others):
                        grown.setdefault(side, []).append(_process(net, batch, work, side))
                memory = bound(net, batch).memory
                row = {"work": work, "network": net, "batch": batch}
                row["planned_bytes"] = memory.training_bytes if work == "step" else memory.inference_bytes
                yield row | {f"{side}_bytes": statistics.median(found) for side, found in grown.items()}


def line(row: Mapping[str, Any]) -> str:
    """Return one row for people."""
    sizes = [row["planned_bytes"], row["ours_bytes"]] + ([row["pytorch_bytes"]] if "pytorch_bytes" in row else [])
    cells = "".join(f" {size / 2**20:10.1f}" for size in sizes)
    ratio = f" {sizes[1] / sizes[2]:7.2f}" if len(sizes) > 2 else ""
    return f"{row['work']:<6} {row['network']:<14}{row['batch']:>5}{cells}{ratio}"


def grown(net: str, batch: int, work: str, side: str) -> int:
    """Return by how many bytes this process grows at most for three steps or passes."""
    _run(net, 2, work, side)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = _status("VmRSS")
    CLEAR.write_text("5")  # the peak begins anew
    _run(net, batch, work, side)
    return _status("VmHWM") - before


def _run(net: str, batch: int, work: str, side: str) -> None:
    plan = bound(net, batch)
    if side == "ours":
        import runtime
        from tests.benchmarks import sides

        one = getattr(sides, work)(plan, runtime.Model(plan, seed=0))
    else:
        from tests.benchmarks import pytorch

        one = getattr(pytorch, work)(plan)
    for _ in range(3):
        one()


def _status(key: str) -> int:
    with STATUS.open() as file:
        return next(int(text.split()[1]) for text in file if text.startswith(key)) * 1024


def _process(net: str, batch: int, work: str, side: str) -> int:
    command = [sys.executable, "-m", "tests.benchmarks.resident", net, str(batch), work, side]
    found = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=True)
    return int(json.loads(found.stdout))


if __name__ == "__main__":
    name, images, what, who = sys.argv[1:]
    print(grown(name, int(images), what, who))
