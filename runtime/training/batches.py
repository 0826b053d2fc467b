"""The user's images and labels, checked against a bound plan and split into batches.

All errors in the data are found here, before the first step.
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
"""Number of images hashed at once, so that a fingerprint needs little memory."""


class Batches:
    """Images by input name and targets by output name, with the same number of each.

    Parameters
    ----------
    bound : BoundPlan
    images : array (N, C, H, W), Images, or a mapping by input name
        Images with one channel may be (N, H, W).
    targets : array, or a mapping by output name, optional
        Needed to compute a loss.
    settings : TrainSettings, optional
        They define the loss of each output; default: from the plan.

    Raises
    ------
    DataError
        R502: names, shapes or numbers of images do not match.
    TargetError
        R503: names, shapes, numbers or values of targets do not match.

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
            raise DataError.of("R502", f"no images were given for input {', '.join(f'`{name}`' for name in missing)}")
        self.images = {name: _images(given[name], shape[1:], name) for name, shape in bound.input_shapes.items()}
        counts = {name: len(images) for name, images in self.images.items()}
        if len(set(counts.values())) > 1:
            raise DataError.of("R502", f"the inputs have different numbers of images: {counts}")
        self._count = next(iter(counts.values()))
        self.labelled: dict[str, Array] = {}
        if targets is not None:
            given, settings = _by_name(targets, bound.output_shapes, "output"), settings or bound.train
            for name, shape in bound.output_shapes.items():  # in the order of the network, not of the dict
                if name in given:
                    self.labelled[name] = self._targets(given[name], shape[1:], settings.loss_of(name), name)
        if targets is not None and not self.labelled:
            raise TargetError.of("R503", "no labels were given for any output")

    def __len__(self) -> int:
        return self._count

    def refuse_empty(self) -> None:
        """Raise DataError (R510) if there are no images."""
        if not self._count:
            raise DataError.of("R510", "there are no images")

    def parted(self, share: float) -> tuple[Batches, Batches]:
        """Split off the last share of the images; return the others and that share, in order.

        Raises
        ------
        DataError
            R510: one of the two would be empty.

        Examples
        --------
        >>> from planner import Network, layer
        >>> net = Network(name="t", input={"x": ("N", 4)}, layers=[layer("dense", name="y", units=3)])
        >>> first, last = Batches(net.check().bind(N=2), np.zeros((5, 4)), [0, 1, 2, 0, 1]).parted(0.2)
        >>> len(first), last.labelled["y"].tolist()
        (4, [1])
        """
        # Rounded, because 1 - 0.9 is slightly less than 0.1, and a tenth of ten images is one.
        first = int(round(self._count * (1.0 - share), 6))
        if not 0 < first < self._count:
            purpose = "to train on" if not first else "to validate on"
            message = f"a share of {share:g} of {self._count} images leaves none {purpose}"
            raise DataError.of("R510", message, fixes=("use another share, or validation=(images, labels)",))
        return self._rows(slice(None, first)), self._rows(slice(first, None))

    def fingerprint(self) -> str:
        """Return a checksum of images and labels; takes one pass over them."""
        found = 0
        for name, images in self.images.items():
            how = (name, images.shape[1:], images.scale, images.shift, images.enlarge, images.pad)
            found = self._hashed(images.pixels, zlib.crc32(repr(how).encode(), found))
        for name, targets in self.labelled.items():
            found = self._hashed(targets, zlib.crc32(name.encode(), found))
        return f"{found:08x}"

    def chunks(self) -> Iterator[Array]:
        """Yield row numbers in order, in chunks of the plan's batch."""
        for start in range(0, self._count, self._batch):
            yield np.arange(start, min(start + self._batch, self._count))

    def first_not_finite(self, rows: Array) -> int | None:
        """Return the number of the first image in `rows` that contains NaN or infinity; None if there is none."""
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
            # Numbers that train alike have the same hash, whatever their width; bytes are hashed unchanged.
            plain = rows if rows.dtype.kind in "ui" and rows.itemsize in (1, 8) else rows.astype(self._dtype)
            start = zlib.crc32(np.ascontiguousarray(plain).data, start)
        return start

    def _targets(self, values: ArrayLike, shape: tuple[int, ...], loss: str, name: str) -> Array:
        if values is None:
            raise TargetError.of("R503", f"the labels for `{name}` are None", fixes=("give one for each image",))
        array = _array(values)
        if array is None:
            message = f"the labels for `{name}` are rows of different lengths"
            raise TargetError.of("R503", message, fixes=("give one integer for each image",))
        targets = checked(loss, array, shape, name)
        if len(targets) != self._count:
            message = f"there are {self._count} images, but {len(targets)} labels for `{name}`"
            raise TargetError.of("R503", message, fixes=("give one label for each image",))
        return targets


def steps(count: int, batch: int, least: int = 1) -> list[int]:
    """Return the end of each step of an epoch, as positions in the order of its images.

    Each step has `batch` images, and the last one has the remaining images. If those are fewer than `least` (2), the
    previous step gives one image to the last one. If it has none to give, the remaining images are skipped.

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
                fixes = (f"did you mean `{close}`?",) if close else (f"the {what}s are {listed}",)
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
                "R502", f"the images for input `{name}` have different sizes",
                fixes=("resize or pad them to one size, then stack them: numpy.stack(images)",),
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
