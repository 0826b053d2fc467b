"""What a fit is given: refused before the first step, with a finding that names what is wrong and a way out."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import planner
import runtime
from planner.findings import PlannerError
from runtime import files
from runtime.training.progress import Silent


def model(batch: int = 8, *, size: int = 1, norm: bool = False) -> runtime.Model:
    layers = [
        planner.layer("conv", name="c1", filters=4, kernel=size, **({"norm": "batch"} if norm else {})),
        planner.layer("gap"),
        planner.layer("flatten"),
        planner.layer("dense", name="out", units=3),
    ]
    net = planner.Network(name="small", input={"image": ("N", 1, size, size)}, layers=layers)
    return runtime.Model(net.check().bind(N=batch))


def sample(count: int = 20, size: int = 1) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(count)
    return rng.standard_normal((count, 1, size, size)).astype(np.float32), np.arange(count) % 3


class Watching(Silent):
    """Notes what a run shows."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.said: list[str] = []

    def step(self, images: int, loss: float, accuracy: float | None) -> None:
        self.steps.append(images)

    def say(self, text: str) -> None:
        self.said.append(text)


def refused(code: str, *arguments: Any, net: runtime.Model | None = None, **options: Any) -> str:
    """Return the text of the only finding; the arguments are Any because they are wrong on purpose."""
    net, shown = net or model(), Watching()
    before = net.flat_parameters.copy()
    with pytest.raises(PlannerError) as caught:
        net.fit(*(arguments or sample()), progress=shown, **options)
    assert [finding.code for finding in caught.value.findings] == [code]
    assert caught.value.findings[0].fixes
    assert not shown.steps
    np.testing.assert_array_equal(net.flat_parameters, before)
    return str(caught.value)


@pytest.mark.parametrize("labels", [None, {"out": None}])
def test_images_without_labels_are_refused_by_fit_and_evaluate(labels: Any) -> None:
    images, _ = sample()
    assert "None" in refused("R503", images, labels)
    assert "None" in refused("R503", *sample(), validation=(images, labels))
    with pytest.raises(PlannerError, match="R503"):
        model().evaluate(images, labels)


@pytest.mark.parametrize(
    ("validation", "code", "words"),
    [
        (sample()[0], "R503", "got a single ndarray"),
        ((sample()[0],), "R503", "got 1 items"),
        ((*sample(), None), "R503", "got 3 items"),
        ("yes", "R503", "got a single str"),
        (True, "R503", "got a single bool"),
        (0, "N107", "between 0 and 1, got 0"),
        (1.0, "N107", "between 0 and 1, got 1.0"),
        (-0.5, "N107", "got -0.5"),
        (float("nan"), "N107", "got nan"),
        (1e-12, "R510", "1e-12 of 20 images leaves none to validate on"),
        (0.99, "R510", "leaves none to train on"),
        ((sample()[0], [0, 1]), "R503", "in `validation`, there are 20 images, but 2 labels"),
    ],
)
def test_a_validation_that_is_neither_a_pair_nor_a_share_is_refused(validation: Any, code: str, words: str) -> None:
    assert words in refused(code, *sample(), validation=validation)


def test_a_share_for_validation_is_the_last_of_the_data_before_shuffling() -> None:
    images, labels = sample(20)
    shared, paired = model(), model()
    first = shared.fit(images, labels, validation=0.2, epochs=2, progress=False)
    second = paired.fit(
        images[:16], labels[:16], validation=(images[16:], labels[16:]), epochs=2, progress=False
    )  # fmt: skip
    np.testing.assert_array_equal(shared.flat_parameters, paired.flat_parameters)
    assert first["val_loss"] == second["val_loss"]
    assert first["val_accuracy"] == second["val_accuracy"]


@pytest.mark.parametrize(
    ("images", "labels", "code"),
    [
        ([np.zeros((1, 1, 1)), np.zeros((1, 2, 2))], [0, 1], "R502"),
        (np.zeros((2, 1, 1, 1)), [[0], [1, 2]], "R503"),
        (None, [0, 1], "R502"),
    ],
)
def test_rows_of_different_lengths_are_findings(images: Any, labels: Any, code: str) -> None:
    with pytest.raises(PlannerError, match=code):
        model().fit(images, labels, progress=False)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"lr": 1e9}, "N107", "above 0 and at most 1,000,000, got 1000000000.0"),
        ({"lr": "fast"}, "N107", "got 'fast'"),
        ({"schedule": "cosinus"}, "N107", "did you mean `cosine`?"),
        ({"warmup": -1}, "N107", "warmup"),
        ({"seed": -1}, "R513", "non-negative integer, got -1"),
        ({"seed": "a"}, "R513", "got 'a'"),
    ],
)
def test_settings_out_of_range_say_their_range(options: Mapping[str, Any], code: str, words: str) -> None:
    with pytest.raises(PlannerError) as caught:
        model().fit(*sample(), progress=False, **options)
    assert caught.value.findings[0].code == code
    assert words in str(caught.value)


def test_numbers_of_numpy_are_numbers() -> None:
    numbers: dict[str, Any] = {"epochs": np.int64(1), "batch": np.int32(4), "lr": np.float32(0.1), "seed": np.int64(3)}
    assert len(model().fit(*sample(), progress=False, **numbers)) == 1


def test_a_place_that_cannot_be_written_is_refused_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused("R508", *sample(), save=tmp_path / "file" / "c.safetensors")
    assert "is a folder" in refused("R508", *sample(), save=tmp_path)


def test_looking_whether_a_place_can_be_written_leaves_nothing_there(tmp_path: Path) -> None:
    files.refuse_unwritable(tmp_path / "a" / "b" / "c.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_without_safetensors_a_run_that_saves_does_not_begin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    assert "pip install safetensors" in refused("R512", *sample(), save=tmp_path / "c.safetensors")
    assert len(model().fit(*sample(), epochs=1, progress=False)) == 1


@pytest.mark.parametrize(
    ("batch", "count", "words"), [(1, 5, "a batch of 2 or more"), (8, 1, "at least two images")]
)
def test_batch_normalisation_of_one_number_a_channel_is_refused(batch: int, count: int, words: str) -> None:
    text = refused("R514", *sample(count), net=model(batch, norm=True))
    assert "`c1.norm`" in text
    assert words in text


def test_batch_normalisation_of_one_image_with_several_positions_trains() -> None:
    net = planner.Network(
        name="n", input={"image": ("N", 1, 2, 2)},
        layers=[planner.layer("batchnorm"), planner.layer("flatten"), planner.layer("dense", units=3)],
    )  # fmt: skip
    assert len(runtime.Model(net.check().bind(N=1)).fit(*sample(3, 2), epochs=1, progress=False)) == 1


@pytest.mark.parametrize(("batch", "steps"), [(4, [4, 3, 2]), (8, [7, 2]), (3, [3, 3, 3]), (2, [2, 2, 2, 2])])
def test_no_step_of_batch_normalisation_sees_one_image_alone(batch: int, steps: list[int]) -> None:
    shown = Watching()
    history = model(batch, norm=True).fit(*sample(9), epochs=2, progress=shown)
    assert shown.steps == steps * 2
    assert np.isfinite(history["loss"]).all()
    assert any("each epoch skips one of the 9 images" in text for text in shown.said) == (batch == 2)


def test_a_network_without_batch_normalisation_keeps_its_last_step_of_one_image() -> None:
    shown = Watching()
    model(4).fit(*sample(9), epochs=1, progress=shown)
    assert shown.steps == [4, 4, 1]
