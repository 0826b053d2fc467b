"""Training: it learns, it resumes bit for bit, it stops with a reason, it refuses data that does not fit."""

import signal
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import pytest
from numpy.typing import NDArray

import planner
import runtime
from planner.findings import PlannerError
from planner.network.entry import Entry
from planner.training.optimizers import AdamW
from runtime import weights
from runtime.images import Images
from runtime.training.batches import Inputs, Targets
from runtime.training.progress import Silent
from tests.harness.interrupting import Interrupting

COUNT = 53


class Options(TypedDict, total=False):
    """Settings of a fit that the tests vary."""

    epochs: int
    batch: int
    validation: tuple[Inputs, Targets]
    optimizer: str | Mapping[str, object]
    lr: float
    loss: str


def network(*more: Entry, dropout: bool = True, train: Mapping[str, object] | None = None) -> planner.Network:
    layers = [
        planner.layer("conv", name="c1", filters=4, kernel=3, norm="batch", act="relu"),
        planner.layer("flatten"),
        *([planner.layer("dropout", rate=0.3)] if dropout else []),
        planner.layer("dense", name="out", units=3),
        *more,
    ]
    return planner.Network(name="small", input={"image": ("N", 1, 6, 6)}, layers=layers, train=train)


def model(
    batch: int = 8, seed: int = 0, *, dropout: bool = True, train: Mapping[str, object] | None = None
) -> runtime.Model:
    return runtime.Model(network(dropout=dropout, train=train).check().bind(N=batch), seed=seed)


def sample(count: int = COUNT, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    images = rng.standard_normal((count, 1, 6, 6)).astype(np.float32)
    images[np.arange(count), 0, labels] += 3
    return images, labels


def refused(
    code: str,
    images: Inputs,
    labels: Targets,
    *,
    net: runtime.Model | None = None,
    resume: Path | None = None,
    **options: Unpack[Options],
) -> str:
    with pytest.raises(PlannerError) as caught:
        (net or model()).fit(images, labels, progress=False, resume=resume, **options)
    assert [finding.code for finding in caught.value.findings] == [code]
    return str(caught.value)


def test_a_network_learns_and_the_history_tells_how() -> None:
    images, labels = sample(200)
    net = model(train={"epochs": 6, "optimizer": {"adam": {"lr": 0.01}}})
    history = net.fit(images, labels, validation=sample(50, seed=1), progress=False)
    assert len(history) == 6
    assert history["loss"][-1] < history["loss"][0] / 2
    assert history.last["val_accuracy"] > 0.9
    scores = net.evaluate(*sample(50, seed=1))
    assert scores == {"loss": history.last["val_loss"], "accuracy": history.last["val_accuracy"]}
    assert not history.interrupted


def test_every_image_is_seen_once_an_epoch_the_smaller_last_batch_included() -> None:
    counts: list[int] = []

    class Counting(Silent):
        def step(self, images: int, loss: float, accuracy: float | None) -> None:
            counts.append(images)

    model().fit(*sample(), epochs=2, progress=Counting())
    assert counts == [8, 8, 8, 8, 8, 8, 5] * 2


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not() -> None:
    runs = []
    for seed in (7, 7, 8):
        net = model()
        net.fit(*sample(), epochs=2, progress=False, seed=seed)
        runs.append(net.flat_parameters.copy())
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


@pytest.mark.parametrize("optimizer", ["sgd", "adam", {"sgd": {"momentum": 0}}])
@pytest.mark.parametrize("stop_at", [3, 7, 10])
def test_a_run_stopped_by_ctrl_c_goes_on_bit_for_bit(
    tmp_path: Path, optimizer: str | Mapping[str, object], stop_at: int
) -> None:
    path = tmp_path / "c.safetensors"
    options: Options = {"epochs": 3, "optimizer": optimizer, "validation": sample(10, seed=1)}
    whole = model()
    unbroken = whole.fit(*sample(), progress=False, **options)
    shown = Interrupting(stop_at)
    stopped = model().fit(*sample(), progress=shown, save=path, **options)
    assert stopped.interrupted
    assert "stopped in epoch" in shown.said[0]
    fresh = model(seed=99)
    resumed = fresh.fit(*sample(), progress=False, resume=path, save=path, validation=options["validation"])
    np.testing.assert_array_equal(fresh.flat_parameters, whole.flat_parameters)
    for name, buffer in whole.buffers.items():
        np.testing.assert_array_equal(fresh.buffers[name], buffer)
    assert fresh.rng.bit_generator.state == whole.rng.bit_generator.state
    for column in ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr_first", "lr_last"):
        assert resumed[column] == unbroken[column]
    assert not resumed.interrupted


def test_a_finished_run_can_be_given_more_epochs(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    whole, parts = model(), model()
    whole.fit(*sample(), epochs=4, progress=False)
    parts.fit(*sample(), epochs=2, progress=False, save=path)
    model(seed=5).fit(*sample(), epochs=4, progress=False, resume=path, save=path)
    again = runtime.Model.load(path)
    np.testing.assert_array_equal(again.flat_parameters, whole.flat_parameters)


def test_ctrl_c_is_the_users_own_again_after_a_run() -> None:
    before = signal.getsignal(signal.SIGINT)
    model().fit(*sample(), epochs=1, progress=Interrupting(1))
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("options", "words"),
    [({"optimizer": "adam"}, "its optimizer is sgd, not adam"), ({"batch": 4}, "stopped inside an epoch")],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path, options: Options, words: str) -> None:
    path = tmp_path / "c.safetensors"
    model().fit(*sample(), epochs=2, progress=Interrupting(2), save=path)
    assert words in refused("R507", *sample(), resume=path, **options)


def test_plain_weights_cannot_be_resumed(tmp_path: Path) -> None:
    model().save(tmp_path / "w.safetensors")
    assert "holds only weights" in refused("R507", *sample(), resume=tmp_path / "w.safetensors")


def test_divergence_stops_with_the_place_and_a_smaller_rate() -> None:
    with np.errstate(all="ignore"):
        text = refused("R506", *sample(), lr=1e6, epochs=50, net=model(dropout=False), loss="mse")
    assert "epoch" in text
    assert "try 100000" in text


def test_images_that_are_not_finite_are_named() -> None:
    images, labels = sample()
    images[17, 0, 3, 3] = np.nan
    with np.errstate(all="ignore"):
        assert "image 17" in refused("R506", images, labels, epochs=1)


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_cross_entropy_on_probabilities_is_refused_by_fit_and_evaluate(kind: str) -> None:
    net = runtime.Model(network(planner.layer(kind, name="prob")).check().bind(N=8))
    assert "`prob`" in refused("R501", *sample(), net=net)
    with pytest.raises(PlannerError, match="R501"):
        net.evaluate(*sample())
    assert net.fit(*sample(), loss="mse", epochs=1, progress=False).last["loss"] < 1


@pytest.mark.parametrize(
    ("code", "images", "labels", "words"),
    [
        ("R502", np.zeros((5, 6, 6, 1)), np.zeros(5, int), "channels first"),
        ("R502", np.zeros((5, 1, 8, 8)), np.zeros(5, int), "input: [N, 1, 8, 8]"),
        ("R502", {"imag": np.zeros((5, 1, 6, 6))}, np.zeros(5, int), "did you mean `image`?"),
        ("R502", np.array(["a"]), np.zeros(1, int), "takes numbers"),
        ("R502", 3.0, np.zeros(1, int), "got no axes"),
        ("R503", np.zeros((5, 1, 6, 6)), np.zeros(4, int), "5 images, but 4 labels"),
        ("R503", np.zeros((5, 1, 6, 6)), {"outt": np.zeros(5, int)}, "did you mean `out`?"),
        ("R503", np.zeros((5, 1, 6, 6)), {}, "no labels"),
        ("R510", np.zeros((0, 1, 6, 6)), np.zeros(0, int), "no images"),
    ],
)
def test_data_that_does_not_fit_is_refused_before_the_first_step(
    code: str, images: Inputs, labels: Targets, words: str
) -> None:
    assert words in refused(code, images, labels)


@pytest.mark.parametrize(
    "options", [{"epochs": 0}, {"batch": 0}, {"lr": -1.0}, {"optimizer": "sdg"}, {"loss": "hinge"}]
)
def test_wrong_settings_are_refused_with_the_codes_of_specs(options: Options) -> None:
    refused("N107", *sample(), **options)


def test_a_network_without_parameters_has_nothing_to_train() -> None:
    net = planner.Network(name="p", input={"x": ("N", 3)}, layers=[planner.layer("relu", name="out")])
    fixed = runtime.Model(net.check().bind(N=2))
    assert "nothing to train" in refused("R510", np.zeros((4, 3)), np.zeros(4, int), net=fixed)


def two_in_two_out() -> runtime.Model:
    layers = [
        planner.layer("dense", name="a", from_="x", units=3),
        planner.layer("dense", name="b", from_="y", units=3),
        planner.layer("add", name="s", from_=("a", "b")),
        planner.layer("dense", name="classes", from_="s", units=2),
        planner.layer("dense", name="other", from_="s", units=4),
    ]
    net = planner.Network(name="t", input={"x": ("N", 5), "y": ("N", 2)}, layers=layers, output=["classes", "other"])
    return runtime.Model(net.check().bind(N=4))


def test_several_inputs_and_outputs_go_by_name() -> None:
    rng = np.random.default_rng(0)
    images = {"x": rng.standard_normal((9, 5)), "y": rng.standard_normal((9, 2))}
    labels = {"classes": rng.integers(0, 2, 9), "other": rng.integers(0, 4, 9)}
    net = two_in_two_out()
    history = net.fit(images, labels, epochs=3, progress=False)
    scores = net.evaluate(images, labels)
    assert history["loss"][-1] < history["loss"][0]
    each = [net.evaluate(images, {name: values})["loss"] for name, values in labels.items()]
    assert scores["loss"] == pytest.approx(sum(each))
    assert {name: values.shape for name, values in net.predict(images).items()} == {"classes": (9, 2), "other": (9, 4)}


def test_outputs_without_labels_take_no_part() -> None:
    rng = np.random.default_rng(0)
    images = {"x": rng.standard_normal((8, 5)), "y": rng.standard_normal((8, 2))}
    net = two_in_two_out()
    before = net.parameters["other.weight"].copy()
    net.fit(images, {"classes": rng.integers(0, 2, 8)}, epochs=1, progress=False)
    np.testing.assert_array_equal(net.parameters["other.weight"], before)


def test_predictions_are_those_of_the_model_for_any_number_of_images() -> None:
    images, _ = sample()
    net = model()
    np.testing.assert_array_equal(net.predict(images), net(images))
    scaled = Images((images * 10 + 100).astype(np.uint8), 0.5)
    np.testing.assert_array_equal(net.predict(scaled), net(np.asarray(scaled)))
    assert net.predict(images[:0]).shape == (0, 3)


@pytest.mark.other_frameworks
def test_training_follows_pytorch_step_by_step() -> None:
    torch = pytest.importorskip("torch")
    images, labels = sample(24)
    net = runtime.Model(
        planner.Network(
            name="p",
            input={"image": ("N", 1, 6, 6)},
            layers=[
                planner.layer("conv", name="c", filters=4, kernel=3, act="tanh"),
                planner.layer("flatten"),
                planner.layer("dense", name="d", units=3),
            ],
        )
        .check()
        .bind(N=24, dtype="float64")
    )
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(64, 3)
    ).double()
    with torch.no_grad():
        for mine, other in zip(net.parameters.values(), theirs.parameters(), strict=True):
            other.copy_(torch.tensor(mine))
    judge = torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=0.1)
    losses: list[float] = []
    for _ in range(5):
        judge.zero_grad()
        loss = torch.nn.functional.cross_entropy(theirs(torch.tensor(images).double()), torch.tensor(labels))
        losses.append(loss.item())
        loss.backward()
        judge.step()
    history = net.fit(images, labels, epochs=5, optimizer=AdamW(lr=0.01, weight_decay=0.1), progress=False)
    assert history.last["loss"] == pytest.approx(losses[-1], rel=1e-9)
    for mine, other in zip(net.parameters.values(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(mine, other.detach().numpy(), rtol=1e-8, atol=1e-10)


def test_a_checkpoint_is_also_a_weights_file(tmp_path: Path) -> None:
    net = model()
    net.fit(*sample(), epochs=1, progress=False, save=tmp_path / "c.safetensors")
    np.testing.assert_array_equal(runtime.Model.load(tmp_path / "c.safetensors").flat_parameters, net.flat_parameters)
    assert weights.read(tmp_path / "c.safetensors").training is not None


def test_steady_steps_allocate_nothing_that_grows_with_the_batch() -> None:
    class Tracing(Silent):
        def __init__(self) -> None:
            self.steps, self.peak = 0, 0

        def step(self, images: int, loss: float, accuracy: float | None) -> None:
            self.steps += 1
            if self.steps == 3:
                tracemalloc.start()
            if self.steps == 6:
                self.peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()

    peaks = []
    for batch in (16, 256):
        shown = Tracing()
        model(batch=batch).fit(*sample(batch * 6), epochs=1, progress=shown)
        peaks.append(shown.peak)
    assert peaks[1] < peaks[0] + 40_000
