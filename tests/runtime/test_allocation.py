"""Memory that the machine does not have: a finding with the bytes planned, and the way out that fits the cause."""

from typing import Any, NoReturn

import numpy as np
import pytest

import planner
import runtime
from planner.findings import SizeError


def dense(units: int, features: int) -> runtime.Model:
    net = planner.Network(
        name="wide", input={"x": ("N", features)}, layers=[planner.layer("dense", name="d", units=units)]
    )
    return runtime.Model(net.check().bind(N=1))


def refusal(caught: pytest.ExceptionInfo[SizeError]) -> tuple[str, str]:
    (finding,) = caught.value.findings
    assert finding.code == "R511"
    return finding.message, finding.fixes[0]


def test_parameters_beyond_memory_name_the_layer_and_no_batch() -> None:
    with pytest.raises(SizeError) as caught:
        dense(2**19, 2**20)
    message, fix = refusal(caught)
    assert f"{(2**39 + 2**19) * 4:,} bytes for its parameters alone" in message
    assert "make `d` smaller" in fix
    assert "batch" not in fix


def wide_map(batch: int) -> runtime.Model:
    net = planner.Network(
        name="large", input={"x": ("N", 1, 2048, 2048)}, layers=[planner.layer("conv", filters=1, kernel=1)]
    )
    return runtime.Model(net.check().bind(N=batch))


def test_a_pass_and_a_step_beyond_memory_advise_a_smaller_batch_and_say_what_one_image_takes() -> None:
    net = wide_map(2**17)
    one = wide_map(1).bound.memory
    with pytest.raises(SizeError) as caught:
        net(np.zeros((1, 1, 2048, 2048)))
    message, fix = refusal(caught)
    assert f"{net.bound.memory.inference.bytes:,} bytes for a forward pass of 131,072 images" in message
    assert caught.value.findings[0].notes == (f"with one image, inference takes {one.inference_bytes:,} bytes",)
    assert "shapeplan solve SPEC --memory 2GiB`" in fix
    with pytest.raises(SizeError) as caught:
        net.training_program(1)
    message, fix = refusal(caught)
    assert "a training step of 131,072 images" in message
    assert "shapeplan solve SPEC --memory 2GiB --training" in fix


def test_one_image_beyond_memory_advises_no_smaller_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    net, real = wide_map(1), np.empty

    def full(shape: Any, dtype: Any = float) -> Any:
        if shape and isinstance(shape, int):
            raise MemoryError
        return real(shape, dtype)

    monkeypatch.setattr(np, "empty", full)
    with pytest.raises(SizeError) as caught:
        net.arena()
    assert "smaller images or fewer filters" in refusal(caught)[1]


def test_an_optimizers_state_beyond_memory_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> NoReturn:
        raise MemoryError

    net = dense(3, 4)
    monkeypatch.setattr(np, "zeros_like", full)
    with pytest.raises(SizeError, match="the state of adam") as caught:
        net.fit(np.zeros((2, 4)), [0, 1], optimizer="adam", progress=False)
    assert f"{15 * 4 * 2:,} bytes" in refusal(caught)[0]


def test_memory_refused_for_a_step_leaves_a_model_that_predicts(monkeypatch: pytest.MonkeyPatch) -> None:
    net, real = dense(3, 4), np.empty
    before = net(np.ones((1, 4)))

    def full(shape: Any, dtype: Any = float) -> Any:
        if isinstance(shape, int) and shape > 100:
            raise MemoryError
        return real(shape, dtype)

    with monkeypatch.context() as patched:
        patched.setattr(np, "empty", full)
        with pytest.raises(SizeError):
            net.training_program(1)
    np.testing.assert_array_equal(net(np.ones((1, 4))), before)
