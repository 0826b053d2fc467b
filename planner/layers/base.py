"""The interface between a kind of layer and the rest of the planner.

A layer is a frozen dataclass with one field per setting. It computes shapes, requirements, parameters
and costs, and is independent of names, wiring and arrays. Its counterpart is the kernel of the same name in
``runtime/kernels``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from math import sqrt
from typing import Any, ClassVar, Literal, Self

import planner.symbols as sy
from planner.conditions import AtLeast, Equal, Requirement
from planner.mappings import FrozenMapping
from planner.symbols import Shape, Size

Category = Literal["io", "conv", "pool", "norm", "act", "dense", "merge", "reshape"]
"""Family of a layer; decides how it is drawn."""

Keep = Literal["input", "output"]
"""A tensor that a layer's backward pass reads again; it stays in memory until then."""

Interval = tuple[float, float]
"""Lower and upper bound; either may be infinite."""

RELU_GAIN = sqrt(2.0)
"""Gain of ReLU and its smooth variants (He et al., arXiv:1502.01852, equation 10)."""


def leaky_gain(slope: float) -> float:
    """Return ``sqrt(2/(1 + slope**2))``, the gain of a ReLU with this slope below zero.

    References
    ----------
    He et al., arXiv:1502.01852, equation 15.

    Examples
    --------
    >>> leaky_gain(0.0) == RELU_GAIN
    True
    """
    return sqrt(2.0 / (1.0 + slope**2))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One array owned by a layer.

    Attributes
    ----------
    name : str
        ``weight``, ``bias``, ``running_mean``, ...
    shape : Shape
        The public shape; a convolution's weight is (filters, channels / groups, kh, kw).
    fan_in : Size
        Number of inputs summed into one output element; 0 for arrays that are not initialised at random.
    initial : float
        Initial value if `fan_in` is 0.
    """

    name: str
    shape: Shape
    fan_in: Size = 0
    initial: float = 0.0

    @property
    def count(self) -> Size:
        """Number of elements."""
        return sy.product(self.shape)


def by_name(arrays: Iterable[Parameter]) -> Mapping[str, Parameter]:
    """Return a layer's arrays by name.

    Examples
    --------
    >>> by_name([Parameter("weight", (6, 3, 5, 5)), Parameter("bias", (6,))])["bias"].count
    6
    """
    return FrozenMapping({array.name: array for array in arrays})


@dataclass(frozen=True, slots=True)
class AxisField:
    """How one axis of a map sees its input: window extent, stride and padding before, in positions.

    An `extent` of None is the whole axis. With a `stride` of 0, all positions see the same window. With a `repeat` of
    r, r neighbouring output positions make one step along the input. The location of `relative` windows depends on the
    size of the whole axis; for them an `extent` of None is unknown until that size is known.
    """

    extent: Size | None
    stride: Size = 1
    before: Size = 0
    repeat: Size = 1
    relative: bool = False


@dataclass(frozen=True)
class Layer:
    """Base class of all layers; a subclass must define `kind`, `category` and `output_shape`.

    Class facts
    -----------
    kind : str
        The key in a spec.
    category : Category
    summary : str
        One line for the table of kinds in ``docs/spec.md`` and the JSON Schema.
    aliases : tuple of str
        Names of the kind in other libraries, in lower case and without separators. Every kind defines them; a kind
        without any defines ``()``.
    gain : float or None
        Factor for the initial weights of the layer that this one reads, as returned by
        ``torch.nn.init.calculate_gain``. None defers to the layer that reads this one. Every
        activation defines its own.
    mixes_positions : bool
        Whether an output position depends on other positions of the map. A kind that mixes positions implements
        :meth:`fields_of_view`; every other kind defines False. The statistics of a normalisation do not count.
    keeps : frozenset of {"input", "output"}
        The tensors that the backward pass reads again.
    keeps_of_inputs : frozenset of int or None
        Positions of the inputs that "input" in `keeps` refers to; None means all.
    inputs_at_least, inputs_at_most : int or None
        How many tensors `from` may name; None means any number.
    shape_only : frozenset of int
        Positions of inputs of which the layer reads only the shape. They are not kept for this layer and get no
        gradient from it.
    without_gradient : frozenset of int
        Positions of inputs that are read but get no gradient, because the output depends on them only in steps.
    alias : bool
        The output shares the input's memory and only has another shape (flatten).
    in_place : bool
        The forward pass may overwrite its input, and the backward pass the gradient of its output.
    random : bool
        Draws random numbers while training, and does nothing at inference.
    by_channel : bool
        Each channel of the output depends only on the same channel of the inputs, parameters and buffers, so that
        threads may share the channels.
    clips : (float, float) or None
        The output is the input clipped to this interval; the derivative is 1 inside it, and 0 at its ends and outside.
    """

    kind: ClassVar[str]
    category: ClassVar[Category]
    summary: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    gain: ClassVar[float | None] = None
    mixes_positions: ClassVar[bool] = True
    keeps: ClassVar[frozenset[Keep]] = frozenset()
    keeps_of_inputs: ClassVar[frozenset[int] | None] = None
    inputs_at_least: ClassVar[int] = 1
    inputs_at_most: ClassVar[int | None] = 1
    shape_only: ClassVar[frozenset[int]] = frozenset()
    without_gradient: ClassVar[frozenset[int]] = frozenset()
    alias: ClassVar[bool] = False
    in_place: ClassVar[bool] = False
    random: ClassVar[bool] = False
    by_channel: ClassVar[bool] = False
    clips: ClassVar[Interval | None] = None

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        """Yield the requirements on the input shapes; each may assume that the earlier ones hold."""
        return ()

    def limits(self) -> Iterable[Requirement]:
        """Yield the requirement that a setting given as a formula respects its minimum, for every such setting."""
        for item in fields(self):
            least = int(item.metadata.get("least", 1))
            for size in _sizes(getattr(self, item.name)):
                if sy.constant(size) is None and not size.is_Symbol:
                    yield Requirement(
                        "N107", AtLeast(size, least), partial(_too_small, item.name, size, least), setting=item.name
                    )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Return the shape of the output for inputs that meet every requirement."""
        raise NotImplementedError

    def params(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Return the trainable arrays."""
        return ()

    def buffers(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Return the arrays that are state but not trained, such as running statistics."""
        return ()

    @classmethod
    def owns_arrays(cls) -> bool:
        """Return whether layers of this kind may have weights or running statistics."""
        return cls.params is not Layer.params or cls.buffers is not Layer.buffers

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> Size:
        """Return the multiply-accumulates of one forward pass over the whole batch, without the bias."""
        return 0

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        """Return how the layer's output sees its input along each axis of the map; None if positions do not mix.

        Raises
        ------
        NotImplementedError
            The kind mixes positions and does not implement this method.
        """
        if self.mixes_positions:
            raise NotImplementedError(f"{type(self).__name__} needs `mixes_positions = False` or `fields_of_view`")
        return None

    def weight_gain(self) -> float | None:
        """Return the gain of the layer with its settings (default: :attr:`gain`).

        Examples
        --------
        >>> from planner.layers import LeakyRelu, MaxPool
        >>> round(LeakyRelu(slope=0.5).weight_gain(), 4), MaxPool(size=2).weight_gain()
        (1.2649, None)
        """
        return self.gain

    def dropped(self, inputs: tuple[Shape, ...]) -> tuple[Size, ...] | None:
        """Return how many positions at the end of each axis are outside every window; None if that cannot happen.

        0 or less means none.
        """
        return None

    def padded_windows(self, inputs: tuple[Shape, ...]) -> tuple[tuple[Size, Size, Size], ...] | None:
        """Return extent, padding before and padding after for each axis; None if a window of only padding is valid."""
        return None

    def companion(self, partner: Layer) -> Layer | None:
        """Return the layer to compute next to `partner`, the one named by a setting; None if there is none."""
        return None

    @classmethod
    def reads_companion(cls) -> bool:
        """Return whether layers of this kind also read their :meth:`companion`, and the input of their partner."""
        return cls.companion is not Layer.companion

    def saved(self, inputs: tuple[Shape, ...], output: Shape) -> Mapping[str, Shape]:
        """Return extra arrays that the forward pass saves for the backward pass, by name (bound shapes only).

        Shapes are in memory order: the batch last.
        """
        return {}

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return how many elements of workspace the forward pass needs (bound shapes only)."""
        return 0

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return how many elements of workspace the backward pass needs (bound shapes only)."""
        return 0

    def bind(self, values: Mapping[str, int]) -> Self:
        """Return the same layer with every size in its settings as a plain int.

        Raises
        ------
        KeyError
            A name has no value.
        """
        bound = object.__new__(type(self))
        for item in fields(self):
            object.__setattr__(bound, item.name, _bound(getattr(self, item.name), values))
        return bound

    @property
    def free(self) -> frozenset[str]:
        """Names of free sizes in the settings."""
        return frozenset().union(*(_free(getattr(self, item.name)) for item in fields(self)))

    @property
    def counts(self) -> frozenset[str]:
        """Names in the settings that are never 0."""
        sizes = (size for item in fields(self) for size in _sizes(getattr(self, item.name)))
        return frozenset().union(*map(sy.counts, sizes))

    @property
    def zeros(self) -> frozenset[str]:
        """Names in the settings that may be 0: those used only for padding."""
        sizes = (size for item in fields(self) for size in _sizes(getattr(self, item.name)))
        return frozenset().union(*map(sy.zeros, sizes))

    def counting(self, names: Collection[str]) -> Self:
        """Return the layer with the given names, which may be 0, as names of sizes of at least 1."""
        changed = object.__new__(type(self))
        for item in fields(self):
            object.__setattr__(changed, item.name, _counting(getattr(self, item.name), names))
        return changed

    def after(self, partner: Layer) -> Layer:
        """Return this layer with the settings it takes from `partner`."""
        return self

    def settings(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults, as written in a spec.

        A tuple has one value for each axis; a setting that is always a list in a spec is a list.
        """
        found = {}
        for item in fields(self):
            value = getattr(self, item.name)
            listed = "lengths" in item.metadata and isinstance(value, tuple)
            value = list(value) if listed else _shortest(value)
            if value != item.default:
                found[item.name] = value
        return found


def needs_rows(shape: Shape, fix: str) -> Requirement:
    """Return the requirement (S204) that a tensor is (N, features)."""
    return Requirement(
        "S204",
        Equal(len(shape), 2),
        lambda: f"takes a tensor of 2 axes (N, features), but its input is {sy.shape_text(shape)}; {fix}",
        lambda: f"input has {len(shape)} axes",
    )


def _shortest(value: Any) -> Any:
    """Return sizes per axis, or both sides of each axis, in the shortest form with the same meaning."""
    if not isinstance(value, tuple):
        return value
    if len(value) in (4, 6) and value[::2] == value[1::2]:
        value = value[::2]
    return value[0] if all(item == value[0] for item in value) else value


def _bound(value: Any, values: Mapping[str, int]) -> Any:
    if isinstance(value, tuple):
        return tuple(_bound(item, values) for item in value)
    if isinstance(value, Layer):
        return value.bind(values)
    return sy.evaluate(value, values) if isinstance(value, sy.Size) else value


def _sizes(value: Any) -> Iterable[Size]:
    if isinstance(value, tuple):
        for item in value:
            yield from _sizes(item)
    elif isinstance(value, sy.Size):
        yield value


def _too_small(name: str, size: Size, least: int) -> str:
    return f"`{name}` is {sy.text(size)}, which must be at least {least}"


def _counting(value: Any, names: Collection[str]) -> Any:
    if isinstance(value, tuple):
        return tuple(_counting(item, names) for item in value)
    if isinstance(value, Layer):
        return value.counting(names)
    return sy.counting(value, names) if isinstance(value, sy.Size) else value


def _free(value: Any) -> frozenset[str]:
    if isinstance(value, tuple):
        return frozenset().union(*map(_free, value))
    if isinstance(value, Layer):
        return value.free
    return sy.free(value) if isinstance(value, sy.Size) else frozenset()
