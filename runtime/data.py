"""Loading of labelled images by name, from files or from a folder: `digits`, `mnist`, `fashion_mnist`, IDX and .npz.

Every reader raises a :class:`~runtime.images.DataError` for anything it does not fully understand.
:mod:`runtime.images` fits the images to a network.
"""

from __future__ import annotations

import gzip
import math
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from planner.findings import Finding, nearest
from runtime.images import PIXEL_SCALE, DataError, Images

Array = NDArray[Any]


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


NAMES = ("digits", "mnist", "fashion_mnist")
"""Data sets that can be loaded by name."""

FOLDERS: Mapping[str, tuple[str, ...]] = {"mnist": ("mnist",), "fashion_mnist": ("fashion_mnist", "fashion")}
MIRRORS: Mapping[str, str] = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion_mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
}
CHECKSUMS: Mapping[str, Mapping[str, str]] = {
    "mnist": {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    "fashion_mnist": {
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
}
HELD_OUT = 0.2
"""Share of the images held out for testing if a source has no split."""

GZIP_LARGEST_RATIO = 1100
"""A deflate stream never expands one byte to more bytes than this (its limit is 1032)."""


@dataclass(frozen=True)
class Dataset:
    """Labelled images, split into a training set and a test set.

    Attributes
    ----------
    name : str
    train_images, test_images : Images
    train_labels, test_labels : integer array (N,)
    """

    name: str
    train_images: Images
    train_labels: Array
    test_images: Images
    test_labels: Array

    @property
    def classes(self) -> int:
        """Number of classes: the largest label plus 1."""
        return 1 + max(int(self.train_labels.max()), int(self.test_labels.max()))


def load(source: str | os.PathLike[str]) -> Dataset:
    """Load a data set by name, from a folder of four IDX files, from one of these files, or from an .npz file.

    For the names see :data:`NAMES`. An .npz file holds ``x_train, y_train, x_test, y_test`` or ``images, labels``; in
    the second case a fifth of every class is held out.

    Raises
    ------
    DataError
        R505: there is no such data set; R504: a file is damaged or has another format.

    Examples
    --------
    >>> digits = load("digits")
    >>> digits.train_images.shape, len(digits.test_labels), digits.classes
    ((1438, 1, 8, 8), 359, 10)
    """
    name = str(source)
    key = name.lower().replace("-", "_")
    key = {"fashion": "fashion_mnist"}.get(key, key)
    path = Path(source)
    if key in NAMES and not path.suffix:
        return _digits() if key == "digits" else _named(key)
    if path.is_dir():
        return _folder(path, path.name)
    if path.is_file():
        if _starts_with(path, b"PK"):
            return _npz(path)
        if "images" in path.name or "labels" in path.name:
            return _folder(path.parent, path.parent.name)
        raise _unreadable(path, "is neither an .npz file nor an IDX file named ...images... or ...labels...")
    close = nearest(key, NAMES)
    fix = f"did you mean `{close}`?" if close else f"the names are {', '.join(NAMES)}; or give a folder or file"
    raise DataError.of("R505", f"there is no data set and no file `{name}`", fixes=(fix,))


def read_idx(path: Path) -> Array:
    """Return the array in an IDX file, gzipped or not (detected by the first bytes, not by the name).

    Raises
    ------
    DataError
        R504: no IDX header, a header that disagrees with the length of the file, or a broken gzip stream.

    Source
    ------
    The file format section of the MNIST page (LeCun, Cortes, Burges).
    """
    kinds = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
    try:
        zipped = _starts_with(path, b"\x1f\x8b")
        largest = path.stat().st_size * (GZIP_LARGEST_RATIO if zipped else 1)
        with gzip.open(path, "rb") if zipped else path.open("rb") as file:
            head = _exactly(file, 4, path)
            if head[:2] != b"\0\0" or head[2] not in kinds or not 1 <= head[3] <= 4:
                raise _unreadable(path, f"does not start like an IDX file (first bytes {head.hex(' ')})")
            shape = tuple(int(n) for n in np.frombuffer(_exactly(file, 4 * head[3], path), ">u4"))
            dtype = np.dtype(kinds[head[2]])
            length = math.prod(shape) * dtype.itemsize
            sizes = " x ".join(map(str, shape))
            if length > largest:
                raise _unreadable(path, f"declares {sizes} numbers, more than the file can hold")
            data = _exactly(file, length, path, sizes)
            if file.read(1):
                raise _unreadable(path, f"has data after the {sizes} numbers its header declares")
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, f"cannot be read: {error}") from None
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def held_out(labels: Array, share: float = HELD_OUT) -> tuple[Array, Array]:
    """Split row numbers into those to train on and those to hold out.

    The same share of every class is held out, and always the same rows.

    Examples
    --------
    >>> train, test = held_out(np.array([0] * 10 + [1] * 5))
    >>> len(train), sorted(np.array([0] * 10 + [1] * 5)[test].tolist())
    (12, [0, 0, 1])
    """
    rng = np.random.default_rng(1998)
    chosen = []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        chosen.append(rows[: round(len(rows) * share)])
    test = np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.intp)
    return np.setdiff1d(np.arange(len(labels)), test), test


def read_images(path: Path) -> Images:
    """Read the images in an .npy, .npz (``images``, ``x`` or the only array), IDX or picture file.

    Raises
    ------
    DataError
        R504: the file is damaged or has another format; R505: there is no such file.
    """
    if not path.is_file():
        raise DataError.of("R505", f"there is no file `{path}`")
    if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp"):
        return _as_images(_picture(path), path)
    if _starts_with(path, b"PK"):
        arrays = _arrays(path)
        chosen = [key for key in arrays if key in ("images", "x", "x_test")] or list(arrays)
        if len(chosen) != 1:
            raise _unreadable(path, f"holds {', '.join(arrays) or 'nothing'}; name the array of images `images`")
        return _as_images(arrays[chosen[0]], path)
    if _starts_with(path, b"\x93NUMPY"):
        try:
            with path.open("rb") as file:
                return _as_images(np.load(file, allow_pickle=False), path)
        except (ValueError, OSError, EOFError) as error:
            raise _unreadable(path, f"cannot be read: {error}") from None
    return _as_images(read_idx(path), path)


def _digits() -> Dataset:
    from sklearn.datasets import load_digits  # takes half a second to import, and only this function needs it

    bunch = load_digits()
    # Sixteen grey levels, 0 to 16.
    images = Images(bunch.images.astype(np.uint8)[:, None], 1.0 / 16.0)
    labels = bunch.target.astype(np.intp)
    train, test = held_out(labels)
    return Dataset("digits", images[train], labels[train], images[test], labels[test])


def _named(key: str) -> Dataset:
    root = os.environ.get("SHAPEPLAN_DATA")
    if root:
        for folder in FOLDERS[key]:
            if (Path(root) / folder).is_dir():
                return _folder(Path(root) / folder, key)
    return _folder(_downloaded(key), key)


def _downloaded(key: str) -> Path:
    import pooch

    folder = Path(pooch.os_cache("shapeplan")) / key
    pooch.get_logger().setLevel("WARNING")
    for file, checksum in CHECKSUMS[key].items():
        try:
            pooch.retrieve(MIRRORS[key] + file, f"sha256:{checksum}", fname=file, path=folder)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise DataError(
                [
                    Finding(
                        "R509",
                        f"`{key}` could not be downloaded: {reason}",
                        fixes=(
                            f"set SHAPEPLAN_DATA to a folder that holds {FOLDERS[key][0]}/{file} and its siblings",
                            "or use `digits`, which needs no download",
                        ),
                    )
                ]
            ) from None
    return folder


def _folder(folder: Path, name: str) -> Dataset:
    found = {(part, what): _idx_file(folder, part, what) for part in ("train", "test") for what in ("images", "labels")}
    sets = {part: (read_idx(found[part, "images"]), read_idx(found[part, "labels"])) for part in ("train", "test")}
    for part, (images, labels) in sets.items():
        sets[part] = images, _as_labels(labels, len(images), found[part, "labels"])
    return Dataset(
        name,
        _as_images(sets["train"][0], found["train", "images"]),
        sets["train"][1],
        _as_images(sets["test"][0], found["test", "images"]),
        sets["test"][1],
    )


def _idx_file(folder: Path, part: str, what: str) -> Path:
    names = {"train": ("train",), "test": ("t10k", "test")}[part]
    for file in sorted(folder.iterdir()):
        if file.name.startswith(names) and what in file.name and "idx" in file.name and file.is_file():
            return file
    digit = 3 if what == "images" else 1
    expected = f"{names[0]}-{what}-idx{digit}-ubyte.gz"
    raise DataError.of(
        "R505",
        f"`{folder}` holds no file of the {part} {what}",
        fixes=(f"put {expected} there, gzipped or not",),
    )


def _npz(path: Path) -> Dataset:
    arrays = _arrays(path)
    four = ("x_train", "y_train", "x_test", "y_test")
    if all(key in arrays for key in four):
        parts = [arrays[key] for key in four]
    elif "images" in arrays and "labels" in arrays:
        images = arrays["images"]
        labels = _as_labels(arrays["labels"], len(_as_images(images, path)), path)
        train, test = held_out(labels)
        if not len(test):
            few = f"holds too few images of every class to hold out {HELD_OUT:.0%}"
            raise _unreadable(path, f"{few}; name the arrays {', '.join(four)}")
        parts = [images[train], labels[train], images[test], labels[test]]
    else:
        raise _unreadable(path, f"holds {', '.join(arrays) or 'nothing'}; name the arrays {', '.join(four)}")
    train_images, test_images = _as_images(parts[0], path), _as_images(parts[2], path)
    return Dataset(
        path.stem,
        train_images,
        _as_labels(parts[1], len(train_images), path),
        test_images,
        _as_labels(parts[3], len(test_images), path),
    )


def _arrays(path: Path) -> dict[str, Array]:
    try:
        # Unpickling objects would run code from the file.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise _unreadable(path, f"cannot be read: {error}") from None


def _picture(path: Path) -> Array:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            grey = picture.mode in ("1", "L", "LA", "I;16")
            return np.asarray(picture.convert("L" if grey else "RGB"))[None]
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise _unreadable(path, f"cannot be read: {error}") from None


def _as_images(pixels: Array, path: Path) -> Images:
    if pixels.dtype.kind not in "uif":
        raise _unreadable(path, f"holds {pixels.dtype}, but images must be numbers")
    if pixels.ndim == 0 or len(pixels) == 0:
        raise _unreadable(path, "holds no images")
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    elif pixels.ndim == 4 and pixels.shape[3] in (1, 3) and pixels.shape[1] not in (1, 3):
        pixels = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    if pixels.ndim not in (2, 4, 5):
        raise _unreadable(path, f"holds images of shape {pixels.shape[1:]}; expected (H, W), (C, H, W) or (H, W, C)")
    return Images(pixels, PIXEL_SCALE if pixels.dtype == np.uint8 else 1.0)


def _as_labels(labels: Array, images: int, path: Path) -> Array:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind not in "ui" or labels.ndim != 1:
        raise _unreadable(
            path, f"holds labels of type {labels.dtype} and shape {labels.shape}; expected one integer per image"
        )
    if len(labels) != images:
        raise _unreadable(path, f"holds {len(labels):,} labels for {images:,} images")
    return labels.astype(np.intp)


def _starts_with(path: Path, magic: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}") from None


def _exactly(file: _Readable, length: int, path: Path, sizes: str = "") -> bytes:
    data = file.read(length)
    if len(data) != length:
        what = f"before the {sizes} numbers its header declares" if sizes else "inside its header"
        raise _unreadable(path, f"ends {what}")
    return data


def _unreadable(path: Path, reason: str) -> DataError:
    return DataError([Finding("R504", f"`{path}` {reason}")])
