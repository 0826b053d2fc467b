"""Ready blocks: used undeclared, expanded for all to see, judged against PyTorch, wrong uses told where they stand."""

from __future__ import annotations

import numpy as np
import pytest

import runtime
from planner.spec import read
from planner.spec.library import library
from planner.spec.write import write

HEAD = "spec: 1\nname: x\ninput: {image: [N, 16, H, W]}\n"


def spec(*lines: str, blocks: str = "") -> str:
    """Return the text of a spec with these layers."""
    return HEAD + blocks + "layers:\n" + "".join(f"  - {line}\n" for line in lines)


def test_squeeze_and_excitation_is_five_layers_with_names() -> None:
    network, findings = read(spec("block: {use: squeeze_excite, name: se, reduction: 4}"), "x.yaml")
    assert network is not None and not findings
    assert [node.name for node in network.nodes if not node.role] == [
        "image", "se.mean", "se.reduced", "se.gate", "se.scaled",
    ]  # fmt: skip
    assert network.by_name["se.scaled"].inputs == ("image", "se.gate.act")
    plan = network.check()
    assert plan.parameter_count == (16 * 4 + 4) + (4 * 16 + 16)
    assert plan.by_name["se.reduced"].output_shape[1] == 4
    assert str(plan.by_name["se.scaled"].output_shape) == "(N, 16, H, W)"
    again, findings = read(write(network), "again.yaml")
    assert again == network and not findings


@pytest.mark.parametrize(
    ("use", "between", "acts"),
    [
        ("reduction: 16", 1, ["relu", "sigmoid"]),
        ("squeeze: 5, act: silu", 5, ["silu", "sigmoid"]),
        ("squeeze: 8, gate: hard_sigmoid", 8, ["relu", "hard_sigmoid"]),
    ],
)
def test_its_width_activation_and_gate_are_parameters(use: str, between: int, acts: list[str]) -> None:
    network, findings = read(spec(f"block: {{use: squeeze_excite, name: se, {use}}}"), "x.yaml")
    assert network is not None and not findings
    plan = network.check()
    assert plan.by_name["se.gate"].input_shapes[0][1] == between
    assert [node.kind for node in plan.nodes if node.role == "act"] == acts


@pytest.mark.other_frameworks
def test_it_computes_what_pytorch_makes_of_the_paper() -> None:
    torch = pytest.importorskip("torch")
    network, _ = read(spec("block: {use: squeeze_excite, name: se, reduction: 4}"), "x.yaml")
    assert network is not None
    model = runtime.Model(network.check().bind(dtype="float64", N=3, H=5, W=4), seed=1)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 16, 5, 4))
    for array in model.parameters.values():
        array[...] = rng.standard_normal(array.shape)
    arrays = {name: torch.tensor(array, requires_grad=True) for name, array in model.parameters.items()}
    leaf = torch.tensor(x, requires_grad=True)
    functional = torch.nn.functional
    y = leaf.mean((2, 3), keepdim=True)
    y = functional.relu(functional.conv2d(y, arrays["se.reduced.weight"], arrays["se.reduced.bias"]))
    y = leaf * torch.sigmoid(functional.conv2d(y, arrays["se.gate.weight"], arrays["se.gate.bias"]))
    projection = rng.standard_normal(x.shape)
    y.backward(torch.tensor(projection))
    told, grad_inputs, grad_parameters = model.gradients(x, projection)
    # float64 sums of some hundred products
    np.testing.assert_allclose(told, y.detach().numpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(grad_inputs["image"], leaf.grad.numpy(), rtol=0, atol=1e-11)
    for name, array in arrays.items():
        np.testing.assert_allclose(grad_parameters[name], array.grad.numpy(), rtol=0, atol=1e-11)


def test_it_may_stand_in_a_block_and_a_block_of_that_name_takes_its_place() -> None:
    layers = "[conv: {filters: $c, kernel: 1}, block: {use: squeeze_excite}]"
    inside = f"blocks:\n  b: {{params: {{c: int}}, layers: {layers}}}\n"
    network, findings = read(spec("block: {use: b, name: s, c: 32, repeat: 2}", blocks=inside), "x.yaml")
    assert network is not None and not findings
    assert network.check().by_name["s.2.squeeze_excite1.reduced"].output_shape[1] == 2
    own = "blocks:\n  squeeze_excite: {layers: [relu]}\n"
    network, findings = read(spec("block: {use: squeeze_excite, name: se}", blocks=own), "x.yaml")
    assert network is not None and not findings
    assert [node.name for node in network.nodes] == ["image", "se.relu1"]
    assert list(library()) == ["squeeze_excite"]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("block: {use: squeeze_excite, reduction: 99}", "N107", "`filters` must be at least 1, got 0"),
        ("block: {use: squeeze_excite, reduction: 0}", "N112", "the divisor is 0"),
        ("block: {use: squeeze_excite, squeeze: -2}", "N107", "`filters` must be at least 1, got -2"),
        ("block: {use: squeeze_excite, gate: rellu}", "N107", "got `rellu`"),
        ("block: {use: squeeze_excite, reduce: 4}", "N101", "no setting `reduce`"),
        ("block: {use: squeeze_exite}", "N110", "there is no block `squeeze_exite`"),
        ("squeeze_excite: {reduction: 4}", "N102", "no layer kind `squeeze_excite`"),
        ("SqueezeExcitation: {reduction: 4}", "N102", "no layer kind `SqueezeExcitation`"),
    ],
)
def test_a_wrong_use_is_told_where_it_stands(line: str, code: str, words: str) -> None:
    _, findings = read(spec(line), "x.yaml")
    (finding,) = findings
    assert finding.code == code and words in finding.message
    assert finding.where is not None and (finding.where.file, finding.where.line) == ("x.yaml", 5)
    assert not finding.related


def test_sizes_that_do_not_fit_are_told_where_it_is_used() -> None:
    network, _ = read(spec("flatten", "block: {use: squeeze_excite}").replace("H, W", "8, 8"), "x.yaml")
    assert network is not None
    with pytest.raises(ValueError, match="S204") as refusal:
        network.check()
    assert "x.yaml:6" in str(refusal.value)


@pytest.mark.parametrize("axes", ["L", "D, H, W"])
def test_squeeze_and_excitation_is_for_sequences_and_volumes_too(axes: str) -> None:
    text = spec("block: {use: squeeze_excite, name: se, reduction: 4}").replace("H, W", axes)
    network, findings = read(text, "x.yaml")
    assert network is not None and not findings
    plan = network.check()
    assert plan.parameter_count == (16 * 4 + 4) + (4 * 16 + 16)
    sizes = dict.fromkeys(axes.split(", "), 3)
    model = runtime.Model(plan.bind(dtype="float64", N=2, **sizes), seed=0)
    x = np.random.default_rng(0).standard_normal((2, 16, *sizes.values()))
    gates = model(x) / x
    flat = gates.reshape(2, 16, -1)
    assert ((flat > 0) & (flat < 1)).all() and np.allclose(flat, flat[:, :, :1])
