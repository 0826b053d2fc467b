"""Max unpooling: the argmax of each window of a max pooling, and values scattered to these positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, ClassVar

import planner.symbols as sy
from planner.conditions import AtLeast, Equal, Requirement
from planner.findings import SettingError
from planner.layers.axes import needs_map, same_axes, word
from planner.layers.base import AxisField, Category, Keep, Layer
from planner.layers.pool import MaxPool
from planner.layers.settings import setting
from planner.layers.spatial import PerAxis, lifted, names
from planner.layers.tiling.workspace import Tiles, mask_elements
from planner.symbols import Shape, Size


@dataclass(frozen=True)
class MaxIndices(MaxPool):
    """Argmax of each window: the tap with its largest value, counted from 0 in row-major order; the first of equals.

    An :class:`Unpool` has one next to the max pooling it names, so that the positions are kept and not the map. The
    values are whole numbers of the network's type and have no gradient.

    References
    ----------
    The indices of torch.nn.MaxPool2d, which count in the whole map instead.

    Examples
    --------
    >>> MaxIndices(size=2).output_shape(((1, 6, 28, 28),))
    (1, 6, 14, 14)
    """

    kind: ClassVar[str] = "maxindices"
    summary: ClassVar[str] = "position of the largest value in each window"
    aliases: ClassVar[tuple[str, ...]] = ()
    keeps: ClassVar[frozenset[Keep]] = frozenset()
    without_gradient: ClassVar[frozenset[int]] = frozenset({0})

    @classmethod
    def of(cls, pool: MaxPool) -> MaxIndices:
        """Return the layer that computes the positions of a max pooling's maxima."""
        return cls(**{item.name: getattr(pool, item.name) for item in fields(pool)})

    def after(self, partner: Layer) -> Layer:
        return self.of(partner) if isinstance(partner, MaxPool) else self

    def dropped(self, inputs: tuple[Shape, ...]) -> tuple[Size, ...] | None:
        """Return None: dropped positions are reported for the pooling."""
        return None

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of a tile of the output, which holds the largest values so far, and of its byte mask."""
        tile = unpool_tiles(output).elements
        return tile + mask_elements(tile)

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return 0: positions have no gradient."""
        return 0


@dataclass(frozen=True)
class Unpool(Layer):
    """Each value at the position of the maximum of its window, and 0 everywhere else.

    The output has the height and width of the map that the max pooling read. The windows of the pooling must not
    overlap: one position could be the maximum of two windows, but can hold only one value.

    The inputs are the values, the positions (:class:`MaxIndices`), and the map that the pooling read, for its size. A
    spec names only the first; the others follow from the named pooling.

    Raises
    ------
    SettingError
        `pool` is not a max pooling.

    References
    ----------
    torch.nn.MaxUnpool2d documentation; Badrinarayanan et al., *SegNet*, arXiv:1511.00561, section 3.

    Examples
    --------
    >>> pooled = (1, 64, 180, 240)
    >>> Unpool(MaxPool(size=2)).output_shape((pooled, pooled, (1, 64, 360, 481)))
    (1, 64, 360, 481)
    """

    pool: Any = setting("the max pooling that defines the positions of the values", names=MaxPool)

    kind: ClassVar[str] = "unpool"
    category: ClassVar[Category] = "pool"
    summary: ClassVar[str] = "values scattered to the positions of a max pooling's maxima"
    aliases: ClassVar[tuple[str, ...]] = ()
    keeps: ClassVar[frozenset[Keep]] = frozenset({"input"})
    keeps_of_inputs: ClassVar[frozenset[int] | None] = frozenset({1})
    shape_only: ClassVar[frozenset[int]] = frozenset({2})
    without_gradient: ClassVar[frozenset[int]] = frozenset({1})

    def __post_init__(self) -> None:
        if not isinstance(self.pool, MaxPool):
            raise SettingError("pool", f"`pool` must be a max pooling, got {self.pool!r:.60}")

    @property
    def size(self) -> PerAxis:
        """The pooling's window."""
        size: PerAxis = self.pool.window_size()
        return size

    def companion(self, partner: Layer) -> Layer | None:
        """Return the layer that computes the positions of a max pooling's maxima."""
        return MaxIndices.of(partner) if isinstance(partner, MaxPool) else None

    def after(self, partner: Layer) -> Layer:
        return Unpool(partner) if isinstance(partner, MaxPool) else self

    def settings(self) -> dict[str, Any]:
        """Return the settings of the pooling; there are no others."""
        settings: dict[str, Any] = self.pool.settings()
        return settings

    def requires(self, inputs: tuple[Shape, ...]) -> Iterable[Requirement]:
        values, indices, _ = inputs
        yield needs_map(values, fix="name a map")
        yield same_axes((indices, values), 1)
        for name, window in zip(names(indices), self.pool.windows((1,) * len(indices)), strict=True):
            room = sy.difference(window.stride, window.extent)
            overlap = partial(_overlap, name, window.stride, window.extent)
            yield Requirement("S217", AtLeast(room, 0), overlap, lambda: "overlap", "pool")
        for axis, (given, wanted) in enumerate(zip(values, indices, strict=True)):
            differ = partial(_difference, values, indices, axis)
            yield Requirement("S202", Equal(given, wanted), differ, partial(differ, short=True), "from")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:2], *inputs[2][2:])

    def workspace(self, inputs: tuple[Shape, ...], output: Shape, training: bool) -> int:
        """Return the elements of the byte mask of one tile of the values."""
        return mask_elements(unpool_tiles(inputs[0]).elements)

    def backward_workspace(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Return the same number of elements: the tiles are the same."""
        return self.workspace(inputs, output, training=True)

    def fields_of_view(self, inputs: tuple[Shape, ...]) -> tuple[AxisField, ...] | None:
        return tuple(AxisField(1, repeat=window.stride) for window in self.pool.windows(inputs[2]))


def unpool_tiles(shape: Shape) -> Tiles:
    """Return the tiles of a pass over a pooled map.

    Examples
    --------
    >>> unpool_tiles((32, 64, 28, 28)).step
    (2, 1, 28)
    """
    batch, channels, *sizes = map(int, shape)
    slabs, rows, columns = lifted(sizes, 1)
    return Tiles(channels, slabs, rows, columns * batch)


def _overlap(name: str, stride: Size, extent: Size) -> str:
    reach = f"extent {sy.text(extent)}, stride {sy.text(stride)}"
    return f"the windows of its max pooling overlap along the {name}: {reach}"


def _difference(values: Shape, indices: Shape, axis: int, *, short: bool = False) -> str:
    what = f"{word(len(values), axis)} {sy.text(values[axis])} and {sy.text(indices[axis])}"
    if short:
        return what
    return f"its input is {sy.shape_text(values)} but its max pooling gave {sy.shape_text(indices)}: {what} differ"
