"""Every rule's example breaks it, alone, and its cure helps: as `shapeplan explain` promises."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from planner.rules import RULES
from planner.rules.drawing import DRAWING
from planner.rules.reading import READING
from planner.rules.rule import Rule
from planner.rules.running import RUNNING
from planner.rules.sizes import SIZES
from planner.rules.wiring import WIRING
from tests.harness.places import ROOT
from tests.harness.terminal import run

NEEDS_MORE = {
    "R502": "a data set of other images",
    "R503": "Python: arrays of labels",
    "R504": "a file cut short",
    "R506": "a training run that diverges",
    "R507": "weights of an earlier run",
    "R508": "a directory that cannot be written",
    "R509": "a machine without network",
    "R510": "a training run; the network itself is sound",
    "R511": "a machine with too little memory",
    "R512": "a machine without the library",
    "R513": "Python: a plan that is not bound",
    "R514": "Python: a batch of one image",
    "D601": "a machine without Graphviz",
    "D604": "a machine without the libraries",
}
"""Rules whose example needs more than `shapeplan check` or `draw`, and what; other tests break them."""

RUNS = [code for code in RULES if code not in NEEDS_MORE]


def told(text: str, rule: Rule) -> set[str]:
    """Return the codes of what an example, a spec or a command, makes the command line say."""
    command = re.match(r"(?:\$|# )\s*shapeplan (.*)\n?", text)
    if text.startswith("$ "):
        assert command is not None
        printed = run(*shlex.split(command[1]), MPLBACKEND="Agg")
        return set(re.findall(r"(?:error|warning)\[(\w+)\]", printed.stdout + printed.stderr))
    Path("example.yaml").write_text(text, "utf-8")
    sizes = re.search(r"--at (\S+)", command[1]) if command else None
    options = ["--at", sizes[1]] if sizes else []
    document = json.loads(run("check", "example.yaml", "--output-format", "json", *options).stdout)
    assert all(finding["line"] for finding in document["findings"]), rule.code
    return {finding["code"] for finding in document["findings"]}


@pytest.fixture
def shelf(workdir: Path) -> Path:
    """Return a working directory with the specs that examples name."""
    for name in ("lenet5", "resnet18"):
        (workdir / f"{name}.yaml").write_text((ROOT / "examples" / f"{name}.yaml").read_text("utf-8"), "utf-8")
    return workdir


@pytest.mark.parametrize("code", RUNS)
def test_the_example_of_a_rule_breaks_it_alone_and_its_cure_helps(shelf: Path, code: str) -> None:
    assert shelf.is_dir()
    rule = RULES[code]
    assert told(rule.example, rule) == {code}
    # The cure of a rule that needs drawing draws; that is tested with the drawings.
    if not rule.fixed.startswith("$ ") or code == "P105":
        assert told(rule.fixed, rule) == set()


def test_exceptions_are_rules_that_exist_and_belong_to_running_or_drawing() -> None:
    assert set(NEEDS_MORE) <= set(RULES)
    assert {code[0] for code in NEEDS_MORE} == {"R", "D"}


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_has_a_title_a_text_and_both_examples(code: str) -> None:
    rule = RULES[code]
    assert rule.code == code
    assert rule.title and not rule.title.endswith(".")
    assert rule.text.endswith(".")
    assert rule.example and rule.fixed and rule.example != rule.fixed


def test_no_two_rules_have_one_code() -> None:
    families = (DRAWING, READING, RUNNING, SIZES, WIRING)
    codes = [rule.code for family in families for rule in family]
    assert sorted(set(codes)) == sorted(codes)
    assert len(codes) == len(RULES)
    assert all([rule.code for rule in family] == sorted(rule.code for rule in family) for family in families)
