"""How people meet the zoo: the list, the spec to edit, names where a file might be meant, and what they mistype."""

from __future__ import annotations

import json

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
from click.testing import CliRunner, Result

from planner import PlannerError, load, spec
from planner.cli import main
from planner.layers import Conv
from planner.spec.documents import member_text
from planner.spec.source import read_tree
from planner.spec.tree import plain
from planner.zoo import MEMBERS, member
from tests.harness.places import ROOT
from tests.harness.small_zoo import builder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_list_holds_every_network_with_its_figures() -> None:
    listed = run("zoo")
    assert listed.exit_code == 0
    rows = [line.split() for line in listed.stdout.splitlines()[2:]]
    assert {row[0]: row[1:3] for row in rows} == {
        name: [f"{each.parameter_count:,}", f"{each.macs:,}"] for name, each in MEMBERS.items()
    }


def test_the_list_for_machines_names_settings_and_sizes() -> None:
    (found,) = json.loads(run("zoo", "resnet50", "--json").stdout)["networks"][:1]
    assert (found["name"], found["parameters"], found["at"]) == ("resnet50", 25_557_032, {"H": 224, "W": 224})
    assert found["settings"]["depths"] == [3, 4, 6, 3]


@pytest.mark.parametrize("command", ["zoo", "init"])
def test_an_unknown_name_is_a_finding_with_the_nearest_one(command: str) -> None:
    result = run(command, "mobilnet_v2")
    assert result.exit_code == 1
    assert "error[P105]" in result.stderr and "did you mean `mobilenet_v2`?" in result.stderr


def test_every_command_takes_a_known_network() -> None:
    for arguments in (["check"], ["show", "--at", "H=64,W=64"], ["explain"], ["solve"]):
        result = run(arguments[0], "zoo:resnet18", *arguments[1:])
        assert result.exit_code == 0, result.output
    wrong = run("check", "zoo:mobilnet_v2")
    assert wrong.exit_code == 1 and "did you mean `mobilenet_v2`?" in wrong.stdout


def test_a_setting_that_is_not_there_or_of_another_type_is_a_finding() -> None:
    unknown, wrong = run("init", "vgg11", "--set", "clases=5"), run("init", "vgg11", "--set", "classes=many")
    assert (unknown.exit_code, wrong.exit_code) == (1, 1)
    assert "error[N101]" in unknown.stderr and "did you mean `classes`?" in unknown.stderr
    assert "error[N107]" in wrong.stderr and "classes=1000" in wrong.stderr
    misuse = run("init", "vgg11", "--set", "classes")
    assert misuse.exit_code == 2 and "--set classes=10" in misuse.stderr


def test_settings_change_the_network_that_is_written() -> None:
    text = run("init", "resnet18", "--set", "classes=10,depths=1-1,width=8").stdout
    network, findings = spec.read(text, "mine.yaml")
    assert not findings and network is not None
    convolutions = [node.layer for node in network.nodes if isinstance(node.layer, Conv)]
    assert {layer.filters for layer in convolutions} == {8, 16}
    assert network.check().output_shapes["classes"][1] == 10


def test_one_number_may_stand_for_a_list_of_one() -> None:
    assert run("init", "resnet18", "--set", "depths=2").stdout.count("use: basic") == 1


def test_the_schema_for_editors_takes_a_network_of_every_builder() -> None:
    validator = jsonschema.Draft7Validator(spec.schema())
    for name in {builder(each): name for name, each in MEMBERS.items()}.values():
        validator.validate(plain(read_tree(member_text(member(name)), f"{name}.yaml")))


@pytest.mark.parametrize("name", MEMBERS)
def test_the_spec_to_edit_is_short_and_fits_a_screen_in_width(name: str) -> None:
    lines = member_text(member(name)).splitlines()
    assert len(lines) <= 110
    assert max(map(len, lines)) <= 120


def test_python_loads_a_known_network_and_says_what_it_does_not_know() -> None:
    assert load("zoo:vgg11").name == "vgg11"
    with pytest.raises(PlannerError, match="did you mean `vgg11`"):
        load("zoo:vgg111")
    with pytest.raises(PlannerError, match="did you mean `width`"):
        member("vgg11").document(widht=1.0)


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "inception_v3", "unet"])
def test_the_example_of_a_known_network_is_what_init_writes(name: str) -> None:
    assert (ROOT / "examples" / f"{name}.yaml").read_text("utf-8") == member_text(member(name))


def test_the_page_holds_the_list_as_it_is_printed() -> None:
    printed = run("zoo", "--format", "markdown").stdout
    table = printed[printed.index("| network") :]
    assert table in (ROOT / "docs" / "zoo.md").read_text("utf-8")
