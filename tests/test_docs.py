"""The documentation keeps its word: links lead somewhere, commands exist, examples run and print what is shown.

Conventions for authors: a ``yaml`` block that begins with ``spec:`` is checked, one that begins with
``- `` is checked as the layers of a small network, and a first line ``# name.yaml`` also writes it to
that file for the ``console`` blocks behind it. ``console`` blocks are run, and ``...`` stands for lines not
shown. The ``python`` blocks of a file run in order and share their names.
"""

from __future__ import annotations

import doctest
import importlib
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml

from docs import generate
from tests.harness.places import ROOT

PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
UNFINISHED = ("TO BE MEASURED", "TODO", "CHECK-OUTPUT", "MISTAKE-OUTPUT")
SKELETON = "spec: 1\nname: fragment\ninput: {image: [N, 3, 64, 64]}\nlayers:\n"


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text("utf-8")
    found = [Block(page, text.count("\n", 0, m.start()) + 1, m[1], m[2]) for m in FENCE.finditer(text)]
    return [block for block in found if language in (None, block.language)]


def name_of(value: object) -> str:
    """Return the id of a test case for a page or a block."""
    if isinstance(value, Block):
        return f"{value.page.name}:{value.line}"
    return value.name if isinstance(value, Path) else str(value)


def every(language: str) -> list[Block]:
    """Return all blocks in one language."""
    return [block for page in PAGES for block in blocks(page, language)]


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """Return the anchors that headings of a page have on code hosting sites."""
    titles = re.findall(r"^#+\s+(.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(page: Path) -> list[str]:
    """Return the links of a page, within the project, that lead nowhere."""
    broken = []
    for target in LINK.findall(prose(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    return broken


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory with a copy of the examples, and step into it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str, cwd: Path) -> str:
    """Return what a `shapeplan` command prints on both streams, as on a terminal 100 columns wide."""
    environment = {
        key: value for key, value in os.environ.items() if key not in {"GITHUB_ACTIONS", "FORCE_COLOR", "CI"}
    }
    environment |= {"NO_COLOR": "1", "COLUMNS": "100", "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
    program = "import sys; from planner.cli import main; sys.argv[0] = 'shapeplan'; main()"
    finished = subprocess.run(
        [sys.executable, "-c", program, *command.split()[1:]],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return finished.stdout


def same(shown: str, printed: str) -> bool:
    """Tell whether a page shows what was printed, where ``...`` on the page stands for anything."""
    tidy = ["\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n" for text in (shown, printed)]
    return doctest.OutputChecker().check_output(tidy[0], tidy[1], doctest.ELLIPSIS)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_a_broken_link_and_a_broken_anchor_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One *title*\n[a](gone.md) [b](#one-title) [c](#no-title) [d](https://example.org)\n", "utf-8")
    assert broken_links(page) == ["gone.md", "#no-title"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_figure_is_left_to_be_filled_in(page: Path) -> None:
    text = re.sub(r"<!--.*?-->", "", page.read_text("utf-8"), flags=re.DOTALL)
    assert [mark for mark in UNFINISHED if mark in text] == []


def test_every_make_target_that_is_mentioned_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shells = "\n".join(block.text for block in every("sh"))
    quoted = "\n".join(code for page in PAGES for code in re.findall(r"`([^`\n]+)`", prose(page)))
    mentioned = set(re.findall(r"^\s*make ([a-z-]+)", f"{shells}\n{quoted}", re.MULTILINE))
    assert mentioned
    assert mentioned <= targets


def plugged_in() -> dict[str, str]:
    """Return the commands that plug in from outside the planner, and where each is found."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    commands: dict[str, str] = project["entry-points"]["shapeplan.commands"]
    return commands


@pytest.mark.parametrize("name", sorted(plugged_in()))
def test_every_command_that_plugs_in_is_there(name: str) -> None:
    module, _, attribute = plugged_in()[name].partition(":")
    assert isinstance(getattr(importlib.import_module(module), attribute), click.Command)


def test_every_command_that_is_mentioned_exists() -> None:
    from planner.cli import main

    known = set(main.commands) | set(plugged_in())
    shells = "\n".join(block.text for page in PAGES for block in blocks(page) if block.language in {"sh", "console"})
    quoted = "\n".join(code for page in PAGES for code in re.findall(r"`([^`\n]+)`", prose(page)))
    mentioned = set(re.findall(r"^\s*(?:\$ )?shapeplan ([a-z]+)", f"{shells}\n{quoted}", re.MULTILINE))
    assert mentioned
    assert mentioned <= known


@pytest.mark.parametrize("block", every("yaml"), ids=name_of)
def test_every_yaml_block_is_what_it_seems(block: Block) -> None:
    from planner import spec

    text = re.sub(r"\A# .*\n", "", block.text)
    if text.startswith("- "):
        text = SKELETON + textwrap.indent(text, "  ")
    elif not text.startswith("spec:"):
        assert yaml.safe_load(text)
        return
    network, findings = spec.read(text, name_of(block))
    assert [finding.message for finding in findings] == []
    assert network is not None
    network.check()


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name_of)
def test_python_blocks_run(page: Path, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert workdir.is_dir()
    module = ModuleType(f"blocks_of_{page.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # dataclasses look their module up
    for block in blocks(page, "python"):
        source = "\n" * block.line + block.text  # a traceback then names the line of the page
        exec(compile(source, str(page), "exec"), module.__dict__)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "console")], ids=name_of)
def test_console_blocks_print_what_is_shown(page: Path, workdir: Path) -> None:
    for block in blocks(page):
        title = re.match(r"# (\S+\.ya?ml)\n", block.text)
        if block.language == "yaml" and title:
            (workdir / title[1]).write_text(block.text, "utf-8")
        if block.language != "console":
            continue
        for part in re.split(r"^(?=\$ )", block.text, flags=re.MULTILINE):
            if not part.startswith("$ shapeplan"):
                continue
            command, _, shown = part.removeprefix("$ ").partition("\n")
            printed = run(command, workdir)
            assert same(shown, printed), f"{name_of(block)}: {command}\nprints\n{printed}"


@pytest.mark.parametrize(
    ("shown", "printed", "verdict"),
    [
        ("clean\n", "clean  \n\n", True),
        ("first\n...\nlast\n", "first\nmiddle\nmiddle\nlast\n", True),
        ("28x28\n", "32x32\n", False),
    ],
)
def test_output_is_compared_line_by_line(shown: str, printed: str, verdict: bool) -> None:
    assert same(shown, printed) is verdict


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=name_of)
def test_every_example_checks_clean(path: Path) -> None:
    from planner import spec

    network, findings = spec.read(path.read_text("utf-8"), path.name)
    assert [finding.message for finding in findings] == []
    assert network is not None
    network.check()


@pytest.mark.parametrize(
    ("name", "side", "parameters", "macs"),
    [
        ("lenet5.yaml", None, 61_706, 416_520),
        # parameters and MACs from torchvision's weight metadata and FlopCounterMode / 2
        ("resnet18.yaml", 224, 11_689_512, 1_814_073_344),
        ("inception_v3.yaml", 299, 23_834_568, 5_713_216_096),
    ],
)
def test_examples_cost_what_is_published(name: str, side: int | None, parameters: int, macs: int) -> None:
    from planner import spec

    plan = spec.load(str(ROOT / "examples" / name)).check()
    bound = plan.bind(N=1) if side is None else plan.bind(N=1, H=side, W=side)
    assert (bound.parameter_count, bound.macs) == (parameters, macs)


@pytest.mark.parametrize(
    ("name", "codes"),
    [("lenet5_28.yaml", {"S201"}), ("skip.yaml", {"S202"}), ("typos.yaml", {"N101", "N102", "N103"})],
)
def test_every_broken_example_is_broken_as_it_says(name: str, codes: set[str]) -> None:
    import planner
    from planner import spec

    network, findings = spec.read((ROOT / "examples" / "broken" / name).read_text("utf-8"), name)
    found = {finding.code for finding in findings}
    if network is not None and not findings:
        with pytest.raises(planner.ShapeError) as caught:
            network.check()
        found = {finding.code for finding in caught.value.findings}
    assert found == codes


def test_every_broken_example_has_a_test() -> None:
    assert len(list((ROOT / "examples" / "broken").glob("*.yaml"))) == 3


@pytest.mark.parametrize("block", every("python"), ids=name_of)
def test_python_blocks_parse(block: Block) -> None:
    compile(block.text, name_of(block), "exec")


@pytest.mark.parametrize("part", generate.PARTS)
def test_generated_parts_are_what_the_code_says(part: str) -> None:
    page = generate.PARTS[part][0]
    assert page.read_text("utf-8") == generate.current(part), f"docs/{page.name} is stale: run `make docs`"


def test_generated_parts_are_made_from_the_code_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "spec.md"
    page.write_text("before\n<!-- generated by `make docs`: kinds -->\nold\n<!-- end of kinds -->\nafter\n", "utf-8")
    monkeypatch.setattr(generate, "PARTS", {"kinds": (page, lambda: "new")})
    assert generate.current("kinds") == page.read_text("utf-8").replace("\nold\n", "\n\nnew\n\n")
    page.write_text("nothing", "utf-8")
    with pytest.raises(ValueError, match="needs one"):
        generate.current("kinds")


def test_the_pre_commit_hook_is_the_one_the_readme_names() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [(hook["id"], hook["entry"]) for hook in hooks] == [("shapeplan-check", "shapeplan check")]
    assert "id: shapeplan-check" in (ROOT / "README.md").read_text("utf-8")
