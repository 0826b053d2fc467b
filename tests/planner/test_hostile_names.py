"""Names come from files: no renderer lets one leave its place, whatever is in it."""

from __future__ import annotations

import ast
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

import planner
from planner import GraphError, Network, layer
from planner.diagnostics.render import Format, render
from planner.spec import read
from planner.spec.write import write
from tests.harness.terminal import run

PRINTABLE = [
    "<script>alert(1)</script>",
    "</title><b>",
    r"\input{/etc/passwd}",
    r"a|b|c",
    "`tick` $x$ %y & #z ~ ^",
    '"); import os; os.system("id") #',
    "'''\"\"\"",
    "]]>--><!--",
    "::error::x",
    "%0A::error::x",
    "{x} [y](http://z)",
]
"""Names that may be used, each with what some language takes for its own."""

REFUSED = ["a\n::error::x", "\x1b[31mred", "bell\x07", "\u202eover", "zero\u200bwidth", "", "long" * 30]
"""Names that may not: a line, an escape sequence, or nothing that can be seen."""

NOTATIONS = ("torch", "jax", "onnx", "python")


def spec(name: str) -> str:
    quoted = json.dumps(name)
    return f"""spec: 1
name: {quoted}
input: {{{json.dumps("i " + name)}: [N, 3, H, W]}}
layers:
  - conv: {{name: {json.dumps("c " + name)}, filters: 4, kernel: 3}}
  - maxpool: {{name: p, size: 2}}
output: {{{json.dumps("o " + name)}: {{from: p}}}}
"""


@pytest.fixture(params=PRINTABLE)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "net.yaml"
    path.write_text(spec(request.param), "utf-8")
    return path


def stdout(*arguments: str) -> str:
    ran = run(*arguments)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def test_the_terminal_gets_no_escape_sequence(file: Path) -> None:
    for command in ("check", "show", "explain", "solve"):
        assert all(char == "\n" or char.isprintable() for char in stdout(command, str(file)))


def test_a_printed_name_never_begins_a_line_that_github_takes_for_a_command(file: Path) -> None:
    text = file.read_text("utf-8").replace("[N, 3, H, W]", "[N, 3, 2, 2]")
    file.write_text(text, "utf-8")
    for style in ("full", "concise", "github"):
        printed = run("check", str(file), "--output-format", style).stdout
        commands = [line for line in printed.splitlines() if line.lstrip().startswith("::")]
        assert all(line.startswith("::error file=") for line in commands)
        assert bool(commands) is (style == "github")


def test_json_and_sarif_hold_the_names_as_they_are(file: Path) -> None:
    network = planner.load(file)
    (name,) = network.inputs
    assert json.loads(stdout("show", str(file), "--json"))["inputs"] == {name: ["N", 3, "H", "W"]}
    assert json.loads(stdout("check", str(file), "--output-format", "sarif"))["version"] == "2.1.0"


def test_diagrams_hold_the_names_as_text(file: Path) -> None:
    network = planner.load(file)
    root = ET.fromstring(str(planner.draw(network, format="svg")))
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    texts = "".join(root.itertext())
    assert all(name in texts for name in network.outputs)
    dot = str(planner.draw(network, format="dot"))
    assert not re.sub(r'"(?:[^"\\]|\\.)*"', "", dot).count('"'), "every quote is closed"


def test_latex_prints_the_names_instead_of_obeying_them(file: Path) -> None:
    for options in ((), ("--paths",), ("--count", "mac")):
        lines = stdout("explain", str(file), "--format", "latex", *options).splitlines()
        body = "\n".join(line for line in lines if not line.startswith("%"))
        assert "\\input" not in body.replace("\\textbackslash{}input", "")


def test_markdown_shows_the_names_instead_of_obeying_them(file: Path) -> None:
    for options in ((), ("--paths",), ("--count", "mac")):
        text = stdout("explain", str(file), "--format", "markdown", *options)
        outside = re.sub(r"(?<!\\)`[^`\n]*`", "", text)
        assert "<" not in outside
        rows = [line for line in text.splitlines() if line.startswith("|")]
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
        assert len(widths) == 1, rows


@pytest.mark.parametrize("notation", NOTATIONS)
def test_python_code_has_the_names_as_strings_or_identifiers(file: Path, notation: str) -> None:
    code = stdout("solve", str(file), "--as", notation)
    imported = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import)]
    assert not imported


def test_bioimageio_stays_one_document(file: Path) -> None:
    assert set(yaml.safe_load(stdout("solve", str(file), "--as", "bioimageio"))) == {"inputs", "outputs"}


def test_a_written_spec_gives_the_same_names(file: Path) -> None:
    network = planner.load(file)
    again, findings = read(write(network), "again.yaml")
    assert again is not None and not findings
    assert (again.name, list(again.inputs), list(again.outputs)) == (
        network.name,
        list(network.inputs),
        list(network.outputs),
    )


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
@pytest.mark.parametrize("place", ["network", "input", "layer", "output", "from"])
def test_names_that_cannot_be_shown_are_refused_and_told_in_print(name: str, place: str) -> None:
    names = {"network": "n", "input": "i", "layer": "c", "output": "o", "from": "i"} | {place: name}
    with pytest.raises(GraphError) as refused:
        Network(
            name=names["network"],
            input={names["input"]: ("N", 3, 8, 8)},
            layers=[layer("conv", name=names["layer"], from_=names["from"], filters=4, kernel=3)],
            output={names["output"]: {"from": names["layer"]}},
        )
    assert all(line.isprintable() for line in str(refused.value).split("\n")), ascii(str(refused.value))
    styles: tuple[Format, ...] = ("full", "concise", "github")
    for style in styles:
        printed = render(refused.value.findings, {}, style)
        assert all(line.isprintable() for line in printed.splitlines()), ascii(printed)


@pytest.mark.parametrize("name", [name for name in REFUSED if name], ids=ascii)
@pytest.mark.parametrize("place", ["name", "input", "layer", "output", "from", "kind", "setting", "block"])
def test_files_with_such_names_are_told_in_print(name: str, place: str, tmp_path: Path) -> None:
    word = {key: key[0] for key in ("name", "input", "layer", "output")} | {
        "from": "i", "kind": "conv", "setting": "bias", "block": "b",
    } | {place: name}  # fmt: skip
    quoted = {key: json.dumps(value) for key, value in word.items()}
    path = tmp_path / "net.yaml"
    path.write_text(
        f"""spec: 1
name: {quoted["name"]}
input: {{{quoted["input"]}: [N, 3, 8, 8]}}
blocks: {{{quoted["block"]}: {{layers: [gap]}}}}
layers:
  - {quoted["kind"]}: {{name: {quoted["layer"]}, from: {quoted["from"]}, filters: 4, {quoted["setting"]}: true}}
output: {{{quoted["output"]}: {{from: {quoted["layer"]}}}}}
""",
        "utf-8",
    )
    for style in ("full", "concise", "github"):
        ran = run("check", str(path), "--output-format", style)
        assert ran.exit_code == 1, ran.output
        printed = ran.stdout.splitlines()
        assert all(line.isprintable() for line in printed), ascii(ran.stdout)
        assert not any(line.startswith("::error::x") for line in printed)
