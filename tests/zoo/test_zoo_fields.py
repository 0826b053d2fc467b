"""Published receptive fields, of networks of the zoo.

VGG-16: the table of google-research/receptive_field; the ResNets: longest-path arithmetic.
"""

from __future__ import annotations

import pytest

import planner


@pytest.mark.parametrize(
    ("name", "size", "stride", "padding"),
    [
        ("stage1.1.conv1", 3, 1, 1),
        ("maxpool1", 6, 2, 2),
        ("maxpool2", 16, 4, 6),
        ("maxpool3", 44, 8, 18),
        ("maxpool4", 100, 16, 42),
        ("stage5.1.conv1", 132, 16, 58),
        ("maxpool5", 212, 32, 90),
    ],
)
def test_receptive_fields_of_vgg16_agree_with_the_table(name: str, size: int, stride: int, padding: int) -> None:
    field = planner.load("zoo:vgg16").check().by_name[name].receptive_field
    assert field is not None
    assert (field.size, field.jump, field.start) == ((size, size), (stride, stride), (-padding, -padding))


@pytest.mark.parametrize(("name", "size"), [("resnet18", 435), ("resnet50", 427)])
def test_receptive_fields_of_resnets_are_those_of_their_longest_path(name: str, size: int) -> None:
    plan = planner.load(f"zoo:{name}").check()
    (last_map,) = plan.by_name["gap1"].inputs
    field = plan.by_name[last_map].receptive_field
    assert field is not None
    assert (field.size, field.jump) == ((size, size), (32, 32))
