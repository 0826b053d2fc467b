"""Several outputs: each with its loss and weight, trained together, measured apart, always under its own name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import planner
import planner.zoo
import runtime
from planner import GraphError, PlannerError, layer
from planner.lowering.node import DType
from planner.spec import read
from planner.spec.documents import member_text
from planner.spec.write import write
from runtime.cli.evaluate import evaluate
from runtime.cli.predict import predict
from runtime.cli.train import train

SPEC = """spec: 1
name: heads
input: {image: [N, 1, 8, 8]}
layers:
  - conv: {name: stem, filters: 6, kernel: 3, pad: 1, act: relu}
  - flatten
  - dense: {name: aux, units: 10}
  - conv: {from: stem, filters: 8, kernel: 3, stride: 2, act: relu}
  - flatten
  - dense: {name: out, units: 10}
output: [out, aux]
train: {epochs: 2, batch: 32, loss_weights: {aux: 0.3}}
"""


def heads(train: dict[str, Any] | None = None, dtype: DType = "float64", batch: int = 8) -> runtime.Model:
    """Return a model with a main output, an auxiliary one of classes, and one of numbers."""
    layers = [
        layer("dense", name="stem", units=7, act="tanh"),
        layer("dense", name="aux", units=3),
        layer("dense", name="box", from_="stem", units=2),
        layer("dense", name="out", from_="stem", units=4),
    ]
    network = planner.Network(name="h", input={"x": ("N", 5)}, layers=layers, output=["out", "aux", "box"], train=train)
    return runtime.Model(network.check().bind(dtype=dtype, N=batch), seed=2)


def sample(count: int = 20) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    """Return rows and what each output should say of them."""
    rng = np.random.default_rng(count)
    labels = {
        "box": rng.standard_normal((count, 2)),
        "aux": rng.integers(0, 3, count),
        "out": rng.integers(0, 4, count),
    }
    return rng.standard_normal((count, 5)), labels


@pytest.mark.other_frameworks
def test_a_step_follows_the_weighted_sum_of_the_losses_as_torch_has_it() -> None:
    torch = pytest.importorskip("torch")
    x, labels = sample(8)
    model = heads({"loss": {"box": "mse"}, "loss_weights": {"aux": 0.3, "box": 2}})
    before = {name: torch.tensor(array.copy(), requires_grad=True) for name, array in model.parameters.items()}

    def dense(name: str, y: Any) -> Any:
        return y @ before[f"{name}.weight"].T + before[f"{name}.bias"]

    stem = torch.tanh(dense("stem", torch.tensor(x)))
    functional = torch.nn.functional
    parts = {
        "out": functional.cross_entropy(dense("out", stem), torch.tensor(labels["out"])),
        "aux": functional.cross_entropy(dense("aux", stem), torch.tensor(labels["aux"])),
        "box": functional.mse_loss(dense("box", stem), torch.tensor(labels["box"])),
    }
    whole = parts["out"] + 0.3 * parts["aux"] + 2 * parts["box"]
    whole.backward()
    history = model.fit(x, labels, epochs=1, lr=0.1, progress=False)
    for name, array in model.parameters.items():
        np.testing.assert_allclose(array, (before[name] - 0.1 * before[name].grad).detach(), rtol=0, atol=1e-12)
    row = history.last
    assert row["loss"] == pytest.approx(float(whole.detach()), rel=1e-12)
    for name, part in parts.items():
        assert row[f"loss.{name}"] == pytest.approx(float(part.detach()), rel=1e-12)
    assert "accuracy.aux" in row and "accuracy.box" not in row and row["accuracy"] == row["accuracy.out"]


def test_measures_of_each_output_add_up_by_weight() -> None:
    x, labels = sample()
    model = heads({"loss": {"box": "mse"}, "loss_weights": {"aux": 0.5}})
    scores = model.evaluate(x, labels)
    assert scores["loss"] == pytest.approx(scores["loss.out"] + 0.5 * scores["loss.aux"] + scores["loss.box"])
    found = model.predict(x)
    assert list(found) == ["out", "aux", "box"]
    assert scores["accuracy.aux"] == (found["aux"].argmax(1) == labels["aux"]).mean()
    assert model.evaluate(x, labels, loss_weights={"box": 0, "aux": 0})["loss"] == scores["loss.out"]
    alone = model.evaluate(x, {"aux": labels["aux"]})
    assert set(alone) == {"loss", "accuracy"} and alone["loss"] == 0.5 * scores["loss.aux"]


def test_an_output_whose_loss_counts_nothing_is_measured_and_moves_nothing() -> None:
    x, labels = sample()
    one, other = heads({"loss": {"box": "mse"}, "loss_weights": {"box": 0}}), heads({"loss": {"box": "mse"}})
    one.fit(x, labels, epochs=2, progress=False)
    del labels["box"]
    other.fit(x, labels, epochs=2, progress=False)
    assert one.flat_parameters.tobytes() == other.flat_parameters.tobytes()


def test_the_order_of_the_labels_changes_nothing() -> None:
    x, labels = sample()
    turned = dict(reversed(labels.items()))
    settings = {"loss": {"box": "mse"}}
    first, second = (heads(settings).fit(x, each, epochs=1, progress=False) for each in (labels, turned))
    assert first["loss"] == second["loss"] and first.columns == second.columns
    assert first.columns[:8] == (
        "epoch", "loss", "loss.out", "loss.aux", "loss.box", "accuracy", "accuracy.out", "accuracy.aux",
    )  # fmt: skip


def test_a_resumed_run_with_several_outputs_is_the_unbroken_one(tmp_path: Path) -> None:
    x, labels = sample()
    settings = {"loss": {"box": "mse"}, "loss_weights": {"aux": 0.3}}
    whole, part = heads(settings), heads(settings)
    unbroken = whole.fit(x, labels, epochs=4, progress=False)
    part.fit(x, labels, epochs=2, progress=False, save=tmp_path / "c.safetensors")
    resumed = heads(settings)
    history = resumed.fit(x, labels, epochs=4, progress=False, resume=tmp_path / "c.safetensors")
    assert resumed.flat_parameters.tobytes() == whole.flat_parameters.tobytes()
    assert [row["loss.aux"] for row in history.rows] == [row["loss.aux"] for row in unbroken.rows]
    with pytest.raises(PlannerError, match=r"loss_weights is \{'aux': 1.0\}, was \{'aux': 0.3\}"):
        heads(settings).fit(x, labels, progress=False, resume=tmp_path / "c.safetensors", loss_weights={"aux": 1})


def test_settings_that_name_outputs_are_written_and_read_back() -> None:
    network, findings = read(SPEC.replace("loss_weights", "loss: {aux: mse}, loss_weights"), "heads.yaml")
    assert network is not None and not findings
    assert "loss: {aux: mse}" in write(network) and "loss_weights: {aux: 0.3}" in write(network)
    assert read(write(network), "again.yaml")[0] == network


@pytest.mark.parametrize(
    ("setting", "code", "line"),
    [
        ("loss_weights: {axu: 0.3}", "N111", "train: `loss_weights` names `axu`, which is not a network output"),
        ("loss: {stem: mse}", "N111", "train: `loss` names `stem`, which is not a network output"),
        ("loss_weights: {aux: -1}", "N107", "train: `loss_weights.aux` must be a number from 0 to 1e+06, got -1"),
        ("loss_weights: 0.3", "N107", "train: `loss_weights` must map outputs to numbers, got 0.3"),
        ("loss: {aux: mae}", "N107", "train: `loss.aux` must be one of cross_entropy, mse; got 'mae'"),
    ],
)
def test_what_names_no_output_or_is_no_weight_is_a_finding_at_its_place(setting: str, code: str, line: str) -> None:
    text = SPEC.replace("loss_weights: {aux: 0.3}", setting)
    _, findings = read(text, "heads.yaml")
    assert [(finding.code, finding.message) for finding in findings] == [(code, line)]
    where = findings[0].where
    assert where is not None and where.line == 12


def test_an_output_that_is_no_layer_is_told_once() -> None:
    _, findings = read(SPEC.replace("[out, aux]", "[out, auxx]").replace(", loss_weights: {aux: 0.3}", ""), "h.yaml")
    assert [(finding.code, finding.fixes) for finding in findings] == [("N111", ("did you mean `aux`?",))]
    with pytest.raises(GraphError, match="N111"):
        planner.Network(name="t", input={"x": ("N", 3)}, layers=[layer("relu")], output=["relu1", "y"])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"loss_weights": {"nothing": 1}}, "N111"),
        ({"loss": {"nothing": "mse"}}, "N111"),
        ({"loss_weights": {"aux": "much"}}, "N107"),
        ({"loss_weights": [1, 2]}, "N107"),
        ({"loss": {"box": 3}}, "N107"),
    ],
)
def test_wrong_losses_are_refused_before_the_first_step(options: dict[str, Any], code: str) -> None:
    x, labels = sample()
    model = heads({"loss": {"box": "mse"}})
    before = model.flat_parameters.copy()
    for ask in (model.fit, model.evaluate):
        with pytest.raises(PlannerError, match=code):
            ask(x, labels, **options)
    assert (model.flat_parameters == before).all()


def test_the_commands_train_measure_and_ask_every_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("heads.yaml").write_text(SPEC, "utf-8")
    told = CliRunner().invoke(train, ["heads.yaml", "--json"], catch_exceptions=False)
    assert told.exit_code == 0
    result = json.loads(told.stdout)
    assert result["val_accuracy"] == result["val_accuracy.out"] and "val_loss.aux" in result
    assert result["val_loss"] == pytest.approx(result["val_loss.out"] + 0.3 * result["val_loss.aux"])
    weights = result["files"]["weights"]
    scores = json.loads(CliRunner().invoke(evaluate, [weights, "--json"], catch_exceptions=False).stdout)
    assert scores["accuracy.aux"] == result["val_accuracy.aux"]
    np.save("one.npy", np.zeros((2, 8, 8), np.uint8))
    answer = CliRunner().invoke(predict, [weights, "one.npy", "--json"], catch_exceptions=False)
    assert [(row["image"], row["output"]) for row in json.loads(answer.stdout)] == [
        (0, "out"), (0, "aux"), (1, "out"), (1, "aux"),
    ]  # fmt: skip
    assert "one.npy[1] aux  " in CliRunner().invoke(predict, [weights, "one.npy"], catch_exceptions=False).stdout


def test_googlenet_with_its_auxiliary_heads_learns_their_weighted_losses() -> None:
    member = planner.zoo.MEMBERS["googlenet"]
    text = member_text(member, aux=True, classes=5, width=0.125, dropout=0.0, aux_dropout=0.0)
    network, findings = read(text, "googlenet")
    assert network is not None and not findings
    assert network.train is not None and dict(network.train.loss_weights) == {"aux1": 0.3, "aux2": 0.3}
    model = runtime.Model(network.check().bind(N=8, H=40, W=40), seed=0)
    rng = np.random.default_rng(0)
    images, labels = rng.standard_normal((8, 3, 40, 40)).astype(np.float32), rng.integers(0, 5, 8)
    labelled = dict.fromkeys(model.bound.outputs, labels)
    rows = model.fit(images, labelled, epochs=6, batch=8, lr=0.02, progress=False).rows
    for row in rows:
        assert row["loss"] == pytest.approx(row["loss.classes"] + 0.3 * (row["loss.aux1"] + row["loss.aux2"]))
    assert all(rows[-1][f"loss.{name}"] < rows[0][f"loss.{name}"] for name in model.bound.outputs)


def test_weights_may_be_numbers_of_numpy() -> None:
    x, labels = sample()
    model = heads({"loss": {"box": "mse"}})
    float_of_numpy: Any = np.float32(0.5)
    plain = model.evaluate(x, labels, loss_weights={"aux": 0.5})
    assert model.evaluate(x, labels, loss_weights={"aux": float_of_numpy}) == plain


def test_an_output_that_counts_nothing_may_be_infinitely_wrong() -> None:
    x, labels = sample()
    labels["box"] = np.full((20, 2), 1e300)
    model = heads({"loss": {"box": "mse"}, "loss_weights": {"box": 0}})
    with np.errstate(over="ignore"):
        row = model.fit(x, labels, epochs=1, progress=False).last
    assert np.isinf(row["loss.box"]) and np.isfinite(row["loss"])
    assert np.isfinite(model.flat_parameters).all()
