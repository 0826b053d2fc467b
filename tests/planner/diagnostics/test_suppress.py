"""Comments that silence rules: what they reach, what they cannot, and that none of them rots unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.diagnostics.suppress import apply_suppressions, suppressions
from planner.findings import Finding, Location, Severity
from planner.rules import RULES
from planner.spec.source import comments
from tests.harness.steps import steps
from tests.harness.terminal import DROPS, run

TWO = DROPS.replace("  - gap\n", "  - maxpool: {name: p, size: 3}\n")
"""Border dropped in lines 5 and 6."""


def codes(text: str, *options: str, name: str = "net.yaml") -> list[tuple[str, int | None]]:
    """Return code and line of every finding of `shapeplan check`."""
    Path(name).write_text(text, "utf-8")
    document = json.loads(run("check", name, "--output-format", "json", *options).stdout)
    return [(finding["code"], finding["line"]) for finding in document["findings"]]


def behind(comment: str, text: str = DROPS) -> str:
    """Return the spec with a comment behind the convolution."""
    return text.replace("stride: 2}\n", f"stride: 2}}  {comment}\n")


def test_the_spec_of_these_tests_drops_a_border_in_two_lines(workdir: Path) -> None:
    assert workdir.is_dir()
    assert codes(DROPS) == [("S301", 5)]
    assert codes(TWO) == [("S301", 5), ("S301", 6)]


@pytest.mark.parametrize(
    "comment",
    [
        "# shapeplan: ignore[S301]",
        "#shapeplan:ignore[s301]",
        "# the border is black  # shapeplan: ignore[S301] as measured",
        "# Shapeplan: ignore [ S301 , S302 ]",
        "# shapeplan: ignore[S302]  # shapeplan: ignore[S301]",
    ],
)
def test_a_comment_behind_a_line_silences_that_line_only(workdir: Path, comment: str) -> None:
    assert workdir.is_dir()
    found = codes(behind(comment, TWO))
    assert [line for code, line in found if code == "S301"] == [6]
    assert all(code == "N113" and "S302" in comment for code, _ in found if code != "S301")


@pytest.mark.parametrize("place", ["first", "below the name"])
def test_a_comment_of_its_own_above_the_layers_silences_the_file(workdir: Path, place: str) -> None:
    assert workdir.is_dir()
    comment = "  # shapeplan: ignore[S301]\n"
    text = comment + TWO if place == "first" else TWO.replace("input:", f"{comment}input:")
    assert codes(text) == []


def test_a_comment_of_its_own_among_the_layers_silences_nothing_and_says_where_it_would(workdir: Path) -> None:
    assert workdir.is_dir()
    text = DROPS.replace("  - conv", "  # shapeplan: ignore[S301]\n  - conv")
    assert codes(text) == [("S301", 6), ("N113", 5)]
    way_out = "put it at the end of line 6, or on a separate line above `layers`"
    assert way_out in run("check", "net.yaml").stdout


def test_a_comment_that_silences_nothing_is_a_warning_with_the_way_out(workdir: Path) -> None:
    assert workdir.is_dir()
    assert codes(behind("# shapeplan: ignore[S302]")) == [("S301", 5), ("N113", 5)]
    assert run("check", "net.yaml").exit_code == 0
    assert run("check", "net.yaml", "--strict").exit_code == 1
    moved = TWO.replace("size: 3}", "size: 2}  # shapeplan: ignore[S301]")
    assert codes(moved) == [("S301", 5), ("N113", 6)]
    assert "move it to line 5, where S301 is" in run("check", "net.yaml").stdout


@pytest.mark.parametrize(
    ("comment", "message", "fix"),
    [
        ("# shapeplan: ignore[S999]", "there is no rule S999", "a code looks like S301"),
        ("# shapeplan: ignore[S3O1]", "there is no rule S3O1", "did you mean S301?"),
        ("# shapeplan: ignore[S3]", "a comment needs full codes", "write each code: S301, S302"),
        ("# shapeplan: ignore", "is not a valid suppression comment", "# shapeplan: ignore[S301]"),
        ("# shapeplan: ignroe[S301]", "is not a valid suppression comment", "# shapeplan: ignore[S301]"),
        ("# shapeplan: noqa", "is not a valid suppression comment", "# shapeplan: ignore[S301]"),
    ],
)
def test_a_comment_that_cannot_be_understood_is_a_warning(workdir: Path, comment: str, message: str, fix: str) -> None:
    assert workdir.is_dir()
    assert codes(behind(comment)) == [("S301", 5), ("N113", 5)]
    printed = run("check", "net.yaml").stdout
    assert message in printed
    assert fix in printed


@pytest.mark.parametrize(
    "comment", ["# shapeplan: see the manual", "# made with shapeplan", "# ignore[S301]", "# shapeplan"]
)
def test_prose_is_no_instruction(workdir: Path, comment: str) -> None:
    assert workdir.is_dir()
    assert codes(behind(comment)) == [("S301", 5)]


def test_words_between_quotes_are_no_comment(workdir: Path) -> None:
    assert workdir.is_dir()
    text = DROPS.replace("name: small", "name: 'small # shapeplan: ignore[S301]'")
    assert codes(text) == [("S301", 5)]


def test_an_error_is_never_silenced_and_says_so(workdir: Path) -> None:
    assert workdir.is_dir()
    text = behind("# shapeplan: ignore[S201]").replace("10, 10", "2, 2")
    assert codes(text) == [("S201", 5)]
    result = run("check", "net.yaml")
    assert result.exit_code == 1
    note = "a comment in line 5 ignores this rule, but only warnings can be silenced: an error leaves no plan"
    assert f"note: {note}" in result.stdout
    typo = behind("# shapeplan: ignore[N101]").replace("kernel:", "kernal:")
    assert ("N101", 5) in codes(typo)
    assert "a comment in line 5 ignores this rule" in run("check", "net.yaml").stdout


def test_a_comment_is_not_blamed_for_warnings_that_an_error_hides(workdir: Path) -> None:
    assert workdir.is_dir()
    text = TWO.replace("size: 3}", "size: 3}  # shapeplan: ignore[S301]").replace("kernel: 3", "kernel: 30")
    assert codes(text) == [("S201", 5)]


def test_the_warning_about_comments_can_be_silenced_itself(workdir: Path) -> None:
    assert workdir.is_dir()
    assert codes(behind("# shapeplan: ignore[S302, N113]")) == [("S301", 5)]
    assert codes(behind("# shapeplan: ignore[N113]")) == [("S301", 5)]


def test_a_comment_stays_of_use_where_the_command_line_leaves_its_rule_out(workdir: Path) -> None:
    assert workdir.is_dir()
    assert codes(behind("# shapeplan: ignore[S301]"), "--ignore", "S3") == []
    assert codes(behind("# shapeplan: ignore[S302]"), "--ignore", "N113,S301") == []


def test_silenced_warnings_are_not_counted_by_show(workdir: Path) -> None:
    assert workdir.is_dir()
    Path("net.yaml").write_text(behind("# shapeplan: ignore[S301]"), "utf-8")
    assert run("show", "net.yaml").stderr == ""


def test_json_specs_have_no_comments() -> None:
    assert comments('{"name": "a"} # b', "net.json") == ()
    assert suppressions('{"name": "# shapeplan: ignore[S999]"}', "net.json") == ((), ())


def test_comments_are_found_where_yaml_has_them() -> None:
    text = (
        "# one\na: 'x # no' # two\nb: \"\\\" # no\"\t# three\nc: d#no\n"
        "d: |\n  # no\n  text\ne: [1, # four\n  2]\r\n# five"
    )
    found = comments(text, "a.yaml")
    assert [words for _, words in found] == ["# one", "# two", "# three", "# four", "# five"]
    assert [(where.line, where.column) for where, _ in found] == [(1, 1), (2, 13), (3, 14), (8, 8), (10, 1)]


@settings(max_examples=200)
@given(st.text(alphabet="#shapeln: ignore[]S301,N\n\t'\"{}-|\ufeffé", max_size=200), st.booleans())
def test_any_text_is_read_without_a_fault(text: str, planned: bool) -> None:
    drops = Finding("S301", "drops", Severity.WARNING, where=Location("a.yaml", 2, 1, 2))
    error = Finding("S201", "does not fit", where=Location("a.yaml", 2, 1, 2))
    kept = apply_suppressions([drops, error], f"a: 1\n{text}", "a.yaml", planned)
    assert "S201" in [finding.code for finding in kept]
    assert {finding.code for finding in kept} <= {"S301", "S201", "N113"}


@pytest.mark.parametrize(
    ("before", "repeated", "after"),
    [
        ("", "[", ""),
        ("a: 1 # shapeplan: ignore[", "S301,", "]"),
        ("a: 1 # shapeplan: ignore[", "S9x9,", "]"),
        ("", "# shapeplan: ignore[S301]\n", "a: 1"),
        ("", "# shapeplan: ignore[", ""),
    ],
    ids=["deep", "one line", "unknown", "many lines", "unclosed"],
)
def test_hostile_comments_cost_little_and_say_little(before: str, repeated: str, after: str) -> None:
    drops = [Finding("S301", "drops", Severity.WARNING, where=Location("a.yaml", 2, 1, 2))] * 1000

    def work(count: int) -> int:
        text = f"{before}{repeated * count}{after}\n# shapeplan: ignore[S302]"
        assert len(apply_suppressions(drops, text, "a.yaml", planned=True)) <= 1000 + 250
        return steps(lambda: apply_suppressions(drops, text, "a.yaml", planned=True))

    work(100_000 // len(repeated))
    assert work(4_000) < 2.2 * work(2_000)


def test_every_rule_can_be_named() -> None:
    text = f"a: 1  # shapeplan: ignore[{', '.join(RULES)}]"
    found, wrong = suppressions(text, "a.yaml")
    assert [each.code for each in found] == list(RULES)
    assert wrong == ()
