"""Softmax over the channels, and its logarithm.

Definitions follow the torch.nn documentation of the activation of the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import planner.symbols as sy
from planner.layers.pointwise import FromOutput
from planner.layers.tiling.shards import column_shares, in_lines
from planner.layers.tiling.workspace import shard_blocks, softmax_columns, softmax_parts
from planner.symbols import Shape


@dataclass(frozen=True)
class OverChannels(FromOutput):
    """Base of softmax and its logarithm: sums over the channels."""

    by_channel: ClassVar[bool] = False

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return, for each shard, a row of sums, its parts and, if products are computed, one column block."""
        return self._rows(output, int(output[1]) if self.kind == "log_softmax" else 0)

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return, for each shard, a row of sums, its parts and one column block of products."""
        return self._rows(output, int(output[1]))

    def _rows(self, output: Shape, products: int) -> int:
        channels = int(output[1])
        rows, spans = (
            1 + softmax_parts(channels) + products,
            column_shares(channels, int(sy.product(output)) // channels),
        )
        steps = (softmax_columns(channels, last - first, shard_blocks(len(spans))) for first, last in spans)
        return sum(in_lines(rows * step) for step in steps)


@dataclass(frozen=True)
class Softmax(OverChannels):
    """``exp(x) / sum(exp(x))`` over the channels (axis 1)."""

    kind: ClassVar[str] = "softmax"
    summary: ClassVar[str] = "exp(x) / sum(exp(x)) over the channels"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = 1.0


@dataclass(frozen=True)
class LogSoftmax(OverChannels):
    """``x - log(sum(exp(x)))`` over the channels (axis 1)."""

    kind: ClassVar[str] = "log_softmax"
    summary: ClassVar[str] = "x - log(sum(exp(x))) over the channels"
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = 1.0
