"""A layer used several times is what PyTorch makes of one module called several times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner
import runtime
from planner import layer

SHAPE = (4, 3, 7, 6)
CONV: dict[str, Any] = {"filters": 5, "kernel": 3, "norm": "batch", "act": "tanh"}


def siamese(batch: int | str = "N") -> planner.Network:
    """Return two towers of the same layers on two inputs, the last layer once more behind itself."""
    layers = []
    for side, use in (("left", False), ("right", True)):
        def name(of: str, side: str = side) -> str:
            return f"{side}.{of}"

        def shared(of: str, again: bool = use, **settings: Any) -> dict[str, Any]:
            return {"use": f"left.{of}"} if again else settings

        layers += [
            layer("conv", name=name("conv"), from_=side, **shared("conv", **CONV)),
            layer("prelu", name=name("prelu"), **shared("prelu")),
            layer("gap", name=name("gap")),
            layer("flatten", name=name("flat")),
            layer("dense", name=name("dense"), **shared("dense", units=5)),
        ]
    layers += [
        layer("dense", name="more", use="left.dense"),
        layer("concat", name="both", from_=["left.dense", "more"]),
        layer("dense", name="out", units=3),
    ]
    shape = (batch, *SHAPE[1:])
    return planner.Network(name="siamese", input={"left": shape, "right": shape}, layers=layers)


def torch_reference(torch: Any, arrays: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a function of two images, and its modules by name, with our weights."""
    nn = torch.nn
    modules = {
        "left.conv": nn.Conv2d(3, 5, 3),
        "left.conv.norm": nn.BatchNorm2d(5),
        "left.prelu": nn.PReLU(),
        "left.dense": nn.Linear(5, 5),
        "out": nn.Linear(10, 3),
    }
    for name, module in modules.items():
        module.double()
        for key, array in module.state_dict().items():
            if f"{name}.{key}" in arrays:
                array.copy_(torch.tensor(arrays[f"{name}.{key}"]))

    def tower(x: Any) -> Any:
        y = torch.tanh(modules["left.conv.norm"](modules["left.conv"](x)))
        return modules["left.dense"](modules["left.prelu"](y).mean((2, 3)))

    def whole(left: Any, right: Any) -> Any:
        first = tower(left)
        return modules["out"](torch.cat([first, modules["left.dense"](tower(right))], 1))

    return whole, modules


@pytest.mark.other_frameworks
def test_values_gradients_and_running_statistics_are_those_of_one_module_called_twice() -> None:
    torch = pytest.importorskip("torch")
    model = runtime.Model(siamese().check().bind(dtype="float64", N=4), seed=1)
    rng = np.random.default_rng(0)
    for array in model.parameters.values():
        array[...] = rng.standard_normal(array.shape)
    x = {"left": rng.standard_normal(SHAPE), "right": rng.standard_normal(SHAPE)}
    whole, modules = torch_reference(torch, {**model.parameters, **model.buffers})
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in x.items()}
    judged = whole(leaves["left"], leaves["right"])
    projection = rng.standard_normal(tuple(judged.shape))
    judged.backward(torch.tensor(projection))
    told, grad_inputs, grad_parameters = model.gradients(x, projection)
    # float64 sums of a few hundred products, five deep
    np.testing.assert_allclose(told, judged.detach().numpy(), rtol=0, atol=1e-11)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(grad_inputs[name], leaf.grad.numpy(), rtol=0, atol=1e-10)
    owned = {f"{name}.{key}": p for name, module in modules.items() for key, p in module.named_parameters()}
    assert set(owned) == set(grad_parameters)
    for name, parameter in owned.items():
        np.testing.assert_allclose(grad_parameters[name], parameter.grad.numpy(), rtol=0, atol=1e-10)
    norm = modules["left.conv.norm"]
    np.testing.assert_allclose(model.buffers["left.conv.norm.running_mean"], norm.running_mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(model.buffers["left.conv.norm.running_var"], norm.running_var, rtol=0, atol=1e-12)
    for module in modules.values():
        module.eval()
    resting = whole(leaves["left"], leaves["right"]).detach().numpy()
    np.testing.assert_allclose(model(x), resting, rtol=0, atol=1e-11)


def test_weights_are_saved_once_and_come_back(tmp_path: Any) -> None:
    model = runtime.Model(siamese().check().bind(N=4), seed=3)
    x = {name: np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32) for name in ("left", "right")}
    path = model.save(tmp_path / "siamese.safetensors")
    saved = runtime.weights.read(path)
    assert {name.rsplit(".", 1)[0] for name in saved.arrays} == {
        "left.conv", "left.conv.norm", "left.prelu", "left.dense", "out",
    }  # fmt: skip
    again = runtime.Model.load(path)
    assert again(x).tobytes() == model(x).tobytes()


def test_a_siamese_network_learns_which_of_two_images_is_brighter() -> None:
    model = runtime.Model(siamese().check().bind(N=16), seed=0)
    rng = np.random.default_rng(0)
    left = rng.standard_normal((128, *SHAPE[1:])).astype(np.float32) + rng.choice([-1, 1], (128, 1, 1, 1))
    right = rng.standard_normal((128, *SHAPE[1:])).astype(np.float32) + rng.choice([-1, 1], (128, 1, 1, 1))
    labels = (left.mean((1, 2, 3)) > right.mean((1, 2, 3))).astype(int)
    history = model.fit({"left": left, "right": right}, labels, epochs=30, lr=0.1, progress=False)
    assert history.rows[-1]["loss"] < 0.7 * history.rows[0]["loss"]


@st.composite
def webs(draw: st.DrawFn) -> list[planner.Entry]:
    """Return layers that read any earlier ones, some of them once more the same, in any order."""
    names, entries = ["x"], []
    owners: dict[str, list[str]] = {"conv": [], "dense": [], "batchnorm": []}
    for index in range(draw(st.integers(2, 7))):
        name, source = f"l{index}", draw(st.sampled_from(names))
        kind = draw(st.sampled_from(["conv", "conv", "batchnorm", "add", "tanh"]))
        if kind == "add":
            entry = layer("add", name=name, from_=[source, draw(st.sampled_from(names))])
        elif kind == "tanh":
            entry = layer("tanh", name=name, from_=source)
        elif draw(st.booleans()) and owners[kind]:
            entry = layer(kind, name=name, from_=source, use=draw(st.sampled_from(owners[kind])))
        elif kind == "conv":
            act, norm = draw(st.sampled_from([None, "tanh", "sigmoid"])), draw(st.sampled_from([None, "batch"]))
            entry = layer("conv", name=name, from_=source, filters=3, kernel=3, pad=1, act=act, norm=norm)
        else:
            entry = layer("batchnorm", name=name, from_=source)
        if kind in owners:
            owners[kind].append(name)
        names.append(name)
        entries.append(entry)
    sources = [[entry.from_] if isinstance(entry.from_, str) else entry.from_ or () for entry in entries]
    read = {name for each in sources for name in each}
    ends = [name for name in names if name not in read]
    return [*entries, layer("concat", name="all", from_=ends)] if len(ends) > 1 else entries


@settings(max_examples=40)
@given(webs())
def test_shared_layers_are_separate_ones_whose_gradients_are_added(layers: list[planner.Entry]) -> None:
    shared = planner.Network(name="shared", input={"x": ("N", 3, 5, 4)}, layers=layers)
    owners = {node.name: node.owner or node.name for node in shared.nodes}
    apart = shared.altered(nodes=tuple(replace(node, owner="") for node in shared.nodes))
    one, other = (runtime.Model(net.check().bind(dtype="float64", N=2), seed=0) for net in (shared, apart))
    rng = np.random.default_rng(0)
    for array in one.parameters.values():
        array[...] = rng.standard_normal(array.shape)

    def owned(name: str) -> str:
        node, _, array = name.rpartition(".")
        return f"{owners[node]}.{array}"

    for name, array in other.parameters.items():
        array[...] = one.parameters[owned(name)]
    x = rng.standard_normal((2, 3, 5, 4))
    assert one(x).tobytes() == other(x).tobytes()
    projection = rng.standard_normal(one(x).shape)
    told, grad_inputs, grad_parameters = one.gradients(x, projection)
    expected, expected_inputs, parts = other.gradients(x, projection)
    assert told.tobytes() == expected.tobytes()
    assert grad_inputs["x"].tobytes() == expected_inputs["x"].tobytes()
    sums = {name: np.zeros_like(array) for name, array in grad_parameters.items()}
    for name, array in parts.items():
        sums[owned(name)] += array
    for name, array in sums.items():
        # the same numbers, added in another order
        np.testing.assert_allclose(grad_parameters[name], array, rtol=1e-12, atol=1e-12)
