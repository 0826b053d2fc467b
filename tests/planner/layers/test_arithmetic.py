"""What is said of arithmetic of several tensors: what is repeated, what is not, and in which words."""

from __future__ import annotations

import pytest

import planner
from planner import Entry, Network, layer

KINDS = ("add", "subtract", "multiply", "maximum")


def network(*layers: Entry, **inputs: tuple[int | str, ...]) -> Network:
    return Network(name="n", input=inputs, layers=layers)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_as_1_is_repeated_wherever_it_stands(kind: str) -> None:
    plan = network(
        layer(kind, name="y", from_=["a", "b", "c"]), a=("N", 8, 1, 1), b=("N", 1, "H", "W"), c=("N", 8, "H", 1)
    ).check()
    assert [str(size) for size in plan.output_shapes["y"]] == ["N", "8", "H", "W"]
    assert plan.accepts(N=2, H=1, W=5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_size_that_happens_to_be_1_is_not_repeated(kind: str) -> None:
    net = network(layer(kind, name="y", from_=["a", "b"]), a=("N", 8, "G", 4), b=("N", 8, "H", 4))
    plan = net.check()
    assert plan.accepts(N=1, G=1, H=1)
    assert not plan.accepts(N=1, G=1, H=2)
    with pytest.raises(planner.SizeError, match="it needs G = H"):
        plan.bind(N=1, G=1, H=2)


def test_batches_are_never_repeated() -> None:
    with pytest.raises(planner.ShapeError, match="batch 4 and 1 differ"):
        network(layer("add", from_=["a", "b"]), a=(4, 8, 5, 5), b=(1, 8, 5, 5)).check()


def test_the_finding_names_the_two_inputs_that_differ() -> None:
    with pytest.raises(planner.ShapeError) as caught:
        network(
            layer("multiply", name="y", from_=["a", "b", "c"]), a=("N", 8, 1, 1), b=("N", 8, 5, 6), c=("N", 8, 5, 7)
        ).check()
    (finding,) = caught.value.findings
    assert finding.code == "S202"
    assert "input 2 is N x 8 x 5 x 6 but input 3 is N x 8 x 5 x 7: width 6 and 7 differ" in finding.message


def test_features_that_meet_a_map_are_offered_a_shape_that_fits() -> None:
    with pytest.raises(planner.ShapeError, match="4 and 2 axes differ") as caught:
        network(
            layer("gap"), layer("flatten"), layer("dense", units=8), layer("multiply", name="y", from_=["a", "dense1"]),
            a=("N", 8, 5, 5),
        ).check()  # fmt: skip
    wanted = "reshape: {name: y_gate, from: dense1, shape: [8, 1, 1]}"
    assert any(wanted in fix for fix in caught.value.findings[0].fixes)


def test_concat_says_along_which_axis_its_inputs_must_agree() -> None:
    net = network(layer("concat", name="y", from_=["a", "b"], axis=-2), a=("N", 8, "H", 6), b=("N", 8, 5, 6))
    assert [str(size) for size in net.check().output_shapes["y"]] == ["N", "8", "H + 5", "6"]
    with pytest.raises(planner.ShapeError, match="channels 8 and 4 differ"):
        network(layer("concat", from_=["a", "b"], axis=2), a=("N", 8, "H", 6), b=("N", 4, 5, 6)).check()
