"""The user's images and labels, checked against a bound plan and cut into batches.

Everything that can be wrong with the data is found here, before the first step.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.findings import Finding, nearest
from planner.plan.plan import BoundPlan
from planner.training.settings import TrainSettings
from runtime.images import DataError, Images, misfit
from runtime.training.losses import TargetError, checked

Array = NDArray[Any]
Inputs = Images | ArrayLike | Mapping[str, Images | ArrayLike]
Targets = ArrayLike | Mapping[str, ArrayLike]

HASHED_ROWS = 1024
"""Images hashed at once, so that a fingerprint needs little memory."""


class Batches:
    """Images by input name and targets by output name, as many of each.

    Parameters
    ----------
    bound : BoundPlan
    images : array (N, C, H, W), Images, or a mapping by input name
        Images of one channel may come as (N, H, W).
    targets : array, or a mapping by output name, optional
        Needed for the loss.
    settings : TrainSettings, optional
        Say which loss each output's targets are for; default: from the plan.

    Raises
    ------
    DataError
        R502: names, shapes or counts of the images do not fit.
    TargetError
        R503: names, shapes, counts or values of the targets do not fit.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("dense", name="y", units=3)])
    >>> data = Batches(net.check().bind(N=2), np.zeros((5, 4)), [0, 1, 2, 0, 1])
    >>> [rows.tolist() for rows in data.chunks()]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self, bound: BoundPlan, images: Inputs, targets: Targets | None = None, settings: TrainSettings | None = None
    ) -> None:
        self._batch, self._dtype = bound.batch, bound.dtype
        given = _by_name(images, bound.input_shapes, "input")
        missing = [name for name in bound.input_shapes if name not in given]
        if missing:
            raise DataError.of("R502", f"no images for input {', '.join(f'`{name}`' for name in missing)}")
        self.images = {name: _images(given[name], shape[1:], name) for name, shape in bound.input_shapes.items()}
        counts = {name: len(images) for name, images in self.images.items()}
        if len(set(counts.values())) > 1:
            raise DataError.of("R502", f"the inputs differ in how many images they have: {counts}")
        self._count = next(iter(counts.values()))
        self.labelled: dict[str, Array] = {}
        if targets is not None:
            given, chosen = _by_name(targets, bound.output_shapes, "output"), settings or bound.train
            for name, shape in bound.output_shapes.items():  # in the network's order, whatever that of the dict
                if name in given:
                    self.labelled[name] = self._targets(given[name], shape[1:], chosen.loss_of(name), name)
        if targets is not None and not self.labelled:
            raise TargetError.of("R503", "there are no labels for any output")

    def __len__(self) -> int:
        return self._count

    def needs_images(self) -> None:
        """Raise DataError (R510) if there is no image."""
        if not self._count:
            raise DataError.of("R510", "there are no images")

    def parted(self, share: float) -> tuple[Batches, Batches]:
        """Return all but the last share of the images, and that share, in their order.

        Raises
        ------
        DataError
            R510: one of the two would be empty.

        Examples
        --------
        >>> from planner import Network, layer
        >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("dense", name="y", units=3)])
        >>> learn, judge = Batches(net.check().bind(N=2), np.zeros((5, 4)), [0, 1, 2, 0, 1]).parted(0.2)
        >>> len(learn), judge.labelled["y"].tolist()
        (4, [1])
        """
        # 1 - 0.9 is a little less than a tenth, and a tenth of ten images is one.
        first = int(round(self._count * (1.0 - share), 6))
        if not 0 < first < self._count:
            left = "to learn from" if not first else "to judge by"
            message = f"a share of {share:g} of {self._count} images leaves none {left}"
            raise DataError.of("R510", message, fixes=("give another share, or validation=(images, labels)",))
        return self._rows(slice(None, first)), self._rows(slice(first, None))

    def fingerprint(self) -> str:
        """Return a short text that other images or labels would very likely not give; needs one pass over them."""
        found = 0
        for name, images in self.images.items():
            how = (name, images.shape[1:], images.scale, images.shift, images.enlarge, images.pad)
            found = self._hashed(images.pixels, zlib.crc32(repr(how).encode(), found))
        for name, targets in self.labelled.items():
            found = self._hashed(targets, zlib.crc32(name.encode(), found))
        return f"{found:08x}"

    def chunks(self) -> Iterator[Array]:
        """Yield row numbers in order, as many as the plan takes at once."""
        for start in range(0, self._count, self._batch):
            yield np.arange(start, min(start + self._batch, self._count))

    def first_not_finite(self, rows: Array) -> int | None:
        """Return the number of an image among `rows` that holds NaN or infinity."""
        for images in self.images.values():
            for row in rows:
                pixels = images.pixels[row]
                if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
                    return int(row)
        return None

    def _rows(self, rows: slice) -> Batches:
        part = copy.copy(self)
        part.images = {name: images[rows] for name, images in self.images.items()}
        part.labelled = {name: targets[rows] for name, targets in self.labelled.items()}
        part._count = len(range(self._count)[rows])
        return part

    def _hashed(self, array: Array, start: int) -> int:
        for first in range(0, len(array), HASHED_ROWS):
            rows = array[first : first + HASHED_ROWS]
            # Numbers of any width that train alike are alike; bytes are left as they are.
            plain = rows if rows.dtype.kind in "ui" and rows.itemsize in (1, 8) else rows.astype(self._dtype)
            start = zlib.crc32(np.ascontiguousarray(plain).data, start)
        return start

    def _targets(self, values: ArrayLike, shape: tuple[int, ...], loss: str, name: str) -> Array:
        if values is None:
            raise TargetError.of("R503", f"the labels for `{name}` are None", fixes=("give one for each image",))
        array = _array(values)
        if array is None:
            message = f"the labels for `{name}` are rows of different lengths"
            raise TargetError.of("R503", message, fixes=("give one whole number for each image",))
        targets = checked(loss, array, shape, name)
        if len(targets) != self._count:
            message = f"there are {self._count} images, but {len(targets)} labels for `{name}`"
            raise TargetError.of("R503", message, fixes=("give one label for each image",))
        return targets


def steps(count: int, batch: int, least: int = 1) -> list[int]:
    """Return the end of each step of an epoch in the order of its images.

    Steps are of `batch` images, the last one of what is left. Where that is fewer than `least` (2), the step before it
    gives one image away; where it has none to give, what is left over is left out.

    Examples
    --------
    >>> steps(7, 3), steps(7, 3, least=2), steps(5, 2, least=2)
    ([3, 6, 7], [3, 5, 7], [2, 4])
    """
    ends = [*range(batch, count, batch), count]
    if len(ends) > 1 and count - ends[-2] < least:
        if batch > least:
            ends[-2] -= 1
        else:
            ends.pop()
    return ends


def _array(values: ArrayLike) -> Array | None:
    try:
        return np.asarray(values)
    except ValueError:  # rows of different lengths
        return None


def _by_name(given: Any, known: Mapping[str, object], what: str) -> Mapping[str, Any]:
    if isinstance(given, Mapping):
        for name in given:
            if name not in known:
                close = nearest(str(name), known)
                listed = ", ".join(f"`{item}`" for item in known)
                fixes = (f"did you mean `{close}`?",) if close else (f"{what}s are {listed}",)
                error = DataError if what == "input" else TargetError
                code = "R502" if what == "input" else "R503"
                raise error([Finding(code, f"the network has no {what} `{name}`", fixes=fixes)])
        return given
    if len(known) != 1:
        code, error = ("R502", DataError) if what == "input" else ("R503", TargetError)
        example = ", ".join(f'"{name}": ...' for name in known)
        raise error.of(code, f"the network has {len(known)} {what}s", fixes=(f"give a dict: {{{example}}}",))
    return {next(iter(known)): given}


def _images(given: Any, shape: tuple[int, ...], name: str) -> Images:
    if isinstance(given, Images):
        images = given
    else:
        array = _array(given)
        if array is None:
            raise DataError.of(
                "R502", f"input `{name}` is given images of different sizes",
                fixes=("resize or pad them to one size, and stack them: numpy.stack(images)",),
            )  # fmt: skip
        if array.dtype.kind not in "uifb":
            raise DataError.of("R502", f"input `{name}` takes numbers, got an array of {array.dtype}")
        if array.ndim == 3 and len(shape) == 3 and shape[0] == 1:
            array = array[:, None]
        if array.ndim == 0:
            raise DataError([misfit((), tuple(shape), name)])
        images = Images(array)
    if images.shape[1:] != tuple(shape):
        raise DataError([misfit(images.shape[1:], tuple(shape), name)])
    return images
