"""Data: readers that refuse what they do not understand, images made to fit, labels held out."""

import gzip
import shutil
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from runtime import data
from runtime.images import PIXEL_SCALE, DataError, Feed, Images, fitted


def idx(array: NDArray[np.integer], kind: int = 0x08) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return header + array.astype({0x08: ">u1", 0x0B: ">i2", 0x0D: ">f4"}[kind]).tobytes()


def packed(content: bytes) -> bytes:
    """Return gzipped bytes that are the same at every call: a time in the header would give a test another name."""
    return gzip.compress(content, mtime=0)


class Arrays(TypedDict, total=False):
    """Content of an .npz file."""

    a: NDArray[np.generic]
    images: NDArray[np.generic]
    labels: NDArray[np.generic]


PIXELS = np.arange(3 * 4 * 5).reshape(3, 4, 5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for part, count in (("train", 12), ("t10k", 4)):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(rng.integers(0, 256, (count, 6, 6))))
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(packed(idx(np.arange(count) % 4)))
    return tmp_path


def refused(source: str | Path, code: str = "R504") -> str:
    with pytest.raises(DataError) as caught:
        data.load(source)
    assert [finding.code for finding in caught.value.findings] == [code]
    return str(caught.value)


@pytest.mark.parametrize("kind", [0x08, 0x0B, 0x0D])
@pytest.mark.parametrize("pack", [bytes, packed])
def test_idx_files_of_every_number_type_are_read_gzipped_or_not(
    tmp_path: Path, kind: int, pack: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "whatever.bin"
    file.write_bytes(pack(idx(PIXELS, kind)))
    read = data.read_idx(file)
    np.testing.assert_array_equal(read, PIXELS)
    assert read.dtype.isnative


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "ends inside its header"),
        (b"\0\0", "ends inside its header"),
        (b"PNG?" * 4, "does not start like an IDX file"),
        (b"\0\0\x07\x01" + bytes(8), "does not start like an IDX file"),
        (b"\0\0\x08\x00", "does not start like an IDX file"),
        (idx(PIXELS)[:-1], "ends before"),
        (idx(PIXELS) + b"x", "has data after"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "more than the file can hold"),
        (packed(idx(PIXELS)[:-1]), "ends before"),
        (packed(idx(PIXELS) + b"x"), "has data after"),
        (packed(idx(PIXELS))[:-9], "cannot be read"),
        (b"\x1f\x8b" + b"\0" * 30, "cannot be read"),
    ],
    ids=lambda value: value[:24].hex() if isinstance(value, bytes) else "",
)
def test_damaged_idx_files_are_refused_with_a_reason(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "images"
    file.write_bytes(content)
    with pytest.raises(DataError) as caught:
        data.read_idx(file)
    assert words in str(caught.value)
    assert caught.value.findings[0].code == "R504"


@given(st.binary(max_size=60))
def test_no_bytes_whatever_make_the_idx_reader_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("idx") / "f"
    file.write_bytes(content)
    try:
        data.read_idx(file)
    except DataError:
        return


def test_a_folder_of_four_idx_files_or_any_one_of_them_is_a_data_set(folder: Path) -> None:
    for source in (folder, folder / "t10k-images-idx3-ubyte"):
        found = data.load(source)
        assert found.train_images.shape == (12, 1, 6, 6)
        assert found.test_labels.tolist() == [0, 1, 2, 3]
        assert found.classes == 4


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    assert "train-labels-idx1-ubyte" in refused(folder, "R505")


def test_labels_of_another_number_than_the_images_are_refused(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(np.arange(3)))
    assert "for 4 images" in refused(folder)


def test_npz_files_with_a_split_are_read(tmp_path: Path) -> None:
    file = tmp_path / "set.npz"
    grey, labels = np.zeros((6, 5, 5), np.uint8), np.arange(6)
    np.savez(file, x_train=grey, y_train=labels[:, None], x_test=grey[:2], y_test=labels[:2])
    found = data.load(file)
    assert (found.name, found.train_images.shape, len(found.test_labels)) == ("set", (6, 1, 5, 5), 2)


def test_npz_files_without_a_split_hold_out_a_fifth_of_every_class(tmp_path: Path) -> None:
    file = tmp_path / "set.npz"
    np.savez(file, images=np.zeros((50, 5, 5, 3), np.float32), labels=np.arange(50) % 5)
    found = data.load(file)
    assert found.train_images.shape == (40, 3, 5, 5)
    assert np.bincount(found.test_labels).tolist() == [2] * 5


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": np.zeros(3)}, "name the arrays x_train"),
        ({"images": np.zeros((3, 2, 2)), "labels": np.zeros(2, int)}, "2 labels for 3 images"),
        ({"images": np.zeros((3, 2, 2)), "labels": np.zeros((3, 2), int)}, "labels of type"),
        ({"images": np.zeros(()), "labels": np.zeros(2, int)}, "no images"),
        ({"images": np.zeros((3, 2, 2)), "labels": np.arange(3)}, "too few images of every class"),
        ({name: np.zeros(4, int) for name in ("x_train", "y_train", "x_test", "y_test")}, "holds images of shape ()"),
        ({"images": np.zeros((3, 2, 2)), "labels": np.zeros(3)}, "expected one integer per image"),
        ({"images": np.array(["a", "b"]), "labels": np.zeros(2, int)}, "images must be numbers"),
        ({"images": np.zeros((3, 2, 2)), "labels": np.array([{}, {}, {}])}, "cannot be read"),
    ],
)
def test_npz_files_of_something_else_are_refused_with_a_reason(tmp_path: Path, arrays: Arrays, words: str) -> None:
    file = tmp_path / "set.npz"
    np.savez(file, **arrays)
    assert words in refused(file)


def test_damaged_npz_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "set.npz"
    file.write_bytes(b"PK\x03\x04 not really")
    assert "cannot be read" in refused(file)


def test_unknown_names_are_refused_with_the_nearest_match() -> None:
    assert "did you mean `mnist`?" in refused("mnits", "R505")
    assert "digits, mnist" in refused("qqqq", "R505")


def test_named_sets_are_taken_from_the_users_folder_first(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    shutil.copytree(folder, root / "fashion", ignore=shutil.ignore_patterns("root"))
    monkeypatch.setenv("SHAPEPLAN_DATA", str(root))
    assert data.load("fashion-mnist").train_images.shape == (12, 1, 6, 6)


def test_a_download_that_fails_says_what_to_do_instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pooch = pytest.importorskip("pooch")

    def offline(*_: object, **__: object) -> NoReturn:
        raise OSError("no route to host")

    monkeypatch.delenv("SHAPEPLAN_DATA", raising=False)
    monkeypatch.setattr(pooch, "retrieve", offline)
    monkeypatch.setattr(pooch, "os_cache", lambda _: tmp_path)
    message = refused("mnist", "R509")
    assert "no route to host" in message
    assert "SHAPEPLAN_DATA" in message


def test_the_digits_are_split_the_same_way_every_time() -> None:
    first, second = data.load("digits"), data.load("digits")
    assert len(first.train_labels) + len(first.test_labels) == 1797
    np.testing.assert_array_equal(first.test_labels, second.test_labels)
    np.testing.assert_array_equal(first.test_images.pixels, second.test_images.pixels)
    shares = np.bincount(first.test_labels) / np.bincount(np.concatenate([first.train_labels, first.test_labels]))
    assert abs(shares - 0.2).max() < 0.01


def test_bytes_become_numbers_from_0_to_1_and_floats_stay_as_they_are() -> None:
    bytes_ = Images(np.array([[[[0, 255]]]], np.uint8), PIXEL_SCALE)
    assert np.asarray(bytes_).ravel().tolist() == [0.0, 1.0]
    assert np.asarray(Images(np.array([[[[-3.0, 7.0]]]]))).ravel().tolist() == [-3.0, 7.0]


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 11), st.integers(0, 11))
def test_images_made_to_fit_are_whole_enlargements_in_the_middle_of_background(
    height: int, width: int, more_h: int, more_w: int
) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(1, 256, (3, 2, height, width)).astype(np.uint8)
    images = fitted(Images(pixels, PIXEL_SCALE), (2, height + more_h, width + more_w))
    assert images.shape == (3, 2, height + more_h, width + more_w)
    times = min((height + more_h) // height, (width + more_w) // width)
    large = np.kron(pixels, np.ones((times, times)))
    above, left = (height + more_h - times * height) // 2, (width + more_w - times * width) // 2
    expected = np.zeros(images.shape)
    expected[:, :, above : above + times * height, left : left + times * width] = large / 255
    np.testing.assert_allclose(np.asarray(images), expected, rtol=1e-6)


def test_grey_pictures_are_sequences_where_a_network_reads_them() -> None:
    pictures = Images(np.arange(24, dtype=np.float32).reshape(2, 1, 3, 4))
    sequences = fitted(pictures, (3, 4))
    assert sequences.shape == (2, 3, 4)
    assert (np.asarray(sequences) == pictures.pixels[:, 0]).all()
    with pytest.raises(DataError, match=r"reads images of 3 x 5 \(C, L\), got 3 x 4"):
        fitted(pictures, (3, 5))


def test_volumes_are_read_as_they_are(tmp_path: Path) -> None:
    np.save(tmp_path / "clips.npy", np.ones((3, 2, 4, 5, 6), np.float32))
    assert fitted(data.read_images(tmp_path / "clips.npy"), (2, 4, 5, 6)).shape == (3, 2, 4, 5, 6)


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 28, 28), (100,)])
def test_images_that_cannot_fit_are_refused_with_both_shapes_and_a_way_out(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError) as caught:
        fitted(Images(np.zeros((2, 1, 28, 28))), shape)
    assert caught.value.findings[0].code == "R502"
    assert "1 x 28 x 28" in str(caught.value)


def test_maps_fit_networks_of_flat_features() -> None:
    assert fitted(Images(np.zeros((2, 1, 8, 8))), (64,)).shape == (2, 64)


def test_a_feed_delivers_the_rows_asked_for_without_keeping_the_last_ones() -> None:
    images = Images(np.arange(8, dtype=np.uint8).reshape(4, 1, 1, 2), pad=(1, 0, 0, 0))
    target = np.full((1, 2, 2, 2), np.nan, np.float32)
    feed = Feed(images, target)
    feed(np.array([3, 1]))
    feed(np.array([0, 2]))
    assert target[0].tolist() == [[[0, 0], [0, 0]], [[0, 4], [1, 5]]]


def test_a_feed_of_many_large_images_delivers_what_indexing_does() -> None:
    rng = np.random.default_rng(1)
    for shape in [(3, 70, 90), (2, 3, 20_000), (40_000,), (5,), ()]:
        source = rng.integers(0, 1000, (7, *shape))
        target = np.full((*shape, 100), -1.0)
        rows = rng.integers(0, 7, 100)
        Feed(source, target)(rows)
        np.testing.assert_array_equal(np.moveaxis(target, -1, 0), source[rows])


@given(st.integers(1, 3), st.integers(0, 2), st.sampled_from([(0, 3, 1, 2), (0, 2, 3, 1), (2, 0, 3, 1)]))
def test_images_in_any_memory_order_are_fed_alike(enlarge: int, pad: int, order: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (9, 8, 7, 6)).astype(np.uint8).transpose(order)[::-2, :, ::2]
    made = [Images(p, PIXEL_SCALE, 0.5, enlarge, (pad, 0, 0, 1)) for p in (pixels, np.ascontiguousarray(pixels))]
    rows = rng.integers(0, len(pixels), 5)
    fed = [np.empty((*images.shape[1:], 5), np.float32) for images in made]
    for images, target in zip(made, fed, strict=True):
        Feed(images, target)(rows)
    np.testing.assert_array_equal(fed[0], fed[1])


@pytest.mark.parametrize("way", ["as stored", "transposed", "every other", "cut out"])
@pytest.mark.parametrize("count", [16, 400])
def test_a_feed_needs_no_memory_that_grows_with_the_data_or_the_batch(way: str, count: int) -> None:
    stored = np.zeros((2 * count, 3, 24, 24), np.float32)
    source = {
        "as stored": stored,
        "transposed": stored.reshape(-1, 24, 24, 3).transpose(0, 3, 1, 2),
        "every other": stored[::2],
        "cut out": stored[:, :, 2:-2, 2:-2],
    }[way]
    target, rows = np.empty((*source.shape[1:], count), np.float32), np.arange(count)
    Feed(source, target)(rows)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    feed = Feed(source, target)
    feed(rows)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 64 * 1024


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.png", "a.idx"])
def test_images_to_predict_come_from_arrays_pictures_and_idx_files(tmp_path: Path, name: str) -> None:
    file, grey = tmp_path / name, np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    if name == "a.npy":
        np.save(file, grey)
    elif name == "a.npz":
        np.savez(file, anything=grey)
    elif name == "a.png":
        pytest.importorskip("PIL.Image").fromarray(grey[0]).save(file)
    else:
        file.write_bytes(idx(grey))
    np.testing.assert_array_equal(data.read_images(file).pixels, grey[:, None])


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.png", "a.idx"])
def test_damaged_images_to_predict_are_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes({"a.npy": b"\x93NUMPY", "a.npz": b"PK\x05"}.get(name, b"x" * 20))
    with pytest.raises(DataError):
        data.read_images(file)
