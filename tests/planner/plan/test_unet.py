"""U-Nets: the sizes they accept come out exactly, as published and as enumerated in plain integers.

Source: Ronneberger, Fischer, Brox, arXiv:1505.04597, figure 1 and section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

import planner
import planner.symbols as sy
import runtime
from planner import Entry, Network, Plan, layer
from tests.harness.places import EXAMPLES

DEPTHS = range(1, 6)
LOSES_NOTHING = {
    1: "H = 2k, H >= 18",
    2: "H = 4k, H >= 44",
    3: "H = 8k + 4, H >= 92",
    4: "H = 16k + 12, H >= 188",
    5: "H = 32k + 28, H >= 380",
}
SMALLEST = {1: 18, 2: 44, 3: 92, 4: 188, 5: 380}


def unet(depth: int, *, padded: bool, exact: bool, up: str, first: int) -> Iterator[Entry]:
    """Yield the layers of a U-Net with `first` filters at the top."""
    pad = 1 if padded else 0

    def double(name: str, filters: int) -> Iterator[Entry]:
        yield layer("conv", name=f"{name}_a", filters=filters, kernel=3, pad=pad, act="relu")
        yield layer("conv", name=name, filters=filters, kernel=3, pad=pad, act="relu")

    for level in range(depth):
        yield from double(f"down{level}", first * 2**level)
        yield layer("maxpool", name=f"pool{level}", size=2, rounding="exact" if exact else "floor")
    yield from double("bottom", first * 2**depth)
    for level in reversed(range(depth)):
        if up == "upsample":
            yield layer("upsample", name=f"up{level}", scale=2)
        else:
            yield layer("convtranspose", name=f"up{level}", filters=first * 2**level, kernel=2, stride=2)
        skip = f"down{level}"
        if not padded:
            yield layer("crop", name=f"skip{level}", from_=(skip, f"up{level}"))
            skip = f"skip{level}"
        yield layer("concat", name=f"joined{level}", from_=(skip, f"up{level}"))
        yield from double(f"level{level}", first * 2**level)
    yield layer("conv", name="map", filters=2, kernel=1)


@cache
def plan_of(depth: int, padded: bool, exact: bool, up: str = "convtranspose") -> Plan:
    layers = unet(depth, padded=padded, exact=exact, up=up, first=2)
    return Network(name="unet", input={"image": ("N", 1, "H", "W")}, layers=layers).check()


def walked(depth: int, size: int, exact: bool) -> int | None:
    """Return the output size of an unpadded U-Net by walking through it, or None where it cannot run."""
    skips = []
    for _ in range(depth):
        size -= 4
        if size < 2 or (exact and size % 2):
            return None
        skips.append(size)
        size //= 2
    size -= 4
    if size < 1:
        return None
    for skip in reversed(skips):
        size *= 2
        if size > skip or size < 5:
            return None
        size -= 4
    return size


@pytest.mark.parametrize("depth", DEPTHS)
def test_an_unpadded_unet_loses_nothing_exactly_at_the_published_sizes(depth: int) -> None:
    domain = plan_of(depth, padded=False, exact=True).domain
    assert domain["H"].text("H") == LOSES_NOTHING[depth]
    assert domain["W"].text("H") == LOSES_NOTHING[depth]


@pytest.mark.parametrize("depth", DEPTHS)
def test_an_unpadded_unet_runs_from_its_smallest_size_on(depth: int) -> None:
    plan = plan_of(depth, padded=False, exact=False)
    assert plan.domain["H"].text("H") == f"H >= {SMALLEST[depth]}"


@pytest.mark.parametrize("up", ["convtranspose", "upsample"])
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_accepted_and_resulting_sizes_are_those_of_walking_through(depth: int, exact: bool, up: str) -> None:
    plan = plan_of(depth, False, exact, up)
    (output,) = plan.output_shapes.values()
    for size in range(1, 301):
        expected = walked(depth, size, exact)
        assert (size in plan.domain["H"]) == (expected is not None), size
        if expected is not None:
            assert sy.evaluate(output[2], {"H": size}) == expected, size


@pytest.mark.parametrize("up", ["convtranspose", "upsample"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_a_padded_unet_accepts_multiples_and_keeps_the_size(depth: int, up: str) -> None:
    plan = plan_of(depth, True, True, up)
    step = 2**depth
    assert plan.domain["H"].text("H") == f"H = {step}k, H >= {step}"
    (output,) = plan.output_shapes.values()
    assert output[2:] == (sy.symbol("H"), sy.symbol("W"))


def test_the_example_is_the_published_network() -> None:
    plan = planner.load(str(EXAMPLES / "unet.yaml")).check()
    assert plan.domain["H"].text("H") == "H = 16k + 12, H >= 188"
    (output,) = plan.output_shapes.values()
    assert tuple(sy.evaluate(size, {"N": 1, "H": 572, "W": 572}) for size in output) == (1, 2, 388, 388)
    # weights and biases, counted from figure 1 by hand
    down = sum(9 * a * b + b for a, b in ((1, 64), *((2**i * 64, 2**i * 128) for i in range(4))))
    down += sum(9 * b * b + b for b in (64, 128, 256, 512, 1024))
    up = sum(4 * 2 * b * b + b + 9 * 2 * b * b + b + 9 * b * b + b for b in (512, 256, 128, 64))
    assert plan.parameter_count == down + up + 64 * 2 + 2


def test_a_crop_changes_no_receptive_field_but_its_start() -> None:
    plan = plan_of(1, padded=False, exact=True)
    before, after = (plan.by_name[name].receptive_field for name in ("down0", "skip0"))
    assert before is not None
    assert after is not None
    assert (after.size, after.jump) == (before.size, before.jump)
    assert {sy.evaluate(after.start[0], {"H": size}) for size in range(18, 40)} == {4}


@pytest.mark.parametrize("padded", [True, False])
def test_the_receptive_field_of_a_deep_unet_is_a_number(padded: bool) -> None:
    field = plan_of(4, padded, exact=True).by_name["map"].receptive_field
    assert field is not None
    # 140 behind the bottom, then two 3x3 windows at steps of 8, 4, 2 and 1
    assert (field.size, field.jump) == ((200, 200), (1, 1))
    assert field.start == ((-92, -92) if padded else (0, 0))


@pytest.mark.parametrize(("padded", "size"), [(False, 44), (True, 16)])
def test_a_unet_trains_and_its_gradients_reach_every_parameter(padded: bool, size: int) -> None:
    bound = plan_of(2, padded, exact=True).bind(N=2, H=size, W=size, dtype="float64")
    model = runtime.Model(bound, seed=0)
    x = np.random.default_rng(0).standard_normal((2, 1, size, size))
    output, _, gradients = model.gradients(x, np.ones(bound.nodes[-1].output_shape))
    assert output.shape == bound.nodes[-1].output_shape
    assert all(np.abs(gradient).max() > 0 for gradient in gradients.values())
