"""An input that lends its shape alone is neither kept for it nor given a gradient."""

from __future__ import annotations

from planner import Network, layer
from planner.memory import plan_arena
from planner.plan.plan import BoundPlan


def cropped() -> BoundPlan:
    """Return a network whose crop takes the size of a map that nobody else reads."""
    layers = [
        layer("conv", name="a", filters=4, kernel=3),
        layer("conv", name="lent", filters=8, kernel=5),
        layer("crop", name="c", from_=["a", "lent"]),
        layer("gap", name="out"),
    ]
    return Network(name="t", input={"x": ("N", 3, 20, 20)}, layers=layers).check().bind(N=2)


def test_the_map_a_crop_takes_its_size_from_has_no_gradient_and_no_backward_pass() -> None:
    arena = plan_arena(cropped(), training=True, input_gradients=True)
    assert "c" in arena.backward and "a" in arena.backward and "lent" not in arena.backward
    assert not any(key[0] in ("gradient", "partial") and key[1] == "lent" for key in arena.places)
    assert ("partial", "c", 1) not in arena.places


def test_the_map_a_crop_takes_its_size_from_need_not_live_until_the_crop() -> None:
    layers = [
        layer("conv", name="a", filters=4, kernel=3),
        layer("conv", name="lent", from_="a", filters=64, kernel=3),
        layer("conv", name="b", from_="a", filters=4, kernel=1),
        layer("conv", name="d", from_="b", filters=4, kernel=1),
        layer("crop", name="c", from_=["d", "lent"]),
    ]
    bound = Network(name="t", input={"x": ("N", 3, 20, 20)}, layers=layers).check().bind(N=2)
    arena = plan_arena(bound, training=False)
    block = arena.places["value", "lent", 0]
    assert block.first == block.last
