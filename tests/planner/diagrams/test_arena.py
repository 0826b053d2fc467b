"""The picture of memory over time: every block in it, told in words, at its place."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

import planner
from planner import Network, layer
from planner.diagrams.arena import HEIGHT, memory_scene
from planner.diagrams.scene import Box, Group
from planner.diagrams.svg import svg_text
from tests.harness.places import ROOT
from tests.harness.terminal import run


def test_every_block_is_a_rectangle_as_high_as_its_bytes_and_none_overlap() -> None:
    bound = planner.load(ROOT / "examples" / "unet.yaml").check().bind(N=1, H=188, W=188)
    groups = [item for item in memory_scene(bound).items if isinstance(item, Group)]
    arenas = (bound.memory.inference, bound.memory.training)
    assert len(groups) == sum(len(arena.blocks) for arena in arenas)
    boxes = [next(mark for mark in group.marks if isinstance(mark, Box)) for group in groups]
    for arena, shown in zip(arenas, (boxes[: len(arenas[0].blocks)], boxes[len(arenas[0].blocks) :]), strict=True):
        for block, box in zip(arena.blocks, shown, strict=True):
            assert box.height == pytest.approx(HEIGHT * block.bytes / arena.bytes)
        for index, one in enumerate(shown):
            for other in shown[:index]:
                beside = one.x + one.width <= other.x + 1e-6 or other.x + other.width <= one.x + 1e-6
                assert beside or one.y + one.height <= other.y + 1e-6 or other.y + other.height <= one.y + 1e-6


def test_hostile_names_are_text_in_the_picture() -> None:
    net = Network(name="<script>", input={"x": ("N", 3, 8, 8)}, layers=[layer("conv", name="a&b", filters=4, kernel=3)])
    root = ElementTree.fromstring(svg_text(memory_scene(net.check().bind(N=1))))
    assert "a&b, value" in "".join(root.itertext())
    assert not [item for item in root.iter() if item.tag.endswith("script")]


def test_show_writes_the_picture_its_suffix_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "memory.svg"
    result = run("show", str(ROOT / "examples" / "lenet5.yaml"), "--memory-picture", str(path))
    assert result.exit_code == 0
    text = path.read_text("utf-8")
    assert "lenet5, inference" in text and "a training step" in text and "prefers-color-scheme" in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["examples/lenet5.yaml", "--memory-picture", "memory.jpg"], "D602"),
        (["examples/lenet5.yaml", "--memory-picture", "memory.dot"], "D602"),
        (["examples/lenet5.yaml", "--memory-picture", "no/such/place.svg"], "D605"),
        (["examples/unet.yaml", "--memory-picture", "memory.svg"], "S209"),
    ],
)
def test_a_picture_that_cannot_be_made_is_a_finding(arguments: list[str], code: str) -> None:
    spec, *options = arguments
    result = run("show", str(ROOT / spec), *options)
    assert result.exit_code == 1 and f"error[{code}]" in result.stderr
