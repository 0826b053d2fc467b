"""Augmentation as data: how training images are moved at random, anew in every epoch.

These are the values of ``augment:`` in a spec, and their requirements on a network. ``runtime.training.augment`` moves
the images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from planner.findings import Finding, SettingError
from planner.training.optimizers import refuse_other, refuse_unknown

FLIPS: Mapping[str, str] = {
    "none": "no image",
    "horizontal": "half of the images, left to right",
    "vertical": "half of the images, top to bottom",
    "both": "horizontal and vertical, independently",
}
"""Every value of ``flip`` in a spec, with a one-line description."""

LARGEST_SHIFT = 64


@dataclass(frozen=True)
class Augment:
    """How training images are moved; images for evaluation are never moved.

    Attributes
    ----------
    flip : str
        A key of :data:`FLIPS`; an image is mirrored about its centre.
    shift : int
        Each image moves by a whole number of pixels from ``-shift`` to ``shift``, all equally likely, along its height
        and along its width; pixels that leave the frame are lost, and background (pixel 0) fills the gap.

    Examples
    --------
    >>> Augment.read({"flip": "horizontal", "shift": 2})
    Augment(flip='horizontal', shift=2)
    >>> bool(Augment()), bool(Augment(shift=1))
    (False, True)
    """

    flip: str = field(default="none", metadata={"description": "which images are mirrored"})
    shift: int = field(default=0, metadata={"description": "pixels an image may move up, down, left or right"})

    def __post_init__(self) -> None:
        refuse_other("augment.flip", self.flip, FLIPS)
        shift: object = self.shift
        if isinstance(shift, bool) or not isinstance(shift, int) or not 0 <= shift <= LARGEST_SHIFT:
            raise SettingError(
                "augment.shift", f"`shift` must be a whole number from 0 to {LARGEST_SHIFT}, got {shift!r}", "shift: 2"
            )

    def __bool__(self) -> bool:
        return self != Augment()

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.write().items()) or "none"

    @classmethod
    def read(cls, values: object) -> Self:
        """Return the augmentation of an ``augment:`` mapping of plain values; None means no augmentation.

        Raises
        ------
        SettingError
            The value is not a mapping, or has an unknown key (N101) or a value out of range (N107).
        """
        if values is None:
            return cls()
        if not isinstance(values, Mapping):
            raise SettingError(
                "augment", f"`augment` must be a mapping, got {values!r}", "{flip: horizontal, shift: 2}"
            )
        for key in values:
            refuse_unknown(f"augment.{key}", str(key), [item.name for item in fields(cls)], "a setting of `augment`")
        return cls(**values)

    def write(self) -> dict[str, Any]:
        """Return the values that differ from their defaults, as written in a spec."""
        pairs = {item.name: (getattr(self, item.name), item.default) for item in fields(self)}
        return {name: value for name, (value, default) in pairs.items() if value != default}


def augment_finding(
    augment: Augment, inputs: Mapping[str, Sequence[int | None]], labelled: Mapping[str, int]
) -> Finding | None:
    """Return a finding (R515) if images cannot be moved, or only with wrong labels; None otherwise.

    Parameters
    ----------
    augment : Augment
    inputs : Mapping
        Shape of one image for each input: (C, H, W) or (features,), with None for a free size.
    labelled : Mapping
        Number of axes of one image's labels, by the name of each output with labels: 0 for a class.

    Examples
    --------
    >>> augment_finding(Augment(shift=2), {"image": (1, 28, 28)}, {"digit": 0}) is None
    True
    >>> print(augment_finding(Augment(shift=28), {"image": (1, 28, None)}, {}).message)
    `augment` would move images by up to 28 pixels, completely out of the 28 rows of `image`
    """
    if not augment:
        return None
    if len(inputs) > 1:
        listed = ", ".join(f"`{name}`" for name in inputs)
        return _unmovable(f"`augment` moves the images of one input, but the network has {len(inputs)}: {listed}")
    for name, shape in inputs.items():
        if len(shape) != 3:
            axes = " x ".join("?" if size is None else str(size) for size in shape)
            return _unmovable(f"`augment` moves images of channels, height and width, but `{name}` reads {axes}")
        for size, lines in zip(shape[1:], ("rows", "columns"), strict=True):
            if size is not None and augment.shift >= size:
                gone = f"completely out of the {size} {lines} of `{name}`"
                return _unmovable(f"`augment` would move images by up to {augment.shift} pixels, {gone}", "shift: 2")
    placed = [name for name, axes in labelled.items() if axes]
    if placed:
        left = f"but not the labels of `{placed[0]}`, which belong to positions"
        return _unmovable(f"`augment` would move the images, {left}")
    return None


def _unmovable(message: str, fix: str = "move the images and their labels beforehand") -> Finding:
    return Finding("R515", message, fixes=(fix, "or leave `augment` out"))
