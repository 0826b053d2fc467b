"""Networks nobody thought of, as plain data: what the property tests of accepted sizes are asked about.

A :class:`Drawn` network is drawn from a seeded generator, grown from the patterns people build (chains, branches
that meet again, an encoder and its decoder, heads of fixed width) with settings people do not. Nothing of ours is
imported here: the planner's side and the oracle's side (:mod:`tests.harness.naive_sizes`) both start from these steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

LONGEST = 14
"""Layers of a drawn network, about."""

LARGEST_STRIDE = 48
"""Product of the strides along a path; larger ones only make the brute force blind, not the network harder."""


@dataclass(frozen=True)
class Step:
    """One layer: its kind and settings as a spec has them, and the names of what it reads, in order."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    reads: tuple[str, ...]
    expect: tuple[int | str, ...] | None = None

    def __str__(self) -> str:
        expect = "" if self.expect is None else f", expect: {list(self.expect)}"
        settings = "".join(f", {key}: {value}" for key, value in self.settings.items())
        return f"- {self.kind}: {{name: {self.name}, from: [{', '.join(self.reads)}]{settings}{expect}}}"


@dataclass(frozen=True)
class Drawn:
    """A network: the shape of its one input ``x`` and its layers in execution order.

    `shape` is N, C, H, W; a str is a free size, and the same name may stand for height and width.
    """

    shape: tuple[int | str, int, int | str, int | str]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "\n".join([f"input: {{x: [{', '.join(map(str, self.shape))}]}}", *map(str, self.steps)])


@dataclass
class _Tensor:
    name: str
    channels: int
    stride: int = 1
    grown: int = 1


@dataclass
class _Growth:
    """A network while it is being drawn."""

    rng: Random
    kinds: frozenset[str]
    steps: list[Step] = field(default_factory=list)
    tensors: list[_Tensor] = field(default_factory=list)

    def add(self, kind: str, source: _Tensor, *more: _Tensor, channels: int = 0, **settings: Any) -> _Tensor:
        name = f"{kind}{len(self.steps)}"
        self.steps.append(Step(name, kind, settings, (source.name, *(other.name for other in more))))
        made = _Tensor(name, channels or source.channels, source.stride, source.grown)
        self.tensors.append(made)
        return made

    def pair(self, values: list[int]) -> int | list[int]:
        """Return a setting for both axes, now and then one for each."""
        first = self.rng.choice(values)
        return [first, self.rng.choice(values)] if self.rng.random() < 0.25 else first

    def padding(self, most: int, same: bool = True) -> Any:
        chance = self.rng.random()
        if same and chance < 0.15:
            return "same"
        if chance < 0.3:
            return [self.rng.randint(0, most) for _ in range(4)]
        return self.rng.randint(0, most)

    def strides(self, source: _Tensor) -> int | list[int]:
        values = [s for s in (1, 1, 1, 2, 2, 2, 3, 4) if s * source.stride <= LARGEST_STRIDE] or [1]
        return self.pair(values)

    def window(self, source: _Tensor) -> _Tensor:
        kind = self.rng.choice([k for k in ("conv", "conv", "maxpool", "avgpool", "sumpool") if k in self.kinds])
        stride = self.strides(source)
        settings: dict[str, Any] = {"stride": stride}
        size = self.pair([1, 2, 2, 3, 3, 3, 4, 5, 7])
        if kind == "conv":
            settings |= {"kernel": size, "filters": self.rng.choice([1, 2, 2, 4]), "pad": self.padding(4)}
            settings["rounding"] = self.rng.choice(["floor"] * 9 + ["exact"])
        else:
            least = size if isinstance(size, int) else min(size)
            settings |= {"size": size, "pad": self.padding(least // 2)}
            settings["rounding"] = self.rng.choice(["floor"] * 4 + ["ceil"] * 3 + ["exact"])
        if kind in ("conv", "maxpool") and self.rng.random() < 0.25:
            settings["dilation"] = self.pair([1, 2, 3])
        made = self.add(kind, source, channels=settings.get("filters", 0), **settings)
        made.stride *= stride if isinstance(stride, int) else max(stride)
        return made

    def larger(self, source: _Tensor, factor: int | None = None) -> _Tensor:
        kinds = [k for k in ("upsample", "convtranspose", "convtranspose") if k in self.kinds]
        if not kinds or source.grown >= 8:
            return self.window(source)
        fits = factor is None and "resize" in self.kinds and source.stride < LARGEST_STRIDE // 2
        if fits and self.rng.random() < 0.2:
            made = self.add("resize", source, scale=self.rng.choice([1.5, 2.5, 0.5, 0.75, 1.25, 0.4]))
            made.stride, made.grown = made.stride * 4, made.grown * 2
            return made
        scale = factor or self.rng.choice([2, 2, 3])
        kind = self.rng.choice(kinds)
        if kind == "upsample":
            made = self.add(kind, source, scale=scale if factor else self.pair([1, 2, 3]))
        else:
            settings: dict[str, Any] = {"filters": source.channels, "stride": scale}
            if factor and self.rng.random() < 0.6:
                settings["kernel"] = factor
            else:
                settings |= {"kernel": self.pair([1, 2, 3, 4]), "pad": self.padding(2, same=False)}
                settings["output_pad"] = self.rng.choice([0, 0, 0, 1])
                if self.rng.random() < 0.2:
                    settings["dilation"] = self.pair([1, 2])
            made = self.add(kind, source, **settings)
        made.grown *= scale
        return made

    def border(self, source: _Tensor) -> _Tensor:
        kinds = [k for k in ("pad", "crop") if k in self.kinds]
        if not kinds:
            return self.window(source)
        if self.rng.choice(kinds) == "pad":
            return self.add("pad", source, pad=self.padding(3, same=False))
        return self.add("crop", source, size=self.pair([1, 2, 3, 5, 8]))

    def join(self, left: _Tensor, right: _Tensor, crop: float = 0.0) -> _Tensor:
        if "crop" in self.kinds and self.rng.random() < crop:
            left = self.add("crop", left, right)
        if left.channels == right.channels and self.rng.random() < 0.5:
            made = self.add(self.rng.choice(["add", "add", "subtract", "maximum"]), left, right)
        elif left.channels == right.channels and self.rng.random() < 0.2:
            made = self.add("concat", left, right, axis=self.rng.choice([2, 3]))
        else:
            made = self.add("concat", left, right, channels=left.channels + right.channels)
        made.stride, made.grown = max(left.stride, right.stride), max(left.grown, right.grown)
        return made

    def cut(self, source: _Tensor) -> _Tensor:
        """Return a part of a tensor, along its channels or its map."""
        axis = self.rng.choice([1, 2, 2, 3, 3])
        if axis == 1:
            parts = next((parts for parts in (2, 3) if source.channels % parts == 0), 1)
            return self.add("split", source, channels=source.channels // parts, parts=parts, part=parts - 1)
        if self.rng.random() < 0.3:
            parts = self.rng.choice([2, 2, 3])
            return self.add("split", source, parts=parts, part=self.rng.randrange(parts), axis=axis)
        chosen = {"start": self.rng.choice([0, 0, 1, 2, -3, -6]), "axis": axis}
        if chosen["start"] >= 0 and self.rng.random() < 0.6:
            chosen["stop"] = self.rng.choice([-1, -2, -4, 3, 8])
        elif self.rng.random() < 0.5 and source.stride < LARGEST_STRIDE // 2:
            chosen["step"] = self.rng.choice([2, 3])
        made = self.add("slice", source, **chosen)
        made.stride *= chosen.get("step", 1)
        return made

    def moved(self, source: _Tensor) -> _Tensor:
        """Return the same numbers elsewhere: squares to channels, channels to squares, or channels shuffled."""
        if source.channels % 4 == 0 and source.grown < 8 and self.rng.random() < 0.8:
            made = self.add("pixel_shuffle", source, channels=source.channels // 4, scale=2)
            made.grown *= 2
            return made
        if source.channels <= 4 and source.stride < LARGEST_STRIDE // 2:
            scale = self.rng.choice([2, 2, 3])
            made = self.add("pixel_unshuffle", source, channels=source.channels * scale**2, scale=scale)
            made.stride *= scale
            return made
        return self.add("channel_shuffle", source, groups=2 if source.channels % 2 == 0 else 1)

    def gated(self, source: _Tensor) -> _Tensor:
        """Return a map and what is known of it as a whole, put together: one of them is repeated."""
        whole = self.add("gap", source)
        both = [source, whole]
        self.rng.shuffle(both)
        made = self.add(self.rng.choice(["multiply", "multiply", "subtract", "maximum", "add"]), *both)
        made.stride, made.grown = source.stride, source.grown
        return made

    def branches(self, source: _Tensor) -> _Tensor:
        """Return two short branches from one tensor, joined; an empty branch is the tensor itself."""
        ends = []
        for _ in range(2):
            end = source
            for _ in range(self.rng.randint(0, 2)):
                end = self.rng.choice([self.window, self.window, self.larger])(end)
            ends.append(end)
        return self.join(ends[0], ends[1], crop=0.4)

    def down_and_up(self, source: _Tensor, levels: int) -> _Tensor:
        """Return an encoder and its decoder: halved, worked on, doubled and joined with what was there before."""
        skip = self.window(source) if self.rng.random() < 0.5 else source
        pools = [k for k in ("maxpool", "avgpool") if k in self.kinds]
        rounding = self.rng.choice(["floor", "floor", "ceil"])
        below = self.add(self.rng.choice(pools), skip, size=2, stride=2, rounding=rounding)
        below.stride *= 2
        if self.rng.random() < 0.5:
            below = self.window(below)
        if levels > 1 and below.stride < LARGEST_STRIDE // 2:
            below = self.down_and_up(below, levels - 1)
        return self.join(skip, self.larger(below, 2), crop=0.6)

    def piece(self, source: _Tensor) -> _Tensor:
        chance = self.rng.random()
        if chance < 0.4:
            return self.window(source)
        if chance < 0.52:
            return self.larger(source)
        if chance < 0.6:
            return self.border(source)
        if chance < 0.74:
            return self.branches(source)
        if chance < 0.84:
            return self.down_and_up(source, self.rng.randint(1, 3))
        if chance < 0.86 and len(self.tensors) > 1:
            return self.join(self.rng.choice(self.tensors), source, crop=0.4)
        if chance < 0.955:
            return self.rng.choice([self.cut, self.cut, self.moved, self.gated])(source)
        return self.add(self.rng.choice(["relu", "batchnorm", "prelu", "layer_scale", "shift", "hard_swish"]), source)

    def head(self, source: _Tensor, coupled: bool, features: bool) -> None:
        """End in a layer that fixes or couples sizes, sometimes."""
        chance = self.rng.random()
        if chance < 0.12:
            sizes = (self.rng.randint(1, 9), self.rng.randint(1, 9))
            self.steps[-1] = replace(self.steps[-1], expect=("N", source.channels, *sizes))
        elif coupled and chance < 0.35:
            count = source.channels * self.rng.choice([1, 4, 6, 12, 25, 36, 49, 60])
            flat = self.add("flatten", source)
            if features and self.rng.random() < 0.7:
                self.add("dense", flat, units=3, features=count)
            elif "reshape" in self.kinds and self.rng.random() < 0.7:
                wanted = self.rng.choice([[count], [source.channels, -1, self.rng.randint(1, 4)], [-1, 2, 3]])
                self.add("reshape", flat, shape=wanted)
            else:
                self.steps[-1] = replace(self.steps[-1], expect=("N", count))
        elif chance < 0.5:
            self.add("flatten", self.add("gap", source))


def draw(rng: Random, kinds: frozenset[str], coupled: bool = False, features: bool = False) -> Drawn:
    """Return a network of these layer kinds.

    Parameters
    ----------
    rng : Random
    kinds : frozenset of str
        Layers that may occur.
    coupled : bool
        Whether a head may couple height and width.
    features : bool
        Whether a dense layer may say how many features it takes.

    Examples
    --------
    >>> drawn = draw(Random(0), frozenset({"conv", "maxpool", "add", "concat"}))
    >>> drawn == draw(Random(0), frozenset({"conv", "maxpool", "add", "concat"}))
    True
    """
    growth = _Growth(rng, kinds)
    chance = rng.random()
    axes: tuple[int | str, int | str] = ("H", "W")
    if chance < 0.2:
        axes = ("S", "S")
    elif chance < 0.3:
        axes = (rng.randint(1, 64), "W")
    last = _Tensor("x", rng.choice([1, 2, 3]))
    shape = ("N", last.channels, *axes)
    growth.tensors.append(last)
    for _ in range(rng.randint(1, 6)):
        last = growth.piece(last)
        if len(growth.steps) >= LONGEST:
            break
    growth.head(last, coupled, features)
    return Drawn(shape, read_only(tuple(growth.steps)))


def read_only(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps the last one depends on: a layer nobody reads is a finding of its own."""
    wanted = {steps[-1].name}
    for step in reversed(steps):
        if step.name in wanted:
            wanted |= set(step.reads)
    return tuple(step for step in steps if step.name in wanted)


def smaller(drawn: Drawn) -> Iterator[Drawn]:
    """Yield networks with one thing less: a layer left out, a setting plainer, a free size instead of a number.

    Examples
    --------
    >>> one = Drawn(("N", 1, "H", "W"), (Step("a", "relu", {}, ("x",)), Step("b", "conv", {"kernel": 2}, ("a",))))
    >>> [len(other.steps) for other in smaller(one)][:2]
    [1, 1]
    """
    for step in drawn.steps:
        rest = tuple(
            replace(other, reads=tuple(step.reads[0] if name == step.name else name for name in other.reads))
            for other in drawn.steps
            if other is not step
        )
        if rest:
            yield replace(drawn, steps=read_only(rest))
    for step in drawn.steps:
        for plainer in _plainer(step):
            yield replace(drawn, steps=tuple(plainer if other is step else other for other in drawn.steps))
    if drawn.shape[2:] != ("S", "S"):
        yield replace(drawn, shape=(*drawn.shape[:2], "S", "S"))


def _plainer(step: Step) -> Iterator[Step]:
    if step.expect is not None:
        yield replace(step, expect=None)
    for key, value in step.settings.items():
        rest = {name: other for name, other in step.settings.items() if name != key}
        if key not in ("kernel", "size", "filters", "scale", "pad", "shape", "units", "parts", "part", "groups"):
            yield replace(step, settings=rest)
        if key == "pad" and step.kind != "pad" and value != 0:
            yield replace(step, settings=rest)
        if isinstance(value, list) and key != "shape":
            yield from (replace(step, settings={**rest, key: item}) for item in sorted(set(value)) if item != -1)
        elif isinstance(value, int) and value > 1:
            yield replace(step, settings={**rest, key: value - 1})
