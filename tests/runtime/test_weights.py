"""Weights files: what is saved is what is read, whole files only, other networks refused."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

import planner
import runtime
from planner.findings import PlannerError
from planner.lowering.node import DType
from planner.plan.plan import BoundPlan
from runtime import files, weights


def network(units: int = 4) -> planner.Network:
    return planner.Network(
        name="small",
        input={"image": ("N", 1, 8, 8)},
        layers=[
            planner.layer("conv", name="c1", filters=3, kernel=3, norm="batch", act="relu"),
            planner.layer("flatten"),
            planner.layer("dense", name="out", units=units),
        ],
    )


def model(seed: int = 0, units: int = 4, dtype: DType = "float32") -> runtime.Model:
    return runtime.Model(network(units).check().bind(N=5, dtype=dtype), seed=seed)


@dataclass
class Fortran:
    """A model whose arrays are views that are not contiguous."""

    real: runtime.Model

    @property
    def bound(self) -> BoundPlan:
        return self.real.bound

    @property
    def parameters(self) -> Mapping[str, NDArray[np.float64]]:
        return {"t": np.arange(12.0).reshape(3, 4).T, "s": np.arange(20.0)[::2]}

    @property
    def buffers(self) -> Mapping[str, NDArray[np.float64]]:
        return {}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loaded_model_is_the_saved_one_bit_for_bit(tmp_path: Path, dtype: DType) -> None:
    saved = model(seed=3, dtype=dtype)
    saved.buffers["c1.norm.running_mean"][:] = [1, 2, 3]
    saved.save(tmp_path / "w.safetensors")
    loaded = runtime.Model.load(tmp_path / "w.safetensors")
    assert loaded.bound.sizes == saved.bound.sizes
    for mine, theirs in ((saved.parameters, loaded.parameters), (saved.buffers, loaded.buffers)):
        assert list(mine) == list(theirs)
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name])
    x = np.random.default_rng(0).standard_normal((7, 1, 8, 8))
    np.testing.assert_array_equal(saved(x), loaded(x))


def test_arrays_that_are_not_contiguous_are_saved_as_they_read(tmp_path: Path) -> None:
    odd = Fortran(model())
    weights.save(odd, tmp_path / "w.safetensors")
    for name, array in weights.read(tmp_path / "w.safetensors").arrays.items():
        np.testing.assert_array_equal(array, odd.parameters[name])


def test_a_file_tells_the_spec_and_the_optimizers_state(tmp_path: Path) -> None:
    state = tuple(np.full(3, float(i)) for i in range(11))
    weights.save(model(), tmp_path / "w.safetensors", state=state, training={"epoch": 2**70, "loss": 0.1})
    saved = weights.read(tmp_path / "w.safetensors")
    assert [float(array[0]) for array in saved.state] == list(range(11))
    assert saved.training == {"epoch": 2**70, "loss": 0.1}
    assert "name: small" in saved.spec
    assert not any(name.startswith("optimizer") for name in saved.arrays)


def test_weights_of_another_network_are_refused_with_every_difference_and_nothing_written(tmp_path: Path) -> None:
    model(units=4).save(tmp_path / "w.safetensors")
    other = model(seed=1, units=6)
    before = other.flat_parameters.copy()
    with pytest.raises(PlannerError) as caught:
        weights.restore(other, tmp_path / "w.safetensors")
    (finding,) = caught.value.findings
    assert finding.code == "R507"
    assert any("`out.weight` is 4 x 108 in the file and 6 x 108" in note for note in finding.notes)
    assert any("`out.bias`" in note for note in finding.notes)
    np.testing.assert_array_equal(other.flat_parameters, before)


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff" * 64, "cut", "foreign", "no sizes"])
def test_files_that_hold_no_network_of_ours_are_refused(tmp_path: Path, content: bytes | str | None) -> None:
    from safetensors.numpy import save

    path = tmp_path / "w.safetensors"
    if content == "cut":
        model().save(path)
        path.write_bytes(path.read_bytes()[:-10])
    elif content == "foreign":
        path.write_bytes(save({"a": np.zeros(3)}))
    elif content == "no sizes":
        path.write_bytes(save({"a": np.zeros(3)}, {"format": weights.FORMAT}))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(PlannerError) as caught:
        runtime.Model.load(path)
    assert caught.value.findings[0].code == "R508"


def test_a_folder_in_the_place_of_a_file_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(PlannerError):
        weights.read(tmp_path)
    with pytest.raises(PlannerError):
        model().save(tmp_path)


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.safetensors"
    files.write_whole(path, b"old")

    def full(_: int) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PlannerError, match="No space left"):
        files.write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["w.safetensors"]
