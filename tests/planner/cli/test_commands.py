"""The command line: what is printed where, how it ends, and that no mistake ends in a traceback.

Golden files hold whole outputs; with ``SHAPEPLAN_UPDATE_GOLDEN=1`` this file writes them anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from planner.cli import commands, draw, show
from planner.diagrams import HEATS, LEVELS
from planner.rules import RULES
from planner.tables.table import SORT_KEYS
from tests.harness.places import GOLDEN, ROOT
from tests.harness.terminal import SMALL, run


@pytest.mark.parametrize(
    ("name", "arguments", "status"),
    [
        ("check_lenet5", ["check", "examples/lenet5.yaml"], 0),
        ("check_broken", ["check", "examples/broken"], 1),
        ("check_concise", ["check", "examples/broken", "--output-format", "concise"], 1),
        ("show_lenet5", ["show", "examples/lenet5.yaml"], 0),
        ("show_free", ["show", "small.yaml"], 0),
        ("explain_c3", ["explain", "examples/lenet5.yaml", "c3"], 0),
    ],
)
def test_whole_outputs_are_as_kept(workdir: Path, name: str, arguments: list[str], status: int) -> None:
    assert workdir.is_dir()
    result = run(*arguments)
    printed = result.stdout.replace("\\", "/") if os.name == "nt" else result.stdout
    kept = GOLDEN / f"{name}.txt"
    if os.environ.get("SHAPEPLAN_UPDATE_GOLDEN"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(printed, "utf-8", newline="\n")
    assert result.exit_code == status
    assert printed == kept.read_text("utf-8")


def test_help_fits_one_screen() -> None:
    for arguments in ([], *([name] for name in commands.OWN)):
        lines = run(*arguments, "--help").stdout.splitlines()
        assert len(lines) <= 30
        assert max(map(len, lines)) <= 100


def test_a_clean_spec_tells_totals_and_accepted_sizes(workdir: Path) -> None:
    assert workdir.is_dir()
    result = run("check", "examples/lenet5.yaml")
    assert result.exit_code == 0
    assert "61,706 parameters" in result.stdout
    assert "the same layers accept: H >= 32, W >= 32" in result.stdout
    assert "accepted: H >= 5, W >= 5, any N" in run("check", "small.yaml").stdout


def test_warnings_fail_only_when_strict(workdir: Path) -> None:
    assert workdir.is_dir()
    loose, strict = run("check", "drops.yaml"), run("check", "drops.yaml", "--strict")
    assert (loose.exit_code, strict.exit_code) == (0, 1)
    assert "warning[S301]" in loose.stdout
    assert "ok, 1 warning" in loose.stdout
    assert "error[S301]" in strict.stdout


def test_rules_can_be_selected_and_ignored(workdir: Path) -> None:
    assert workdir.is_dir()
    assert run("check", "drops.yaml", "--strict", "--ignore", "S3").exit_code == 0
    assert run("check", "drops.yaml", "--select", "S201,n102").stdout.count("warning[") == 0
    unknown = run("check", "small.yaml", "--select", "S999")
    assert unknown.exit_code == 2
    assert "there is no rule S999" in unknown.stderr


def test_json_of_one_file_has_findings_and_accepted(workdir: Path) -> None:
    assert workdir.is_dir()
    clean = json.loads(run("check", "small.yaml", "--output-format", "json").stdout)
    assert clean["findings"] == []
    assert clean["accepted"]["H"]["text"] == "H >= 5"
    broken = run("check", "examples/broken/lenet5_28.yaml", "--output-format", "json")
    assert broken.exit_code == 1
    (finding,) = json.loads(broken.stdout)["findings"]
    keys = {"code", "severity", "message", "file", "line", "column", "end_column", "notes", "fixes"}
    assert keys <= set(finding)
    assert (finding["code"], finding["severity"], finding["file"]) == (
        "S201",
        "error",
        "examples/broken/lenet5_28.yaml",
    )
    assert json.loads(broken.stdout)["accepted"] is None


def test_json_of_several_files_holds_each_and_all_findings_together(workdir: Path) -> None:
    assert workdir.is_dir()
    found = json.loads(run("check", "small.yaml", "examples/broken/skip.yaml", "--output-format", "json").stdout)
    assert [file["file"] for file in found["files"]] == ["small.yaml", "examples/broken/skip.yaml"]
    assert found["findings"] == found["files"][1]["findings"]


def test_directories_are_searched_for_specs_only(workdir: Path) -> None:
    (workdir / "examples" / "config.yaml").write_text("name: not a network\n", "utf-8")
    (workdir / "examples" / ".hidden").mkdir()
    (workdir / "examples" / ".hidden" / "x.yaml").write_text("spec: 1\n", "utf-8")
    (workdir / "examples" / "net.json").write_text('{"spec": 1, "name": "j"}', "utf-8")
    found = json.loads(run("check", "examples", "--output-format", "json").stdout)
    names = [Path(file["file"]).name for file in found["files"]]
    assert {"lenet5.yaml", "skip.yaml", "net.json"} <= set(names)
    assert not {"config.yaml", "x.yaml"} & set(names)
    (workdir / "empty").mkdir()
    nothing = run("check", "empty")
    assert (nothing.exit_code, nothing.stdout, nothing.stderr) == (0, "", "no specs found under empty\n")


def test_standard_input_is_a_spec(workdir: Path) -> None:
    assert workdir.is_dir()
    assert "<stdin>: ok" in run("check", "-", stdin=SMALL).stdout
    assert run("show", "-", stdin=SMALL).exit_code == 0


def test_github_is_chosen_on_github_and_nowhere_else(workdir: Path) -> None:
    assert workdir.is_dir()
    there = run("check", "examples/broken/skip.yaml", GITHUB_ACTIONS="true")
    assert there.stdout.startswith("::error file=examples/broken/skip.yaml,line=8")
    assert there.exit_code == 1
    told = run("check", "examples/broken/skip.yaml", "--output-format", "concise", GITHUB_ACTIONS="true")
    assert told.stdout.startswith("examples/broken/skip.yaml:8:")


def test_sizes_from_outside_are_judged_at_the_input(workdir: Path) -> None:
    assert workdir.is_dir()
    assert "at H = 9: gap1 N x 4 x 1 x 1" in run("check", "small.yaml", "--at", "H=9").stdout
    refused = run("check", "small.yaml", "--at", "H=3,W=9", "--at", "N=1")
    assert refused.exit_code == 1
    assert "error[S209]" in refused.stdout
    assert "small.yaml:3:1" in refused.stdout
    assert "nearest accepted: H = 5" in refused.stdout


@pytest.mark.parametrize("text", ["H", "H=", "H=x", "=3", "H=1e3", "H=3,H=4", "H=3;W=4", "H=" + "9" * 5000, ""])
def test_sizes_that_cannot_be_read_are_misuse(workdir: Path, text: str) -> None:
    assert workdir.is_dir()
    result = run("show", "small.yaml", "--at", text)
    assert result.exit_code == 2
    assert "--at" in result.stderr


@pytest.mark.parametrize("command", ["show", "explain", "draw"])
@pytest.mark.parametrize("sizes", ["H=1", "Q=3", "H=0", "C=4"])
def test_sizes_that_are_not_accepted_are_findings_everywhere(workdir: Path, command: str, sizes: str) -> None:
    assert workdir.is_dir()
    more = ["-o", "x.dot"] if command == "draw" else []
    result = run(command, "small.yaml", "--at", sizes, *more)
    assert result.exit_code == 1
    assert "error[S209]" in result.stderr
    assert not Path("x.dot").exists()


@pytest.mark.parametrize("command", ["check", "show", "explain", "draw"])
def test_a_file_that_is_not_there_is_a_finding_of_status_1(workdir: Path, command: str) -> None:
    assert workdir.is_dir()
    result = run(command, "nets/gone.yaml", *(["-o", "x.svg"] if command == "draw" else []))
    assert result.exit_code == 1
    assert "error[P105]: there is no file nets/gone.yaml" in result.stdout + result.stderr


def test_results_go_to_stdout_and_faults_of_a_spec_to_stderr(workdir: Path) -> None:
    assert workdir.is_dir()
    result = run("show", "examples/broken/skip.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error[S202]" in result.stderr
    asked = run("show", "examples/broken/skip.yaml", "--json")
    assert [finding["code"] for finding in json.loads(asked.stdout)["findings"]] == ["S202"]
    assert asked.exit_code == 1


def test_show_prints_json_memory_and_warnings(workdir: Path) -> None:
    assert workdir.is_dir()
    found = json.loads(run("show", "examples/lenet5.yaml", "--at", "N=2", "--json").stdout)
    assert (found["parameters"], found["macs"], found["outputs"]) == (61706, 833040, {"out": [2, 10]})
    memory = run("show", "examples/lenet5.yaml", "--memory").stdout
    assert "arena of inference" in memory
    assert "arena of a training step" in memory
    free = run("show", "small.yaml", "--memory")
    assert free.exit_code == 1
    assert "needs a value for every size" in free.stderr
    assert "1 warning; see  shapeplan check drops.yaml" in run("show", "drops.yaml").stderr


def test_explain_derives_a_layer_in_every_format(workdir: Path) -> None:
    assert workdir.is_dir()
    line = "(n - k)/s + 1 = (14 - 5)/1 + 1 = 10"
    assert line in run("explain", "examples/lenet5.yaml", "c3").stdout
    assert line in run("explain", "examples/lenet5.yaml", "c3", "--format", "markdown").stdout
    assert r"\frac{14 - 5}{1} + 1 = 10" in run("explain", "examples/lenet5.yaml", "c3", "--format", "latex").stdout
    found = json.loads(run("explain", "examples/lenet5.yaml", "--json").stdout)
    assert [item["name"] for item in found["layers"]] == ["c1", "s2", "c3", "s4", "c5", "flatten1", "f6", "out"]
    assert "32 -c1 k5-> 28 -s2 /2-> 14 -c3 k5-> 10" in run("explain", "examples/lenet5.yaml", "c3").stdout


def test_explain_of_a_broken_spec_derives_up_to_the_fault_and_ends_with_status_1(workdir: Path) -> None:
    assert workdir.is_dir()
    result = run("explain", "examples/broken/lenet5_28.yaml", "c5")
    assert "(n - k)/s + 1 = (4 - 5)/1 + 1 = 0" in result.stdout
    assert "error[S201]" in result.stderr
    assert result.exit_code == 1
    assert run("explain", "examples/broken/lenet5_28.yaml", "--json").exit_code == 1
    assert "error[N101]" in run("explain", "examples/broken/typos.yaml").stderr


def test_explain_names_the_nearest_layer_and_rule(workdir: Path) -> None:
    assert workdir.is_dir()
    layer, rule = run("explain", "examples/lenet5.yaml", "flaten1"), run("explain", "S299")
    assert (layer.exit_code, rule.exit_code) == (2, 2)
    assert "did you mean `flatten1`?" in layer.stderr
    assert "there is no rule S299" in rule.stderr


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_is_explained(code: str) -> None:
    result = run("explain", code.lower())
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{code}: {RULES[code].title}\n")
    assert json.loads(run("explain", code, "--json").stdout)["code"] == code


def test_draw_writes_a_picture_and_a_broken_network_too(workdir: Path) -> None:
    assert run("draw", "examples/lenet5.yaml", "-o", "net.svg").exit_code == 0
    assert (workdir / "net.svg").read_text("utf-8").lstrip().startswith("<")
    broken = run("draw", "examples/broken/lenet5_28.yaml", "-o", "broken.dot")
    assert broken.exit_code == 1
    assert "error[S201]" in broken.stderr
    assert (workdir / "broken.dot").stat().st_size > 100
    unknown = run("draw", "small.yaml", "-o", "net.gif")
    assert unknown.exit_code == 1
    assert "error[D60" in unknown.stderr


def test_words_that_are_repeated_here_are_those_of_the_modules_behind() -> None:
    assert (tuple(LEVELS), tuple(HEATS), SORT_KEYS) == (draw.LEVELS, draw.HEATS, show.SORT_KEYS)


def test_init_prints_a_spec_that_is_clean_and_overwrites_nothing(workdir: Path) -> None:
    printed = run("init").stdout
    assert printed == (ROOT / "examples" / "lenet5.yaml").read_text("utf-8")
    assert run("check", "-", stdin=printed).exit_code == 0
    assert run("init", "lenet5", "-o", "mine.yaml").exit_code == 0
    assert (workdir / "mine.yaml").read_text("utf-8") == printed
    again = run("init", "-o", "mine.yaml")
    assert again.exit_code == 2
    assert "cannot be written" in again.stderr
    assert "did you mean `lenet5`?" in run("init", "lenet").stderr


def test_schema_is_json(workdir: Path) -> None:
    assert workdir.is_dir()
    assert json.loads(run("schema").stdout)["$schema"].startswith("http://json-schema.org/draft-07")
