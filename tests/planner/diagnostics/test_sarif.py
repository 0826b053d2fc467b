"""SARIF logs: their structure, their places, and fingerprints that outlive an edit elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest

from planner.diagnostics.render import render
from planner.diagnostics.sarif import FINGERPRINT, ROOT, SCHEMA
from planner.findings import Finding, Location, Related, Severity
from planner.rules import RULES
from tests.harness.terminal import DROPS, run


def strictly(required: list[str], **properties: Any) -> dict[str, Any]:
    """Return the schema of an object that has these properties and no others."""
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


TEXT = {"type": "string", "minLength": 1}
MESSAGE = strictly(["text"], text=TEXT, markdown=TEXT)
COUNT = {"type": "integer", "minimum": 1}
PHYSICAL = strictly(
    ["artifactLocation"],
    artifactLocation=strictly(
        ["uri"], uri={"type": "string", "pattern": r"^[A-Za-z0-9._~%/:!$&'()*+,;=@-]+$"}, uriBaseId={"const": ROOT}
    ),
    region=strictly(["startLine"], startLine=COUNT, startColumn=COUNT, endLine=COUNT, endColumn=COUNT),
)
LOCATION = strictly(
    ["physicalLocation"],
    id={"type": "integer", "minimum": 0},
    physicalLocation=PHYSICAL,
    logicalLocations={"type": "array", "items": strictly(["name"], name=TEXT, kind=TEXT)},
    message=strictly(["text"], text={"type": "string"}),
)
RULE = strictly(
    ["id", "shortDescription", "fullDescription", "help"],
    id=TEXT,
    name={"type": "string", "pattern": r"^[A-Z][A-Za-z0-9\-]*$"},
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    properties=strictly(["tags"], tags={"type": "array", "items": TEXT, "uniqueItems": True}),
)
RESULT = strictly(
    ["message"],
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level={"enum": ["none", "note", "warning", "error"]},
    message=MESSAGE,
    locations={"type": "array", "items": LOCATION},
    relatedLocations={"type": "array", "items": LOCATION, "uniqueItems": True},
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
)
DRIVER = strictly(["name"], name=TEXT, version=TEXT, rules={"type": "array", "items": RULE, "uniqueItems": True})
RUN = strictly(
    ["tool"],
    tool=strictly(["driver"], driver=DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": RESULT},
)
LOG = strictly(
    ["version", "runs"],
    **{"$schema": {"const": SCHEMA}, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN}},
)
"""As much of the schema of SARIF 2.1.0 as we write, with nothing else allowed."""


def log(text: str) -> dict[str, Any]:
    """Return the one run of a log that keeps to the schema and to itself."""
    document = json.loads(text)
    jsonschema.Draft7Validator(LOG).validate(document)
    (only,) = document["runs"]
    rules = only["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in only["results"])
    assert len({rule["id"] for rule in rules}) == len(rules)
    fingerprints = [result["partialFingerprints"][FINGERPRINT] for result in only["results"]]
    assert len(set(fingerprints)) == len(fingerprints)
    found: dict[str, Any] = only
    return found


def checked(*arguments: str) -> dict[str, Any]:
    """Return the run in what `shapeplan check --output-format sarif` prints."""
    return log(run("check", "--output-format", "sarif", *arguments).stdout)


def prints(*arguments: str) -> set[str]:
    """Return the fingerprints of a run."""
    return {result["partialFingerprints"][FINGERPRINT] for result in checked(*arguments)["results"]}


def uri(file: str) -> dict[str, str]:
    """Return how a log names a file."""
    finding = Finding("S301", "drops", Severity.WARNING, where=Location(file, 1, 1, 2))
    found: dict[str, str] = log(render([finding], {}, "sarif"))["results"][0]["locations"][0]["physicalLocation"][
        "artifactLocation"
    ]
    return found


def test_a_run_without_findings_is_a_log_without_results(workdir: Path) -> None:
    assert workdir.is_dir()
    result = run("check", "small.yaml", "--output-format", "sarif")
    assert result.exit_code == 0
    assert log(result.stdout)["results"] == []
    assert result.stderr == "1 spec checked: no findings\n"
    assert log(run("check", "examples/broken", "--select", "S3", "--output-format", "sarif").stdout)["results"]


def test_all_specs_of_a_run_are_one_log_with_places_levels_and_layers(workdir: Path) -> None:
    assert workdir.is_dir()
    found = checked("drops.yaml", "examples/broken")
    assert [(each["ruleId"], each["level"]) for each in found["results"]] == [
        ("S301", "warning"),
        ("S201", "error"),
        ("S202", "error"),
        ("N101", "error"),
        ("N102", "error"),
        ("N103", "error"),
    ]
    (place,) = found["results"][1]["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "examples/broken/lenet5_28.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 10, "startColumn": 39, "endLine": 10, "endColumn": 48},
    }
    assert place["logicalLocations"] == [{"name": "c5", "kind": "layer"}]
    assert found["results"][1]["relatedLocations"][0]["message"] == {"text": "`image` is 28x28 here"}
    first = found["results"][1]["message"]["text"].split("\n")
    assert first[0] == "`c5`: a 5x5 kernel does not fit its 4x4 input"
    assert "help: feed 32x32 images:  image: [N, 1, 32, 32]" in first


def test_strict_makes_errors_of_warnings(workdir: Path) -> None:
    assert workdir.is_dir()
    assert [each["level"] for each in checked("drops.yaml", "--strict")["results"]] == ["error"]


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_brings_its_help_with_an_example(code: str) -> None:
    (rule,) = log(render([Finding(code, "x")], {}, "sarif"))["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == RULES[code].title
    assert rule["fullDescription"]["text"] == RULES[code].text
    assert RULES[code].example.rstrip() in rule["help"]["text"]
    assert rule["help"]["markdown"].count("```") == 4


def test_fingerprints_survive_lines_put_above_and_other_findings(workdir: Path) -> None:
    assert workdir.is_dir()
    before = prints("drops.yaml")
    Path("drops.yaml").write_text("# a comment\n\n" + DROPS.replace("  - gap", "  - maxpool: {size: 3}"), "utf-8")
    after = prints("drops.yaml")
    assert len(after) == 2
    assert before < after


def test_fingerprints_tell_files_layers_and_repeated_lines_apart(workdir: Path) -> None:
    (workdir / "nets").mkdir()
    (workdir / "nets" / "drops.yaml").write_text(DROPS, "utf-8")
    assert len(prints("drops.yaml", "nets")) == 2
    twice = [Finding("N107", "wrong", where=Location("a", line, 1, 2)) for line in (1, 2)]
    first, second = log(render(twice, {"a": "x: 0\nx: 0"}, "sarif"))["results"]
    assert first["partialFingerprints"] != second["partialFingerprints"]


def test_what_has_no_place_is_told_at_its_file(workdir: Path) -> None:
    assert workdir.is_dir()
    (result,) = checked("nets/gone.yaml")["results"]
    assert result["ruleId"] == "P105"
    assert result["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "nets/gone.yaml", "uriBaseId": "%SRCROOT%"}}}
    ]


def test_paths_are_relative_to_the_working_directory_and_escaped(workdir: Path) -> None:
    assert uri("a b#c?.yaml") == {"uri": "a%20b%23c%3F.yaml", "uriBaseId": ROOT}
    assert uri("./nets/é.yaml") == {"uri": "nets/%C3%A9.yaml", "uriBaseId": ROOT}
    assert uri(str(workdir / "net.yaml")) == {"uri": "net.yaml", "uriBaseId": ROOT}
    assert uri("nets/../net.yaml") == {"uri": "net.yaml", "uriBaseId": ROOT}
    assert uri("../net.yaml")["uri"].startswith("file:///")
    assert uri("<stdin>") == {"uri": "%3Cstdin%3E", "uriBaseId": ROOT}


def test_hostile_words_stay_words() -> None:
    evil = '\x1b[31m"\\\n{0}\ud800é'
    finding = Finding("N107", evil, layer=evil, where=Location("a", 1, 1, 2), notes=(evil,), fixes=(evil,))
    finding = Finding("N107", evil, related=(Related(Location("b", 1, 1, 2), evil),), where=finding.where)
    text = render([finding], {"a": "x"}, "sarif")
    assert text.isascii()
    assert log(text)["results"][0]["message"]["text"] == evil


def test_a_rule_we_do_not_know_is_still_a_result() -> None:
    document = json.loads(render([Finding("Z999", "x")], {}, "sarif"))
    assert document["runs"][0]["tool"]["driver"]["rules"] == [{"id": "Z999"}]
