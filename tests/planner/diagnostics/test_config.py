"""[tool.shapeplan]: what it says is done, what it cannot say is a finding, and the command line wins."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.diagnostics import config
from planner.diagnostics.config import KEYS, Projects, matches, read_settings
from planner.diagnostics.toml import places
from planner.findings import Finding
from planner.rules import RULES
from planner.rules.selection import Selection
from tests.harness.places import ROOT
from tests.harness.terminal import DROPS, SMALL, run

HEAD = "[tool.shapeplan]\n"


def codes(*arguments: str) -> list[str]:
    """Return the codes of all findings of `shapeplan check`."""
    document = json.loads(run("check", "--output-format", "json", *arguments).stdout)
    return [finding["code"] for finding in document["findings"]]


def project(text: str, directory: str = ".") -> None:
    """Write a pyproject.toml."""
    Path(directory).mkdir(parents=True, exist_ok=True)
    (Path(directory) / "pyproject.toml").write_text(text, "utf-8")


def test_each_pyproject_is_read_once(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(f"{HEAD}strict = true\n")
    asked: list[Path] = []

    def counted(path: Path) -> config.Settings | None:
        asked.append(path)
        return read_settings(path)

    monkeypatch.setattr(config, "read_settings", counted)
    for name in ("a", "a/b", "c"):
        (workdir / name).mkdir()
    projects = Projects()
    found = [projects.near(workdir / name / "net.yaml") for name in ("a/b", "a", "c", ".")]
    assert all(each.strict and each is found[0] for each in found)
    assert [path.parent for path in asked] == [workdir / "a/b", workdir / "a", workdir, workdir / "c"]
    assert projects.all == (found[0],)


def faults(text: str, workdir: Path) -> tuple[Finding, ...]:
    """Return what is wrong with settings."""
    project(text)
    found = read_settings(workdir / "pyproject.toml")
    assert found is not None
    return found.findings


def test_without_settings_everything_is_told(workdir: Path) -> None:
    assert workdir.is_dir()
    assert codes("drops.yaml") == ["S301"]
    project('[project]\nname = "shapeplan"\n')
    assert codes("drops.yaml") == ["S301"]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('ignore = ["S301"]', False),
        ('ignore = ["s3"]', False),
        ('ignore = ["ALL"]', False),
        ('ignore = ["N"]', True),
        ("ignore = []", True),
        ('select = ["S2", "N1"]', False),
        ('select = ["S"]', True),
        ('select = ["ALL"]', True),
        ("select = []", False),
        ('select = ["S3"]\nignore = ["S301"]', False),
        ('select = ["S301"]\nignore = ["S"]', True),
        ('select = ["S301"]\nignore = ["S301"]', False),
        ('per-file-ignores = {"drops.yaml" = ["S3"]}', False),
        ('per-file-ignores = {"other.yaml" = ["S3"]}', True),
        ('select = ["S301"]\nper-file-ignores = {"*.yaml" = ["S"]}', False),
        ('[tool.shapeplan.per-file-ignores]\n"drops.*" = ["S301"]', False),
    ],
)
def test_settings_choose_the_rules(workdir: Path, setting: str, told: bool) -> None:
    assert workdir.is_dir()
    project(HEAD + setting)
    assert codes("drops.yaml") == (["S301"] if told else [])


@pytest.mark.parametrize(
    ("setting", "options", "told"),
    [
        ('ignore = ["S301"]', ["--select", "S3"], True),
        ('select = ["N1"]', ["--select", "S3"], True),
        ('select = ["S3"]', ["--ignore", "S"], False),
        ('ignore = ["N1"]', ["--ignore", "S301"], False),
        ('ignore = ["S301"]', ["--ignore", "N1"], False),
        ('ignore = ["S301"]', ["--select", "ALL", "--ignore", "N"], True),
        ('ignore = ["S301"]', ["--select", "S301", "--ignore", "S3"], True),
        ('per-file-ignores = {"drops.yaml" = ["S3"]}', ["--select", "S3"], False),
    ],
)
def test_the_command_line_wins(workdir: Path, setting: str, options: list[str], told: bool) -> None:
    assert workdir.is_dir()
    project(HEAD + setting)
    assert codes("drops.yaml", *options) == (["S301"] if told else [])


def test_strict_comes_from_settings_and_either_flag_wins(workdir: Path) -> None:
    assert workdir.is_dir()
    project(HEAD + "strict = true")
    assert run("check", "drops.yaml").exit_code == 1
    assert run("check", "drops.yaml", "--no-strict").exit_code == 0
    project(HEAD + "strict = false")
    assert run("check", "drops.yaml").exit_code == 0
    assert run("check", "drops.yaml", "--strict").exit_code == 1


def test_the_format_comes_from_the_command_then_the_settings_then_the_surroundings(workdir: Path) -> None:
    assert workdir.is_dir()
    project(HEAD + 'output-format = "concise"')
    assert run("check", "drops.yaml").stdout.startswith("drops.yaml:5:45: warning[S301]")
    assert run("check", "drops.yaml", GITHUB_ACTIONS="true").stdout.startswith("drops.yaml:5:45: warning[S301]")
    assert json.loads(run("check", "drops.yaml", "--output-format", "json").stdout)["findings"]


@pytest.mark.parametrize("setting", ['ignore = ["S"]', 'select = ["S3"]', 'per-file-ignores = {"a.yaml" = ["S2"]}'])
def test_an_error_is_told_whatever_was_asked_for_and_says_why(workdir: Path, setting: str) -> None:
    assert workdir.is_dir()
    project(HEAD + setting)
    Path("a.yaml").write_text(SMALL.replace("H, W", "2, 2"), "utf-8")
    result = run("check", "a.yaml")
    assert result.exit_code == 1
    assert "error[S201]" in result.stdout
    assert "but only warnings can be silenced: an error leaves no plan" in result.stdout
    assert codes("a.yaml", "--select", "S3", "--ignore", "S201") == ["S201"]


def test_the_nearest_file_with_a_table_counts_for_each_spec(workdir: Path) -> None:
    assert workdir.is_dir()
    project(HEAD + 'ignore = ["S301"]')
    project("[project]\nname = 'x'\n", "inner")
    project(HEAD + "strict = true", "own")
    for place in ("inner", "own"):
        Path(place, "drops.yaml").write_text(DROPS, "utf-8")
    found = json.loads(run("check", "--output-format", "json", "drops.yaml", "inner", "own").stdout)["files"]
    assert [[f["severity"] for f in file["findings"]] for file in found] == [[], [], ["error"]]
    assert run("check", "-", stdin=DROPS).stdout.count("S301") == 0


def test_settings_above_the_working_directory_are_named_from_there(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(HEAD + "strict = 1")
    (workdir / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(workdir / "deep" / "er")
    assert "--> ../../pyproject.toml:2:10" in run("check", "-", stdin=SMALL).stdout


def test_one_faulty_setting_is_one_finding_whatever_the_number_of_specs(workdir: Path) -> None:
    assert workdir.is_dir()
    project(HEAD + 'selct = ["S3"]\nignore = ["S301"]')
    for form in ("full", "concise", "github", "json", "sarif"):
        specs = ("drops.yaml", "small.yaml", "examples/broken")
        result = run("check", *specs, "--output-format", form, "--ignore", "N101")
        assert result.exit_code == 1
        assert result.stdout.count("has no key `selct`") == 1
    assert "error[N101]" in run("check", "drops.yaml").stdout
    assert "S301" not in run("check", "drops.yaml").stdout


def test_faulty_settings_are_told_even_where_no_spec_is_found(workdir: Path) -> None:
    project(HEAD + "strict = 1")
    (workdir / "empty").mkdir()
    result = run("check", "empty")
    assert (result.exit_code, "error[P106]" in result.stdout) == (1, True)


@pytest.mark.parametrize(
    ("text", "code", "place", "message", "fix"),
    [
        (HEAD + "selct = []", "N101", (2, 1, 6), "no key `selct`", "did you mean `select`?"),
        (HEAD + "output_format = 'json'", "N101", (2, 1, 14), "`output_format`", "did you mean `output-format`?"),
        (HEAD + "xyzzy = 1", "N101", (2, 1, 6), "`xyzzy`", "keys are select, ignore, strict"),
        ("[tool.shapeplan.per-files]\na = []", "N101", (1, 17, 26), "`per-files`", "did you mean `per-file-ignores`?"),
        (HEAD + 'select = "S3"', "P106", (2, 10, 14), "must be a list of codes", 'write  select = ["S3"]'),
        (HEAD + "select = true", "P106", (2, 10, 14), "must be a list of codes", 'select = ["S2", "N106"]'),
        (HEAD + 'ignore = [\n  "S301",\n  "S311",  # x\n]', "N107", (4, 3, 9), "no rule S311", "did you mean"),
        (HEAD + 'ignore = ["S301", 3]', "P106", (2, 19, 20), "a string in quotes", 'ignore = ["S301"]'),
        (HEAD + 'ignore = [""]', "N107", (2, 11, 13), "there is no rule", "a code looks like S301"),
        (HEAD + 'strict = "yes"', "P106", (2, 10, 15), "must be true or false", "strict = true"),
        (HEAD + 'output-format = "sarf"', "N107", (2, 17, 23), "cannot be sarf", 'did you mean "sarif"?'),
        (HEAD + "output-format = 3", "P106", (2, 17, 18), "must be a string", "formats are full, concise"),
        (HEAD + "per-file-ignores = []", "P106", (2, 20, 22), "table of file patterns", '{"old/**" = ["S301"]}'),
        (HEAD + 'per-file-ignores = {"a b" = "S3"}', "P106", (2, 29, 33), "list of codes", 'write  "a b" = ["S3"]'),
        (HEAD + 'per-file-ignores."x.y" = ["Q1"]', "N107", (2, 27, 31), "no rule Q1", "a code looks like"),
        ("[tool]\nshapeplan = 3", "P106", (2, 13, 14), "must be a table", "[tool.shapeplan]"),
        ("tool.shapeplan.strict = 0", "P106", (1, 25, 26), "must be true or false", "strict = true"),
        (HEAD + "strict = \nselect = []", "P101", (2, 10, 11), "not TOML: Invalid value", "look at this line"),
        (HEAD + "strict =", "P101", (2, 9, 10), "not TOML", "look at this line"),
        ("# shapeplan\na = " + "[" * 5000, "P103", (1, 1, 2), "nested too deeply", ""),
    ],
)
def test_every_wrong_setting_is_a_finding_with_place_and_way_out(
    workdir: Path, text: str, code: str, place: tuple[int, int, int], message: str, fix: str
) -> None:
    (found,) = faults(text, workdir)
    assert found.where is not None
    assert (found.code, (found.where.line, found.where.column, found.where.end_column)) == (code, place)
    assert message in found.message
    assert any(fix in each for each in found.fixes) or not fix


def test_a_faulty_setting_leaves_the_others_in_force(workdir: Path) -> None:
    assert len(faults(HEAD + 'select = ["S301", "Q9"]\nstrict = "no"\nignore = ["S301"]', workdir)) == 2
    found = read_settings(workdir / "pyproject.toml")
    assert found is not None
    assert found.selection == Selection(("S301",), ("S301",))
    assert faults(HEAD + 'select = ["Q9"]', workdir)
    unread = read_settings(workdir / "pyproject.toml")
    assert unread is not None and unread.selection.select is None


def test_bytes_that_are_no_text_are_a_finding(workdir: Path) -> None:
    (workdir / "pyproject.toml").write_bytes(b"[tool.shapeplan]\nstrict = '\xff'\n")
    found = read_settings(workdir / "pyproject.toml")
    assert found is not None
    assert [(each.code, each.where and each.where.line) for each in found.findings] == [("P101", 2)]


@pytest.mark.parametrize(
    "text", ["[tool.other]\nx = 1", "not = [toml", "", "[tool]\nother = 'shapeplan'", "tool = 3 # shapeplan"]
)
def test_files_of_other_programs_are_none_of_ours(workdir: Path, text: str) -> None:
    project(text)
    assert read_settings(workdir / "pyproject.toml") is None
    assert codes("drops.yaml") == ["S301"]


def test_a_directory_of_that_name_is_passed_by(workdir: Path) -> None:
    (workdir / "pyproject.toml").mkdir()
    assert codes("drops.yaml") == ["S301"]


def test_every_key_is_documented_with_something_that_works(workdir: Path) -> None:
    lines = [words.partition(":  ")[2] for words in KEYS.values()]
    assert faults(HEAD + "\n".join(lines), workdir) == ()
    page = (ROOT / "docs" / "spec.md").read_text("utf-8")
    assert all(f"`{key}`" in page for key in KEYS)


def test_the_settings_that_the_documentation_shows_are_sound(workdir: Path) -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```", (ROOT / "docs" / "spec.md").read_text("utf-8"), re.M | re.S)
    assert faults(shown, workdir) == ()


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("a.yaml", "nets/a.yaml", True),
        ("./nets/a.yaml", "nets/a.yaml", True),
        ("nets", "nets/deep/a.yaml", True),
        ("nets/", "nets/deep/a.yaml", True),
        ("nets/*.yaml", "nets/deep/a.yaml", False),
        ("nets/**/*.yaml", "nets/a.yaml", True),
        ("nets/**/*.yaml", "nets/deep/er/a.yaml", True),
        ("**/old", "nets/old/a.yaml", True),
        ("a?.yaml", "ab.yaml", True),
        ("a?.yaml", "a/.yaml", False),
        ("a.yaml", "aXyaml", False),
        ("[ab].yaml", "a.yaml", False),
        ("*", "anything/at/all.yaml", True),
    ],
)
def test_patterns_mean_files_and_directories(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path) is expected


PREFIXES = sorted({code[:length] for code in RULES for length in (1, 2, 3, 4)} | {"ALL"})


@given(st.none() | st.lists(st.sampled_from(PREFIXES), max_size=4), st.lists(st.sampled_from(PREFIXES), max_size=4))
def test_the_last_word_has_the_longest_beginning(select: list[str] | None, ignore: list[str]) -> None:
    # the oracle paints: shortest first, on equal length `ignore` paints over `select`
    wanted = dict.fromkeys(RULES, select is None)
    words = [(0 if w == "ALL" else len(w), 0, w) for w in select or ()]
    words += [(0 if w == "ALL" else len(w), 1, w) for w in ignore]
    for _, ignoring, word in sorted(words):
        wanted |= {code: not ignoring for code in RULES if word == "ALL" or code.startswith(word)}
    selection = Selection(None if select is None else tuple(select), tuple(ignore))
    assert {code: selection.selects(code) for code in RULES} == wanted


ODD = """# [tool.no]
"a.b".'c d' = '''x
[not.a.table]
''' # end
[ tool . "x" ]
dates = [1979-05-27T07:32:00Z, 1e6, -0.5,
  "#", "]", '\\', ] # ]
inline = { a = 1, b.c = [ {d = "}"}, [2] ] }
[[many.of]]
[[many.of]]
[many.of.below]
k = \"\"\"a\\"\" b\"\"\"
"""


@pytest.mark.parametrize("text", [(ROOT / "pyproject.toml").read_text("utf-8"), ODD])
def test_what_stands_at_a_place_is_the_value_itself(text: str) -> None:
    tree = tomllib.loads(text)
    found = places(text, "x")
    lines = text.split("\n")
    checked = 0
    for path, where in found.values.items():
        value: Any = tree
        for step in path:
            value = value[step]
        piece = lines[where.line - 1][where.column - 1 : where.end_column - 1]
        if isinstance(value, (str, bool)) and "\n" not in str(value):
            assert tomllib.loads(f"k = {piece}")["k"] == value
            checked += 1
    assert checked > 2
    assert len(found.keys) >= len(tree)
