"""Training settings: what a spec may say, what is refused, and what each costs in memory."""

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.findings import SettingError
from planner.training.augment import FLIPS, Augment, augment_finding
from planner.training.optimizers import OPTIMIZERS, Adam, AdamW, Sgd, read_optimizer
from planner.training.settings import TrainSettings, loss_finding, loss_workspace


def test_an_empty_mapping_gives_the_documented_defaults() -> None:
    settings = TrainSettings.read({})
    assert settings == TrainSettings("cross_entropy", Sgd(lr=0.05, momentum=0.9), epochs=10, batch=64)


def test_the_train_mapping_of_the_documentation_is_read() -> None:
    given = {"loss": "cross_entropy", "optimizer": {"sgd": {"lr": 0.05, "momentum": 0.9}}, "epochs": 10, "batch": 64}
    assert TrainSettings.read(given) == TrainSettings()


@pytest.mark.parametrize(
    ("given", "setting", "words"),
    [
        ({"los": "mse"}, "los", "did you mean `loss`?"),
        ({"loss": "cross-entropy"}, "loss", "did you mean `cross_entropy`?"),
        ({"loss": 3}, "loss", "must be one of"),
        ({"epochs": 0}, "epochs", "at least 1"),
        ({"epochs": 1.5}, "epochs", "whole number"),
        ({"epochs": True}, "epochs", "whole number"),
        ({"batch": "64"}, "batch", "whole number"),
        ({"batch": 2**41}, "batch", "whole number"),
        ({"optimizer": "adm"}, "optimizer", "did you mean `adam`?"),
        ({"optimizer": {"sgd": {}, "adam": {}}}, "optimizer", "one optimizer"),
        ({"optimizer": {}}, "optimizer", "one optimizer"),
        ({"optimizer": {"sgd": 0.1}}, "optimizer", "mapping of its settings"),
        ({"optimizer": {"sgd": {"learning": 0.1}}}, "optimizer.learning", "known: lr"),
        ({"optimizer": {"sgd": {"momentun": 0.1}}}, "optimizer.momentun", "did you mean `momentum`?"),
        ({"optimizer": {"sgd": {"lr": 0}}}, "optimizer.lr", "above 0"),
        ({"optimizer": {"sgd": {"lr": math.nan}}}, "optimizer.lr", "above 0"),
        ({"optimizer": {"sgd": {"lr": math.inf}}}, "optimizer.lr", "above 0"),
        ({"optimizer": {"sgd": {"lr": "1e-3"}}}, "optimizer.lr", "above 0"),
        ({"optimizer": {"sgd": {"momentum": 1.0}}}, "optimizer.momentum", "below 1"),
        ({"optimizer": {"sgd": {"nesterov": "yes"}}}, "optimizer.nesterov", "true or false"),
        ({"optimizer": {"sgd": {"nesterov": True, "momentum": 0}}}, "optimizer.nesterov", "momentum above 0"),
        ({"optimizer": {"adam": {"betas": [0.9]}}}, "optimizer.betas", "two numbers"),
        ({"optimizer": {"adam": {"betas": [0.9, 1.0]}}}, "optimizer.betas", "below 1"),
        ({"optimizer": {"adam": {"weight_decay": -1}}}, "optimizer.weight_decay", "from 0"),
        ({"schedule": "cosin"}, "schedule", "did you mean `cosine`?"),
        ({"warmup": -1}, "warmup", "from 0"),
        ({"augment": 2}, "augment", "mapping"),
        ({"augment": {"flips": "both"}}, "augment.flips", "did you mean `flip`?"),
        ({"augment": {"flip": "horizontl"}}, "augment.flip", "did you mean `horizontal`?"),
        ({"augment": {"flip": True}}, "augment.flip", "must be one of"),
        ({"augment": {"shift": -1}}, "augment.shift", "from 0"),
        ({"augment": {"shift": 1.5}}, "augment.shift", "whole number"),
        ({"augment": {"shift": True}}, "augment.shift", "whole number"),
        ({"augment": {"shift": 10**30}}, "augment.shift", "whole number"),
        ([], "", "mapping"),
    ],
)
# `given` is Any: some of the cases are not even mappings.
def test_every_wrong_setting_is_refused_with_its_place_and_a_reason(given: Any, setting: str, words: str) -> None:
    with pytest.raises(SettingError) as caught:
        TrainSettings.read(given)
    assert caught.value.setting == setting
    assert words in f"{caught.value.problem} {caught.value.fix}"


def test_unknown_keys_and_wrong_values_have_their_own_codes() -> None:
    with pytest.raises(SettingError) as unknown:
        TrainSettings.read({"epoch": 3})
    with pytest.raises(SettingError) as wrong:
        TrainSettings.read({"epochs": -3})
    assert (unknown.value.code, wrong.value.code) == ("N101", "N107")


rates = st.floats(1e-6, 10.0)
shares = st.floats(0.0, 0.99)
optimizers = st.one_of(
    st.builds(Sgd, lr=rates, momentum=st.floats(0.1, 0.99), weight_decay=shares, nesterov=st.booleans()),
    st.builds(Adam, lr=rates, betas=st.tuples(shares, shares), eps=st.floats(1e-12, 0.1), weight_decay=shares),
    st.builds(AdamW, lr=rates, betas=st.tuples(shares, shares), weight_decay=shares),
)


@given(
    st.builds(
        TrainSettings,
        loss=st.sampled_from(["cross_entropy", "mse"]),
        optimizer=optimizers,
        epochs=st.integers(1, 1000),
        batch=st.integers(1, 1000),
        schedule=st.sampled_from(["constant", "cosine"]),
        warmup=st.floats(0, 5),
        augment=st.builds(Augment, flip=st.sampled_from(list(FLIPS)), shift=st.integers(0, 64)),
    )
)
def test_written_settings_read_back_as_equal(settings: TrainSettings) -> None:
    assert TrainSettings.read(settings.write()) == settings


def test_optimizer_state_is_counted_by_what_the_update_rule_remembers() -> None:
    counts = {name: cls.read({}).state_arrays for name, cls in OPTIMIZERS.items()}
    assert counts == {"sgd": 1, "adam": 2, "adamw": 2}
    assert read_optimizer({"sgd": {"momentum": 0}}).state_arrays == 0


def test_the_rate_rises_during_warmup_and_falls_to_nothing_at_the_end() -> None:
    settings = TrainSettings(epochs=4, schedule="cosine", warmup=1.0)
    rates = [settings.rate(step, 50) for step in range(200)]
    assert rates.index(max(rates)) in (49, 50)
    assert max(rates) == pytest.approx(0.05)
    assert all(a < b for a, b in pairwise(rates[:49]))
    assert all(a > b for a, b in pairwise(rates[50:]))
    assert 0 <= rates[-1] < 1e-4


def test_a_constant_schedule_is_constant() -> None:
    settings = TrainSettings(epochs=3)
    assert {settings.rate(step, 7) for step in range(21)} == {0.05}


@pytest.mark.parametrize("item_bytes", [4, 8])
def test_the_losses_workspace_holds_two_numbers_and_one_label_a_position(item_bytes: int) -> None:
    need = 2 * item_bytes + 8
    assert loss_workspace([(32, 10)], item_bytes) * item_bytes == 32 * need
    assert loss_workspace([(2, 10, 5, 7), (2, 3)], item_bytes) * item_bytes == 70 * need


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_cross_entropy_on_probabilities_is_a_finding_with_a_way_out(kind: str) -> None:
    finding = loss_finding("cross_entropy", kind, "prob")
    assert finding is not None
    assert finding.code == "R501"
    assert "`prob`" in finding.message
    assert finding.fixes
    assert loss_finding("mse", kind, "prob") is None


def test_cross_entropy_on_log_probabilities_is_right_and_not_reported() -> None:
    assert loss_finding("cross_entropy", "log_softmax", "out") is None


@pytest.mark.parametrize(
    ("inputs", "labelled", "words"),
    [
        ({"left": (3, 8, 8), "right": (3, 8, 8)}, {"y": 0}, "the network has 2: `left`, `right`"),
        ({"x": (10,)}, {"y": 0}, "`x` reads 10"),
        ({"x": (None, 100)}, {"y": 0}, "`x` reads ? x 100"),
        ({"x": (1, 2, 8)}, {"y": 0}, "completely out of the 2 rows of `x`"),
        ({"x": (1, None, 2)}, {"y": 0}, "completely out of the 2 columns of `x`"),
        ({"x": (1, 8, 8)}, {"y": 0, "mask": 2}, "the labels of `mask`"),
    ],
)
def test_images_that_cannot_be_moved_are_told_with_the_reason(
    inputs: dict[str, tuple[int | None, ...]], labelled: dict[str, int], words: str
) -> None:
    found = augment_finding(Augment(shift=2), inputs, labelled)
    assert found is not None and found.code == "R515" and found.fixes
    assert words in found.message
    assert augment_finding(Augment(), inputs, labelled) is None, "nothing is moved"


def test_sizes_that_are_free_are_judged_when_they_are_known() -> None:
    assert augment_finding(Augment(shift=2), {"x": (None, None, None)}, {"y": 0}) is None
