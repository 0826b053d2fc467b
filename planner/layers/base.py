"""What every layer answers: the one interface between a kind of layer and the rest of the planner.

A layer is a frozen dataclass whose fields are its settings. It knows shapes, requirements, parameters
and costs, and nothing about names, wiring or arrays; its other half is the kernel of the same name in
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
"""A tensor that a layer's backward pass reads again, and which therefore stays in memory until then."""

Interval = tuple[float, float]
"""Lower and upper end; either may be infinite."""

RELU_GAIN = sqrt(2.0)
"""Gain of ReLU and of its smooth relatives (He et al., arXiv:1502.01852, equation 10)."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One array a layer owns.

    Attributes
    ----------
    name : str
        ``weight``, ``bias``, ``running_mean``, ...
    shape : Shape
        As users see it; a convolution's weight is (filters, channels / groups, kh, kw).
    fan_in : Size
        Number of inputs that one output number sums over; 0 for arrays that are not drawn at random.
    initial : float
        Starting value where `fan_in` is 0.
    """

    name: str
    shape: Shape
    fan_in: Size = 0
    initial: float = 0.0

    @property
    def count(self) -> Size:
        """How many numbers the array holds."""
        return sy.product(self.shape)


def by_name(arrays: Iterable[Parameter]) -> Mapping[str, Parameter]:
    """Return the arrays of a layer by their names.

    Examples
    --------
    >>> by_name([Parameter("weight", (6, 3, 5, 5)), Parameter("bias", (6,))])["bias"].count
    6
    """
    return FrozenMapping({array.name: array for array in arrays})


@dataclass(frozen=True, slots=True)
class AxisField:
    """How one axis of a map sees its input: window extent, stride and padding before, in positions.

    `extent` None stands for the whole axis. `stride` 0 means that all positions see the same; `repeat` r, that
    r neighbours of the output come to one step along the input. `relative` windows lie where the size of the whole
    axis puts them; an `extent` of None is then one that is not known before that size is.
    """

    extent: Size | None
    stride: Size = 1
    before: Size = 0
    repeat: Size = 1
    relative: bool = False


@dataclass(frozen=True)
class Layer:
    """Base of all layers; a subclass must define `kind`, `category` and `output_shape`.

    Class facts
    -----------
    kind : str
        The key in a spec.
    category : Category
    summary : str
        One line for the table of kinds in ``docs/spec.md`` and the JSON Schema.
    aliases : tuple of str
        Names of the kind in other libraries, in lower case and without separators. Every kind states them; a kind
        without any states ``()``.
    gain : float or None
        Factor for the starting weights of the layer whose output this one reads, as
        ``torch.nn.init.calculate_gain`` has it. None passes the question on to the layer that reads this one. Every
        activation states its own.
    mixes_positions : bool
        An output position depends on other positions of the map than its own. A kind that mixes positions implements
        :meth:`fields_of_view`; every other kind states False. Statistics of a normalisation do not count.
    keeps : frozenset of {"input", "output"}
        What the backward pass reads again.
    keeps_of_inputs : frozenset of int or None
        Positions of the inputs that are meant by "input"; None is "all".
    inputs_at_least, inputs_at_most : int or None
        How many tensors `from` may name; None is "any number".
    shape_only : frozenset of int
        Positions of inputs of which only the shape is read, not the numbers: they are not kept for it and get no
        gradient from it.
    without_gradient : frozenset of int
        Positions of inputs whose numbers are read, but that get no gradient: the output moves with them in steps only.
    reads_companion : bool
        Also reads the :meth:`companion` of the layer that a setting names, and what that layer reads.
    alias : bool
        The output is the input's memory under another shape (flatten).
    in_place : bool
        Forward may write over its input, and backward over the gradient of its output.
    random : bool
        Draws random numbers while training, and does nothing at inference.
    by_channel : bool
        A channel of the output is made from the same channel of the inputs, parameters and buffers alone, so that
        threads may share the channels.
    clips : (float, float) or None
        The output is the input confined to this interval; the derivative is 1 between its ends, 0 at and beyond them.
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
    reads_companion: ClassVar[bool] = False
    alias: ClassVar[bool] = False
    in_place: ClassVar[bool] = False
    random: ClassVar[bool] = False
    by_channel: ClassVar[bool] = False
    clips: ClassVar[Interval | None] = None

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        """Yield what must hold of the input shapes; later ones may assume that earlier ones hold."""
        return ()

    def limits(self) -> Iterable[Requirement]:
        """Yield that every setting given as a formula keeps the minimum it would have as a number."""
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
        """Tell whether layers of this kind may have weights or running statistics."""
        return cls.params is not Layer.params or cls.buffers is not Layer.buffers

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> Size:
        """Return the multiply-accumulates of one forward pass over the whole batch, bias not counted."""
        return 0

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        """Return how the layer's output sees its input along each axis of the map; None for position by position.

        Raises
        ------
        NotImplementedError
            The kind mixes positions and does not implement this method.
        """
        if self.mixes_positions:
            raise NotImplementedError(f"{type(self).__name__} needs `mixes_positions = False` or `fields_of_view`")
        return None

    def weight_gain(self) -> float | None:
        """Return the gain of the layer with its settings; :attr:`gain` where no setting changes it.

        Examples
        --------
        >>> from planner.layers import LeakyRelu, MaxPool
        >>> round(LeakyRelu(slope=0.5).weight_gain(), 4), MaxPool(size=2).weight_gain()
        (1.2649, None)
        """
        return self.gain

    def dropped(self, inputs: tuple[Shape, ...]) -> tuple[Size, ...] | None:
        """Return how many positions at the far end of each axis no window sees; None where none can be.

        0 or less stands for none.
        """
        return None

    def padded_windows(self, inputs: tuple[Shape, ...]) -> tuple[tuple[Size, Size, Size], ...] | None:
        """Return extent and padding before and after along each axis, if a window of padding alone is a mistake."""
        return None

    def companion(self, partner: Layer) -> Layer | None:
        """Return the layer to compute next to the one that a setting names; None where `partner` has none."""
        return None

    def saved(self, inputs: tuple[Shape, ...], output: Shape) -> Mapping[str, Shape]:
        """Return extra arrays the forward pass leaves for the backward pass, by name (bound shapes only).

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
        """Return the same layer with every size in its settings a plain int.

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
        """Names of sizes among the settings."""
        return frozenset().union(*(_free(getattr(self, item.name)) for item in fields(self)))

    @property
    def counts(self) -> frozenset[str]:
        """Names among the settings that are never 0."""
        sizes = (size for item in fields(self) for size in _sizes(getattr(self, item.name)))
        return frozenset().union(*map(sy.counts, sizes))

    @property
    def zeros(self) -> frozenset[str]:
        """Names among the settings that may be 0: those that stand for padding alone."""
        sizes = (size for item in fields(self) for size in _sizes(getattr(self, item.name)))
        return frozenset().union(*map(sy.zeros, sizes))

    def counting(self, names: Collection[str]) -> Self:
        """Return the layer with some names that may be 0 made names of sizes from 1 upwards."""
        changed = object.__new__(type(self))
        for item in fields(self):
            object.__setattr__(changed, item.name, _counting(getattr(self, item.name), names))
        return changed

    def after(self, partner: Layer) -> Layer:
        """Return this layer as it is where the layer it takes its settings from is `partner`."""
        return self

    def settings(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults, as a spec would give them.

        A tuple has one value for each axis; what is a list in a spec whatever its length is a list.
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
    """Return sizes for each axis, or both sides of each, as the shortest text that means the same."""
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
