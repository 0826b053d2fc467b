"""Promises of folding and wiring: what is drawn once, what a card stands for, what part an edge plays."""

import pytest

from planner import Network, layer
from planner.diagrams.arrangement import arrange
from planner.diagrams.folding import fold
from planner.diagrams.source import diagram_of
from planner.diagrams.wiring import wire
from planner.spec import read
from tests.harness.diagram_networks import card_names, residual, two_inputs

pytest.importorskip("pygraphviz", reason="layout needs the extra `draw`")


def test_norm_and_activation_become_stripes_of_their_card() -> None:
    cards = {card.node.name: card for card in fold(diagram_of(residual())).cards}
    assert [stripe.kind for stripe in cards["stem"].stripes] == ["batchnorm", "relu"]
    assert cards["stem"].names == ("stem", "stem.norm", "stem.act")
    assert cards["stage1.1.sum"].node.inputs == ("stage1.1.b", "stem")


def test_a_skip_is_told_from_a_branch() -> None:
    parts = {(edge.tail, edge.head): edge.part for edge in wire(fold(diagram_of(residual()))).edges}
    assert parts["stem", "stage1.1.sum"] == "skip"
    assert parts["stage1.2.sum", "stage2.1.proj"] == parts["stage2.1.proj", "stage2.1.sum"] == "branch"
    assert parts["stage2.1.b", "stage2.1.sum"] == "spine"


def test_reading_a_tensor_twice_draws_two_edges() -> None:
    edges = [edge.part for edge in wire(fold(diagram_of(two_inputs()))).edges if edge.head == "twice"]
    assert edges == ["spine", "skip"]


def test_the_spine_is_straight() -> None:
    folded = fold(diagram_of(residual()))
    wiring = wire(folded)
    boxes = arrange(folded, wiring).boxes
    assert len({round(boxes[name].x) for name in wiring.spine}) == 1


def test_equal_repetitions_are_drawn_once_and_counted() -> None:
    folded = fold(diagram_of(residual((3, 3))), "blocks")
    assert [(frame.label, frame.times) for frame in folded.frames] == [
        ("stage1.1-3", 3), ("stage2.1", 1), ("stage2.2-3", 2),
    ]  # fmt: skip
    assert all(card.times == 3 for card in folded.cards if card.group == "stage1.1")
    assert next(card for card in folded.cards if card.node.name == "stage2.1.a").node.inputs == ("stage1.1.sum",)


def test_repetitions_with_another_setting_are_not_folded() -> None:
    folded = fold(diagram_of(residual((3, 3), change={"stage1.2": 2})), "blocks")
    assert [frame.label for frame in folded.frames] == ["stage1.1", "stage1.2", "stage1.3", "stage2.1", "stage2.2-3"]


def test_a_repetition_that_something_else_reads_is_not_folded() -> None:
    layers = [layer("conv", name=f"s.{i}.a", filters=3, kernel=3, pad=1) for i in (1, 2, 3)]
    layers.append(layer("add", name="sum", from_=("s.1.a", "s.3.a")))
    network = Network(name="n", input={"x": ("N", 3, 8, 8)}, layers=layers)
    assert [frame.times for frame in fold(diagram_of(network), "blocks").frames] == [1, 2]


def test_the_overview_has_one_card_a_block_and_loses_no_parameter() -> None:
    assert card_names(residual((3, 3)), level="overview") == [
        "image", "stem", "stage1", "stage2", "gap1", "flatten1", "dense1",
    ]  # fmt: skip
    for level in ("overview", "blocks", "full"):
        cards = fold(diagram_of(residual((3, 3))), level).cards
        drawn = sum((card.node.parameter_count or 0) * card.times for card in cards)
        assert drawn == residual((3, 3)).check().parameter_count


def test_many_cards_are_folded_unless_everything_is_asked_for() -> None:
    deep = residual((6, 6, 6))
    assert len(card_names(deep, level="full")) > 40 >= len(card_names(deep))
    assert len(card_names(residual())) == len(card_names(residual(), level="full"))


def test_an_overview_says_times_only_where_repetitions_are_equal() -> None:
    cards = {card.node.name: card.node for card in fold(diagram_of(residual((3, 3))), "overview").cards}
    assert cards["stage1"].label == "×3"
    assert cards["stage2"].label == "" and "3 repeats" in cards["stage2"].details


SHARED = """spec: 1
input: {x: [N, 4, 8, 8], y: [N, 4, 8, 8]}
blocks:
  own:  {layers: [conv: {name: c, filters: 4, kernel: 3, pad: 1}]}
  lent: {params: {of: str}, layers: [conv: {name: c, use: $of}]}
layers:
  - block: {use: own, name: a, from: x, repeat: 2}
  - block: {use: own, name: b, from: y, weights: a}
  - conv: {name: d, filters: 4, kernel: 3, pad: 1}
  - block: {use: lent, name: e, of: [d, e.1.c], repeat: 2}
  - add: {from: [a, e]}
"""


def test_a_block_that_shares_weights_says_whose_and_is_counted_once() -> None:
    network, findings = read(SHARED, "shared.yaml")
    assert network is not None and not findings
    diagram = diagram_of(network.check())
    cards = {card.node.name: card.node for card in fold(diagram, "overview").cards}
    assert cards["a"].parameter_count == 2 * 148 and cards["b"].parameter_count == cards["e"].parameter_count == 0
    assert "weights of a" in cards["b"].details and "weights of d" in cards["e"].details
    assert [card.times for card in fold(diagram, "blocks").cards if card.node.name.startswith("e.")] == [2]
    # a repetition that shares other weights does not do the same
    network, findings = read(SHARED.replace("[d, e.1.c]", "[d, a.1.c]"), "shared.yaml")
    assert network is not None and not findings
    folded = fold(diagram_of(network.check()), "blocks").cards
    assert [card.times for card in folded if card.node.name.startswith("e.")] == [1, 1]
