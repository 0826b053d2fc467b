"""Findings as text, to the letter."""

from __future__ import annotations

import json

import pytest

from planner.diagnostics.render import FORMATS, render
from planner.findings import Finding, Location, Related, Severity

FILE = "nets/lenet5.yaml"
LENET = """spec: 1
name: lenet5
# small
# images
input:
  image: [N, 1, 28, 28]
layers:
  - conv:    {name: c1, filters: 6, kernel: 5, act: tanh}
  - avgpool: {name: s2, size: 2}
  - conv:    {name: c3, filters: 16, kernel: 5, act: tanh}
  - conv:    {name: c5, filters: 120, kernel: 5, act: tanh}
"""
FINDING = Finding(
    "S201",
    "`c5`: a 5x5 kernel does not fit its 4x4 input",
    layer="c5",
    where=Location(FILE, 11, 40, 49),
    label="output height would be floor((4 - 5)/1) + 1 = 0",
    related=(Related(Location(FILE, 6, 17, 23), "`image` is 28x28 here"),),
    notes=("accepted: H >= 32, W >= 32",),
    fixes=("feed 32x32 images:  image: [N, 1, 32, 32]", "or pad the first layer:  c1: {..., pad: 2}"),
)


def shown(text: str, *places: tuple[int, int, int], **given: object) -> str:
    """Return the frame of a finding at the first place, with the others as causes, all in one file."""
    where, *causes = (Location("a", *place) for place in places)
    related = tuple(Related(cause, "cause") for cause in causes)
    finding = Finding("N107", "wrong", where=where, label="here", related=related)
    return render([finding], {"a": text}, **given)  # type: ignore[arg-type]  # keywords of render


def test_a_frame_shows_the_place_the_cause_the_notes_and_the_ways_out() -> None:
    assert render([FINDING], {FILE: LENET}) == (
        "error[S201]: `c5`: a 5x5 kernel does not fit its 4x4 input\n"
        "  --> nets/lenet5.yaml:11:40\n"
        "   |\n"
        " 6 |   image: [N, 1, 28, 28]\n"
        "   |                 ------ `image` is 28x28 here\n"
        "...\n"
        "11 |   - conv:    {name: c5, filters: 120, kernel: 5, act: tanh}\n"
        "   |                                        ^^^^^^^^^ output height would be floor((4 - 5)/1) + 1 = 0\n"
        "   |\n"
        "   = note: accepted: H >= 32, W >= 32\n"
        "   = help: feed 32x32 images:  image: [N, 1, 32, 32]\n"
        "   = help: or pad the first layer:  c1: {..., pad: 2}\n"
    )


def test_findings_stand_apart_and_end_with_their_frame() -> None:
    one = Finding("S301", "drops a row", Severity.WARNING, where=Location("a", 1, 1, 2))
    two = Finding("P105", "there is no file b", fixes=("check the path",))
    assert render([one, two], {"a": "x: 1"}) == (
        "warning[S301]: drops a row\n"
        " --> a:1:1\n"
        "  |\n"
        "1 | x: 1\n"
        "  | ^\n"
        "\n"
        "error[P105]: there is no file b\n"
        "  = help: check the path\n"
    )


def test_lines_with_one_between_them_are_shown_whole() -> None:
    assert shown("a\nb\nc\nd\n", (3, 1, 2), (1, 1, 2)).split("\n")[3:-1] == [
        "1 | a",
        "  | - cause",
        "2 | b",
        "3 | c",
        "  | ^ here",
    ]


def test_several_places_on_one_line_each_get_their_row() -> None:
    assert shown("a: [b, b]", (1, 8, 9), (1, 5, 6)).split("\n")[3:-1] == [
        "1 | a: [b, b]",
        "  |     - cause",
        "  |        ^ here",
    ]


def test_each_file_has_one_frame() -> None:
    finding = Finding(
        "N104", "twice", where=Location("a", 1, 1, 2), related=(Related(Location("b", 2, 1, 4), "first"),)
    )
    assert render([finding], {"a": "x", "b": "1\n  é"}) == (
        "error[N104]: twice\n --> a:1:1\n  |\n1 | x\n  | ^\n  |\n ::: b:2:1\n  |\n2 |   é\n  | --- first\n"
    )


def test_a_file_whose_text_is_not_given_is_only_named() -> None:
    assert render([FINDING], {}).split("\n")[1:3] == [
        " --> nets/lenet5.yaml:11:40",
        "  = note: accepted: H >= 32, W >= 32",
    ]


def test_marks_stand_under_their_characters_after_tabs_and_wide_ones() -> None:
    assert shown("\tä漢e\u0301x: 1", (1, 6, 7)).split("\n")[3:5] == ["1 |     ä漢e\u0301x: 1", "  |         ^ here"]
    assert shown("漢漢: 1", (1, 1, 3)).split("\n")[4] == "  | ^^^^ here"


def test_a_mark_may_stand_behind_the_last_character() -> None:
    assert shown("a: [", (1, 5, 6)).split("\n")[4] == "  |     ^ here"


def test_long_lines_are_cut_around_the_place() -> None:
    lines = shown("x" * 5000 + "HERE" + "y" * 5000, (1, 5001, 5005)).split("\n")
    assert all(len(line) < 200 for line in lines)
    start = lines[4].index("^")
    assert lines[3][start : start + 4] == "HERE" and lines[3].endswith("...") and "| ...x" in lines[3]


@pytest.mark.parametrize("form", FORMATS)
def test_no_control_character_reaches_the_terminal(form: str) -> None:
    evil = "\x1b[31m\x07\u202e\x9b"
    where = Location(f"a{evil}", 1, 1, 3)
    finding = Finding(
        "N107", evil, where=where, label=evil, layer=evil, related=(Related(where, evil),), notes=(evil,), fixes=(evil,)
    )
    text = render([finding], {f"a{evil}": evil}, form)  # type: ignore[arg-type]  # parametrized over FORMATS
    assert all(char == "\n" or char.isprintable() for char in text)


def test_colour_adds_nothing_but_colour() -> None:
    plain, coloured = render([FINDING], {FILE: LENET}), render([FINDING], {FILE: LENET}, colour=True)
    assert coloured != plain
    for code in ("1;31", "1;34", "1;36", "1", "0"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == plain


def test_the_frame_itself_is_ascii() -> None:
    assert render([FINDING], {FILE: LENET}).isascii()


def test_concise_is_one_line_a_finding() -> None:
    assert render([FINDING, Finding("P105", "no file")], {}, "concise") == (
        "nets/lenet5.yaml:11:40: error[S201]: `c5`: a 5x5 kernel does not fit its 4x4 input\nerror[P105]: no file\n"
    )


def test_json_has_every_key_machines_are_promised() -> None:
    (found,) = json.loads(render([FINDING], {}, "json"))
    assert {key: found[key] for key in ("code", "severity", "file", "line", "column", "end_column", "layer")} == {
        "code": "S201", "severity": "error", "file": FILE, "line": 11, "column": 40, "end_column": 49, "layer": "c5",
    }  # fmt: skip
    assert found["fixes"] == list(FINDING.fixes) and found["notes"] == list(FINDING.notes)
    assert found["message"] == FINDING.message
    assert json.loads(render([], {}, "json")) == []


def test_github_annotations_are_escaped() -> None:
    finding = Finding(
        "S201", "50% lost,\nreally", Severity.WARNING, where=Location("a,b:c.yaml", 3, 4, 9), fixes=("pad: 1",)
    )
    assert render([finding], {}, "github") == (
        "::warning file=a%2Cb%3Ac.yaml,line=3,endLine=3,col=4,endColumn=9,title=S201 window does not fit::"
        "50%25 lost,%0Areally%0Ahelp: pad: 1\n"
    )


def test_github_annotations_tell_causes_notes_and_ways_out_a_line_each() -> None:
    (line,) = render([FINDING], {}, "github").splitlines()
    assert line.startswith("::error file=nets/lenet5.yaml,line=11,endLine=11,col=40,endColumn=49,title=S201 ")
    assert line.split("::", 2)[2].split("%0A") == [
        FINDING.message,
        "nets/lenet5.yaml:6:17: `image` is 28x28 here",
        "note: accepted: H >= 32, W >= 32",
        *(f"help: {fix}" for fix in FINDING.fixes),
    ]


def test_no_finding_can_forge_a_workflow_command() -> None:
    evil = "x\r\n::error::forged\n::set-output name=a::b"
    where = Location("a\n::error::b", 1, 1, 2)
    lines = render([Finding("N107", evil, where=where, notes=(evil,), fixes=(evil,))], {}, "github").splitlines()
    assert len(lines) == 1


def test_nothing_wrong_is_nothing_to_say() -> None:
    assert render([], {}) == "" == render([], {}, "concise")


def test_more_findings_than_anybody_reads_are_counted_and_listed_by_other_formats() -> None:
    many = [Finding("N107", f"`kernel` of `c{i}` must be at least 1, got 0") for i in range(1203)]
    full = render(many, {})
    assert full.count("error[N107]") == 200
    assert full.endswith("... and 1,003 more findings: `--output-format concise` lists them all\n")
    assert render(many, {}, "concise").count("\n") == 1203
    assert "more" not in render(many[:200], {})
