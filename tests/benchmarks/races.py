"""The groups in which two sides take turns: training steps and passes, beside everybody who is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import runtime
from tests.benchmarks import sides
from tests.benchmarks.networks import LARGE, SMALL, bound
from tests.benchmarks.race import Clock, Work, race
from tests.benchmarks.rivals import RIVALS


@dataclass(frozen=True)
class Group:
    """What is raced: which work of which networks, at which batches, beside whom."""

    works: Sequence[str]
    nets: Sequence[str]
    batches: Sequence[int]
    rivals: Sequence[str]


GROUPS: Mapping[str, Group] = {
    "train": Group(["step"], SMALL, (1, 32, 64, 256), ["PyTorch"]),
    "infer": Group(["infer", "fused"], [*SMALL, *LARGE], (1, 32), ["PyTorch", "onnxruntime"]),
    "peers": Group(["infer", "step"], ["lenet5"], (1, 32), ["numpy-ml", "ONNX reference", "autograd"]),
}
HEAD = f"{'work':<6} {'network':<14}{'batch':>5} {'beside':<15}{'ours ms':>10} {'theirs ms':>10} {'ratio':>7}"


def rows(
    group: Group, nets: Sequence[str], batches: Sequence[int], seconds: float, clock: Clock
) -> Iterator[dict[str, Any]]:
    """Yield one row for each work, network, batch and rival; none for who is not installed, or cannot do the work."""
    present = {name: RIVALS[name] for name in group.rivals if not RIVALS[name].missing()}
    for work in group.works:
        for net in nets:
            for batch in batches:
                plan = bound(net, batch)
                for name, rival in present.items():
                    model = runtime.Model(plan, seed=0)
                    ours, theirs = getattr(sides, work)(plan, model), rival.side(work, plan, model)
                    if ours is not None and theirs is not None:
                        row = {"work": work, "network": net, "batch": batch, "beside": name}
                        yield row | timed(ours, theirs, seconds, clock)


def timed(ours: Work, theirs: Work, seconds: float, clock: Clock) -> dict[str, Any]:
    """Return the figures of one race."""
    result = race(ours, theirs, seconds=seconds, clock=clock)
    low, high = result.spread
    return {
        "ours_ms": result.ours * 1e3, "theirs_ms": result.theirs * 1e3, "ratio": result.ratio, "low": low, "high": high,
        "pairs": len(result.our_times),
    }  # fmt: skip


def line(row: Mapping[str, Any]) -> str:
    """Return one row for people."""
    what = f"{row['work']:<6} {row['network']:<14}{row['batch']:>5} {row['beside']:<15}"
    times = f"{row['ours_ms']:10.2f} {row['theirs_ms']:10.2f} {row['ratio']:7.3g}"
    return f"{what}{times}  ({row['low']:.3g}-{row['high']:.3g}, {row['pairs']} pairs)"
