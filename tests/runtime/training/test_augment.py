"""Augmentation: what arrives is the image moved, the moves are those of the seed, a run that goes on draws the same."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
import runtime
from planner.findings import PlannerError
from planner.training.augment import Augment
from runtime.images import PIXEL_SCALE, Images
from runtime.training.augment import MovingFeed

Array = np.ndarray[Any, Any]


def moved(image: Array, left_right: bool, top_bottom: bool, down: int, right: int) -> Array:
    """Return a (C, H, W) image moved, pixel by pixel."""
    channels, height, width = image.shape
    out = np.zeros_like(image)
    for c in range(channels):
        for y in range(height):
            for x in range(width):
                to_y = (height - 1 - y if top_bottom else y) + down
                to_x = (width - 1 - x if left_right else x) + right
                if 0 <= to_y < height and 0 <= to_x < width:
                    out[c, to_y, to_x] = image[c, y, x]
    return out


def ways(image: Array, augment: Augment) -> dict[bytes, tuple[bool, bool, int, int]]:
    """Return every image that the moves asked for may give."""
    mirror = {
        "none": [(False, False)], "horizontal": [(False, False), (True, False)],
        "vertical": [(False, False), (False, True)],
        "both": [(False, False), (False, True), (True, False), (True, True)],
    }[augment.flip]  # fmt: skip
    steps = range(-augment.shift, augment.shift + 1)
    return {moved(image, *flip, y, x).tobytes(): (*flip, y, x) for flip in mirror for y in steps for x in steps}


def fed(images: Images, augment: Augment, rows: Array, seed: int = 0, dtype: Any = np.float64) -> Array:
    target = np.full((*images.shape[1:], len(rows)), -1.0, dtype)
    MovingFeed(images, target, augment, np.random.default_rng(seed))(rows)
    return np.ascontiguousarray(np.moveaxis(target, -1, 0))


@pytest.mark.parametrize("flip", ["none", "horizontal", "vertical", "both"])
@pytest.mark.parametrize("shift", [0, 1, 3])
def test_what_arrives_is_the_image_moved_and_every_move_occurs(flip: str, shift: int) -> None:
    # All numbers differ, so that every move gives another image.
    image = np.arange(1.0, 2 * 5 * 4 + 1).reshape(1, 2, 5, 4)
    augment = Augment(flip, shift)
    known = ways(image[0], augment)
    arrived = {one.tobytes() for one in fed(Images(image), augment, np.zeros(3000, np.intp))}
    assert arrived == set(known)


def test_moves_are_as_likely_as_documented() -> None:
    image = np.arange(1.0, 26.0).reshape(1, 1, 5, 5)
    known = ways(image[0], Augment("both", 1))
    drawn = [known[one.tobytes()] for one in fed(Images(image), Augment("both", 1), np.zeros(9000, np.intp))]
    for place, shares in enumerate(((1 / 2,) * 2, (1 / 2,) * 2, (1 / 3,) * 3, (1 / 3,) * 3)):
        counts = np.unique([move[place] for move in drawn], return_counts=True)[1]
        np.testing.assert_allclose(counts / len(drawn), shares, atol=0.02)  # four standard deviations


@given(
    st.integers(1, 3), st.integers(0, 2), st.sampled_from([np.uint8, np.float32]), st.integers(1, 5),
    st.sampled_from([(0, 1, 2, 3), (0, 3, 1, 2), (0, 2, 3, 1)]),
)  # fmt: skip
def test_images_enlarged_padded_and_scaled_are_moved_within_their_frame(
    enlarge: int, pad: int, kind: Any, count: int, order: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(3)
    pixels = rng.integers(1, 256, (6, 2, 4, 3)).astype(kind).transpose(order)
    images = Images(pixels, PIXEL_SCALE, 0.0, enlarge, (pad, 0, 1, pad))
    rows, augment = rng.integers(0, 6, count), Augment("both", 2)
    # Mirrored about the middle of the picture, not of the frame, which may be padded more on one side.
    mirrored = [pixels, pixels[..., ::-1], pixels[..., ::-1, :], pixels[..., ::-1, ::-1]]
    plain = [np.asarray(replace(images, pixels=each), np.float64) for each in mirrored]
    for row, one in zip(rows, fed(images, augment, rows), strict=True):
        assert any(one.tobytes() in ways(each[row], Augment(shift=2)) for each in plain)


def test_the_background_that_follows_is_what_pixel_0_becomes() -> None:
    images = Images(np.full((1, 1, 3, 3), 255, np.uint8), 2 / 255, -1.0)
    values = np.unique(fed(images, Augment(shift=2), np.zeros(50, np.intp)).round(6))
    assert values.tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 300, 500), (2, 5, 7_000)])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_a_feed_needs_no_memory_that_grows_with_the_image_or_the_batch(shape: tuple[int, ...], kind: Any) -> None:
    images = Images(np.zeros((2, *shape), kind))
    target, rows = np.empty((*shape, 70), np.float32), np.zeros(70, np.intp)
    feed = MovingFeed(images, target, Augment("both", 3), np.random.default_rng(0))
    feed(rows[:1])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    feed(rows)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 64 * 1024


def model(seed: int = 0, train: dict[str, Any] | None = None) -> runtime.Model:
    layers = [
        planner.layer("conv", filters=4, kernel=3, norm="batch", act="relu"),
        planner.layer("flatten"),
        planner.layer("dropout", rate=0.3),
        planner.layer("dense", name="out", units=3),
    ]
    settings = train or {"augment": {"flip": "both", "shift": 2}}
    net = planner.Network(name="n", input={"x": ("N", 1, 6, 6)}, layers=layers, train=settings)
    return runtime.Model(net.check().bind(N=8), seed=seed)


def sample(count: int = 53) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((count, 1, 6, 6)), rng.integers(0, 3, count)


def trained(**options: Any) -> Array:
    net = model()
    net.fit(*sample(), epochs=3, progress=False, **options)
    return net.flat_parameters.copy()


def test_the_same_seed_moves_the_same_images_and_no_moves_or_others_do_not() -> None:
    np.testing.assert_array_equal(trained(), trained())
    assert not np.array_equal(trained(), trained(augment={}))
    assert not np.array_equal(trained(), trained(augment={"shift": 1}))


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_run_that_goes_on_moves_every_image_as_the_unbroken_run(tmp_path: Path, epochs: int) -> None:
    path = tmp_path / "c.safetensors"
    model().fit(*sample(), epochs=epochs, progress=False, save=path)
    fresh = model(seed=9)
    fresh.fit(*sample(), epochs=3, progress=False, resume=path)
    np.testing.assert_array_equal(fresh.flat_parameters, trained())


def test_what_a_network_is_judged_by_is_not_moved() -> None:
    net, (images, labels) = model(), sample()
    history = net.fit(images, labels, epochs=1, validation=(images, labels), progress=False)
    assert history["val_loss"] == [net.evaluate(images, labels)["loss"]]


def test_a_checkpoint_keeps_the_moves_and_other_moves_need_consent(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    model().fit(*sample(), epochs=1, progress=False, save=path)
    with pytest.raises(PlannerError, match="augment is shift 1, was flip both, shift 2") as caught:
        model().fit(*sample(), epochs=2, progress=False, resume=path, augment={"shift": 1})
    assert caught.value.findings[0].code == "R507"
    history = model().fit(
        *sample(), epochs=2, progress=False, resume=path, augment={"shift": 1}, allow_changes=True
    )
    assert len(history) == 2


@pytest.mark.parametrize(
    ("augment", "code", "words"),
    [
        ({"shift": 6}, "R515", "completely out of the 6 rows"),
        ({"shift": -1}, "N107", "whole number from 0"),
        ({"flop": "both"}, "N101", "did you mean `flip`?"),
        ("both", "N107", "mapping"),
    ],
)
def test_wrong_moves_are_findings_before_the_first_step(augment: Any, code: str, words: str) -> None:
    net = model()
    before = net.flat_parameters.copy()
    with pytest.raises(PlannerError) as caught:
        net.fit(*sample(), augment=augment, progress=False)
    finding = caught.value.findings[0]
    assert finding.code == code and words in " ".join((finding.message, *finding.fixes))
    np.testing.assert_array_equal(net.flat_parameters, before)


def test_labels_that_have_a_place_are_refused() -> None:
    layers = [planner.layer("conv", name="mask", filters=3, kernel=3, pad=1)]
    net = planner.Network(name="n", input={"x": ("N", 1, 6, 6)}, layers=layers).check().bind(N=2)
    with pytest.raises(PlannerError, match="the labels of `mask`") as caught:
        runtime.Model(net).fit(np.zeros((2, 1, 6, 6)), np.zeros((2, 6, 6), int), augment={"shift": 1}, progress=False)
    assert caught.value.findings[0].code == "R515"
