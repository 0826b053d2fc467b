"""Going on with a run: with what it began with, or with changes that somebody asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import planner
import runtime
from planner.findings import PlannerError
from runtime import weights
from runtime.training.progress import Silent


def model(train: dict[str, Any] | None = None, batch: int = 8, seed: int = 0) -> runtime.Model:
    net = planner.Network(
        name="n", input={"x": ("N", 4)},
        layers=[planner.layer("dense", units=8, act="tanh"), planner.layer("dense", name="y", units=3)],
        train=train or {"epochs": 2, "batch": 8},
    )  # fmt: skip
    return runtime.Model(net.check().bind(N=batch), seed=seed)


def sample(count: int = 30) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(count)
    return rng.standard_normal((count, 4)), np.arange(count) % 3


class Said(Silent):
    def __init__(self) -> None:
        self.text = ""

    def say(self, text: str) -> None:
        self.text += text + "\n"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "c.safetensors"
    model().fit(*sample(), progress=False, save=path)
    return path


CHANGES = [
    ({"batch": 4}, "batch is 4, was 8"),
    ({"lr": 0.5}, "lr is 0.5, was 0.05"),
    ({"loss": "mse"}, "loss is mse, was cross_entropy"),
    ({"schedule": "cosine"}, "schedule is cosine, was constant"),
    ({"warmup": 1}, "warmup is 1.0, was 0.0"),
    ({"optimizer": {"sgd": {"weight_decay": 0.1}}}, "weight_decay is 0.1, was 0.0"),
    ({"seed": 5}, "seed is 5, was 0"),
]


@pytest.mark.parametrize(("options", "words"), CHANGES)
def test_changed_settings_are_named_and_need_consent(checkpoint: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(PlannerError, match="R507") as caught:
        model().fit(*sample(), epochs=3, resume=checkpoint, progress=False, **options)
    assert words in str(caught.value)
    assert "allow_changes=True" in caught.value.findings[0].fixes[1]
    history = model().fit(*sample(), epochs=3, resume=checkpoint, progress=False, allow_changes=True, **options)
    assert len(history) == 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (sample(29), "29 training images, was 30"),
        ((sample()[0], sample()[1][::-1]), "the images or labels differ"),
        ((sample()[0] + 1, sample()[1]), "the images or labels differ"),
    ],
)
def test_other_data_are_noticed_and_need_consent(checkpoint: Path, data: Any, words: str) -> None:
    with pytest.raises(PlannerError, match=words):
        model().fit(*data, epochs=3, resume=checkpoint, progress=False)
    assert len(model().fit(*data, epochs=3, resume=checkpoint, progress=False, allow_changes=True)) == 3


def test_the_same_data_in_another_form_are_the_same_data(checkpoint: Path) -> None:
    images, labels = sample()
    history = model().fit(
        np.asfortranarray(images.astype(np.float32)), labels.astype(np.uint8), epochs=3, resume=checkpoint, seed=0,
        progress=False,
    )  # fmt: skip
    assert len(history) == 3


def test_consent_does_not_mix_optimizers_or_epochs_of_two_cuts(checkpoint: Path) -> None:
    with pytest.raises(PlannerError, match="its optimizer is sgd, not adam"):
        model().fit(*sample(), resume=checkpoint, progress=False, optimizer="adam", allow_changes=True)
    with pytest.raises(PlannerError, match="its optimizer is sgd, not sgd without momentum"):
        model().fit(
            *sample(), resume=checkpoint, progress=False, optimizer={"sgd": {"momentum": 0}}, allow_changes=True
        )


def test_a_changed_train_section_counts_as_a_wish(checkpoint: Path) -> None:
    longer = model({"epochs": 3, "batch": 8})
    assert len(longer.fit(*sample(), resume=checkpoint, progress=False)) == 3
    with pytest.raises(PlannerError, match="batch is 4, was 8"):
        model({"epochs": 3, "batch": 4}).fit(*sample(), resume=checkpoint, progress=False)


def test_settings_given_to_the_first_run_hold_without_being_given_again(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    model().fit(*sample(), progress=False, save=path, lr=0.01, batch=6, epochs=1, seed=7)
    history = model(seed=3).fit(*sample(), epochs=2, progress=False, resume=path, save=path, seed=7)
    assert history["lr_last"] == [0.01, 0.01]
    assert (weights.read(path).training or {})["settings"]["batch"] == 6


@pytest.mark.parametrize("epochs", [None, 1])
def test_nothing_left_to_do_says_so_and_changes_nothing(checkpoint: Path, epochs: int | None) -> None:
    said, net = Said(), model(seed=9)
    history = net.fit(*sample(), epochs=epochs, resume=checkpoint, progress=said)
    assert f"already at epoch 2 of {epochs or 2}" in said.text
    assert len(history) == 2
    np.testing.assert_array_equal(net.flat_parameters, runtime.Model.load(checkpoint).flat_parameters)


def test_more_epochs_under_a_cosine_schedule_say_that_one_long_run_differs(tmp_path: Path) -> None:
    path, said = tmp_path / "c.safetensors", Said()
    parts, whole = model(), model()
    parts.fit(*sample(), epochs=2, schedule="cosine", progress=False, save=path)
    whole.fit(*sample(), epochs=4, schedule="cosine", progress=False)
    model().fit(*sample(), resume=path, epochs=2, progress=said)
    assert "other weights" not in said.text
    parts.fit(*sample(), epochs=4, progress=said, resume=path)
    assert "over 2 epochs and continues as in a run of 4" in said.text
    assert not np.array_equal(parts.flat_parameters, whole.flat_parameters)


def test_the_history_names_the_first_and_the_last_rate_of_an_epoch() -> None:
    history = model().fit(*sample(), epochs=2, schedule="cosine", progress=False)
    assert history["lr_first"][0] == 0.05
    assert history["lr_first"][1] < history["lr_last"][0]
    assert history["lr_last"][1] == pytest.approx(0.05 * 0.5 * (1 + np.cos(np.pi * 7 / 8)))
    assert "lr_first,lr_last" in history.to_csv()


@pytest.mark.parametrize("damage", ["settings", "data", "rng", "position", "history"])
def test_a_damaged_checkpoint_is_a_finding(checkpoint: Path, damage: str) -> None:
    saved = weights.read(checkpoint)
    assert saved.training is not None
    for broken in ({name: value for name, value in saved.training.items() if name != damage},
                   {**saved.training, damage: None} if damage != "data" else {}):  # fmt: skip
        weights.save(model(), checkpoint, state=saved.state, training=broken)
        with pytest.raises(PlannerError, match="R508"):
            model().fit(*sample(), resume=checkpoint, progress=False)
