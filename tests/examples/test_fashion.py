"""The network for Fashion-MNIST stays as small as it is said to be, and learns as its file says."""

from __future__ import annotations

import numpy as np

import planner
import runtime
from tests.harness.places import EXAMPLES

SPEC = EXAMPLES / "fashion.yaml"


def test_it_has_fewer_than_120_000_parameters() -> None:
    plan = planner.load(str(SPEC)).check()
    assert plan.parameter_count == 97_058 < 120_000
    assert plan.bind(N=1).macs == 8_242_128


def test_its_file_holds_the_whole_recipe() -> None:
    train = planner.load(str(SPEC)).check().train
    assert train.augment and train.schedule == "cosine" and train.warmup


def test_it_learns_from_images_that_are_moved() -> None:
    model = runtime.Model(planner.load(str(SPEC)).check().bind(N=16), seed=0)
    labels = np.arange(64) % 4
    images = np.zeros((64, 1, 28, 28), np.float32)
    for image, label in zip(images, labels, strict=True):
        image[0, 6 + 4 * label : 10 + 4 * label, 8:20] = 1.0
    history = model.fit(images, labels, epochs=3, batch=16, progress=False, seed=0)
    assert history["loss"][-1] < 0.5 * history["loss"][0]
