"""A fused model computes what the model it was made of does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import planner
import runtime
from planner import Entry, Network, layer
from planner.spec import read, write

Array = NDArray[Any]


def used(model: runtime.Model, seed: int = 0) -> runtime.Model:
    """Return the model after its numbers were made what training might leave: no factor 1, no mean 0."""
    rng = np.random.default_rng(seed)
    for name, array in {**model.parameters, **model.buffers}.items():
        if array.ndim == 1:
            array[...] = rng.uniform(0.5, 2.0, array.shape) * (1 if name.endswith("var") else rng.choice([-1, 1]))
    return model


def inputs(model: runtime.Model) -> dict[str, Array]:
    rng = np.random.default_rng(1)
    return {name: rng.standard_normal(shape) for name, shape in model.bound.input_shapes.items()}


def outputs(model: runtime.Model, x: dict[str, Array]) -> dict[str, Array]:
    found = model(x)
    return found if isinstance(found, dict) else dict.fromkeys(model.bound.outputs, found)


def assert_same(model: runtime.Model, fused: runtime.Model) -> None:
    x = inputs(model)
    expected, found = outputs(model, x), outputs(fused, x)
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-10, atol=1e-12 * np.abs(array).max())


def made(*layers: Entry, image: tuple[int | str, ...] = ("N", 4, 7, 6), dtype: Any = "float64") -> runtime.Model:
    plan = Network(name="t", input={"x": image}, layers=layers).check()
    return used(runtime.Model(plan.bind(N=3, dtype=dtype)))


SETTINGS: dict[str, Any] = {"filters": 6, "kernel": 3, "pad": 1}
CASES: dict[str, tuple[tuple[int | str, ...], Entry]] = {
    "conv": (("N", 4, 7, 6), layer("conv", **SETTINGS, norm="batch")),
    "without bias": (("N", 4, 7, 6), layer("conv", **SETTINGS, bias=False, norm="batch")),
    "no factor": (("N", 4, 7, 6), layer("conv", **SETTINGS, norm={"batch": {"affine": False, "eps": 0.1}})),
    "groups": (("N", 4, 7, 6), layer("conv", **SETTINGS, groups=2, norm="batch")),
    "depthwise": (("N", 4, 7, 6), layer("conv", **SETTINGS | {"filters": 8}, groups=4, stride=2, norm="batch")),
    "one axis": (("N", 4, 9), layer("conv", **SETTINGS, norm="batch")),
    "three axes": (("N", 4, 4, 5, 6), layer("conv", **SETTINGS, norm="batch")),
    "transposed": (("N", 4, 7, 6), layer("convtranspose", **SETTINGS, stride=2, norm="batch")),
    "transposed groups": (("N", 4, 7, 6), layer("convtranspose", **SETTINGS, stride=2, groups=2, norm="batch")),
    "dense": (("N", 5), layer("dense", units=3, bias=False, norm="batch")),
}


@pytest.mark.parametrize("case", CASES)
def test_every_layer_with_a_norm_in_it_computes_both(case: str) -> None:
    image, entry = CASES[case]
    model = made(entry, image=image)
    fused = model.fused()
    assert len(fused.bound.nodes) == 2
    assert_same(model, fused)


@pytest.mark.other_frameworks
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("case", ["conv", "groups", "depthwise", "three axes", "transposed", "dense"])
def test_the_weights_are_those_that_pytorch_computes(case: str, affine: bool) -> None:
    torch = pytest.importorskip("torch")
    from torch.nn.utils import fusion

    image, entry = CASES[case]
    model = made(replace(entry, name="a", norm={"batch": {"affine": affine, "eps": 0.01}}), image=image)
    arrays = {name: torch.tensor(array) for name, array in {**model.parameters, **model.buffers}.items()}
    arrays = {"a.bias": None, "a.norm.weight": torch.ones(()), "a.norm.bias": torch.zeros(())} | arrays
    names = ("weight", "bias", "norm.running_mean", "norm.running_var", "norm.weight", "norm.bias")
    weight, bias, mean, variance, scale, shift = (arrays[f"a.{name}"] for name in names)
    if case == "dense":
        theirs = fusion.fuse_linear_bn_weights(weight, bias, mean, variance, 0.01, scale, shift)
    else:
        theirs = fusion.fuse_conv_bn_weights(
            weight, bias, mean, variance, 0.01, scale, shift, transpose=case == "transposed"
        )
    for mine, other in zip(model.fused().parameters.values(), theirs, strict=True):
        np.testing.assert_allclose(mine, other.detach().numpy(), rtol=1e-12)


def test_single_precision_is_rounded_once() -> None:
    entry = layer("conv", name="a", **SETTINGS, norm="batch")
    single, double = made(entry, dtype="float32"), made(entry, dtype="float64")
    double.flat_parameters[:] = single.flat_parameters
    double.flat_buffers[:] = single.flat_buffers
    rounded = double.fused().flat_parameters.astype(np.float32)
    np.testing.assert_array_equal(single.fused().flat_parameters, rounded)


def test_neither_model_changes_with_the_other() -> None:
    model = made(layer("conv", name="a", **SETTINGS, norm="batch"), layer("conv", name="b", filters=2, kernel=1))
    fused, x = model.fused(), inputs(model)
    before = outputs(fused, x)
    for array in (model.flat_parameters, model.flat_buffers):
        array *= 3
    again = outputs(fused, x)
    assert all(np.array_equal(before[name], again[name]) for name in before)


def test_a_model_with_nothing_to_fuse_is_copied_bit_for_bit() -> None:
    model = made(layer("conv", name="a", **SETTINGS, act="prelu"), layer("batchnorm"), layer("gap"))
    fused, x = model.fused(), inputs(model)
    assert fused is not model
    assert fused.bound == model.bound
    for mine, theirs in ((fused.flat_parameters, model.flat_parameters), (fused.flat_buffers, model.flat_buffers)):
        assert np.array_equal(mine, theirs)
        assert not np.shares_memory(mine, theirs)
    assert all(np.array_equal(array, outputs(model, x)[name]) for name, array in outputs(fused, x).items())


def test_a_fused_model_is_saved_with_the_network_it_is_of(tmp_path: Path) -> None:
    model = made(layer("conv", name="a", **SETTINGS, norm="batch", act="relu"), layer("dropout2d"), layer("gap"))
    fused = model.fused()
    fused.save(tmp_path / "fused.safetensors")
    loaded = runtime.Model.load(tmp_path / "fused.safetensors")
    assert list(loaded.parameters) == ["a.weight", "a.bias"]
    assert_same(model, loaded)


def drawn(rng: Random) -> Network:
    """Return a network of convolutions, norms, activations and dropouts that read each other by any name."""
    tensors, layers = ["x"], []
    for index in range(rng.randint(2, 9)):
        name = f"l{index}"
        kind = rng.choice(["conv", "conv", "conv", "batchnorm", "batchnorm", "dropout", "dropout2d", "relu", "add"])
        more: dict[str, Any] = (
            {"filters": 2, "kernel": 3, "pad": 1, "bias": rng.random() < 0.5} if kind == "conv" else {}
        )
        if rng.random() < 0.4:
            more["norm"] = rng.choice(["batch", "batch", {"layer": {"affine": True}}])
        if rng.random() < 0.4:
            more["act"] = rng.choice(["tanh", "prelu"])
        if rng.random() < 0.1:
            more["expect"] = ("N", 2, 4, rng.choice([4, "W"]))
        last = tensors[-1] if rng.random() < 0.8 else rng.choice(tensors)
        layers.append(layer(kind, name=name, from_=[last, rng.choice(tensors)] if kind == "add" else last, **more))
        tensors += [f"{name}.{role}" for role in ("norm", "act") if role in more and rng.random() < 0.3]
        tensors.append(name)
    read_names = {name for each in layers for name in (each.from_ if isinstance(each.from_, tuple) else (each.from_,))}
    ends = [name for name in tensors[1:] if name not in read_names or rng.random() < 0.1]
    return Network(name="drawn", input={"x": ("N", 2, 4, "W")}, layers=layers, output=dict.fromkeys(ends))


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_any_network_can_be_written_fused(seed: int) -> None:
    network = drawn(Random(seed))
    fused = planner.fuse(network)
    again, findings = read(write(fused), "fused.yaml")
    assert again is not None and not findings, findings
    assert (again.nodes, again.outputs) == (fused.nodes, fused.outputs)
    assert set(again.expectations) == set(fused.expectations)
    assert list(fused.outputs) == list(network.outputs)
    assert planner.fuse(fused) == fused


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_any_network_computes_the_same_fused(seed: int) -> None:
    model = used(runtime.Model(drawn(Random(seed)).check().bind(N=2, W=4, dtype="float64")), seed)
    assert_same(model, model.fused())
