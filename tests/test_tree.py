"""What a reader may rely on when looking at the tree alone."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.places import ROOT

LONGEST = 400
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".cfg", ".txt", ".svg", ".html", ".json", ".typed", ""}
SKIPPED = re.compile(
    r"(^|/)(\.(?!ci/|github/|gitignore|pre-commit)[^/]*|__pycache__|[^/]*\.egg-info|build|dist|shapeplan-demo)(/|$)"
)
# Written in pieces, so that this file does not name what it looks for.
MACHINE = re.compile(r"(?<![\w.~:/<-])/(?:work|root|home|Users|opt|tmp|mnt)/[\w.]")
WORKPLACE = re.compile(r"shared/(?:DESIGN|UX|STYLE|data|pictures|published|hooks)\b|\.\./shared\b")


def files() -> Iterator[Path]:
    """Yield every file of the project: what a clean clone would hold."""
    for path in sorted(ROOT.rglob("*")):
        if path.is_file() and not SKIPPED.search(path.relative_to(ROOT).as_posix()):
            yield path


FILES = tuple(files())
MODULES = tuple(path for path in FILES if path.suffix == ".py")
OURS = tuple(path for path in MODULES if path.relative_to(ROOT).parts[0] in {"planner", "runtime", "shapeplan"})


def names(paths: tuple[Path, ...]) -> list[str]:
    """Return paths as people write them, for the ids of test cases."""
    return [path.relative_to(ROOT).as_posix() for path in paths]


def test_the_walk_finds_both_packages_and_the_tests() -> None:
    found = set(names(MODULES))
    assert {"planner/symbols/sizes.py", "runtime/__init__.py", "tests/test_tree.py"} <= found
    assert not any(name.startswith(".venv") for name in names(FILES))


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lines = [len(path.read_text("utf-8").splitlines()) for path in MODULES]
    lengths = dict(zip(names(MODULES), lines, strict=True))
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_every_module_says_what_it_holds() -> None:
    silent = []
    for name, path in zip(names(MODULES), MODULES, strict=True):
        text = path.read_text("utf-8")
        marks_a_package = name.startswith("tests/") and path.name == "__init__.py" and not text.strip()
        if not marks_a_package and not ast.get_docstring(ast.parse(text)):
            silent.append(name)
    assert silent == []


def test_no_module_is_called_after_nothing_in_particular() -> None:
    vague = {"utils", "util", "helpers", "helper", "misc", "common", "tools"}
    assert [name for name, path in zip(names(MODULES), MODULES, strict=True) if path.stem in vague] == []


@pytest.mark.parametrize("package", ["planner", "runtime", "shapeplan"])
def test_every_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


@pytest.mark.parametrize("pattern", [MACHINE, WORKPLACE], ids=["machine paths", "workplace paths"])
def test_no_file_names_a_place_on_the_machine_it_was_written_on(pattern: re.Pattern[str]) -> None:
    hits = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, path in zip(names(FILES), FILES, strict=True)
        if path.suffix in TEXT
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert hits == []


@pytest.mark.parametrize("place", ["work", "root", "home", "opt"])
def test_the_search_for_machine_paths_can_find_one(place: str) -> None:
    assert MACHINE.search(f'open("/{place}/someone/net.yaml")')
    assert not MACHINE.search(f"https://example.org/{place}/someone")


def blind_or_evaluating(source: str) -> list[int]:
    """Return the lines that catch every exception, or evaluate text."""
    catches_all = {"Exception", "BaseException"}
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (
            isinstance(node, ast.ExceptHandler)
            and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in catches_all))
        )
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"})
    ]


def test_nothing_is_caught_blindly_and_nothing_is_evaluated() -> None:
    hits = {name: blind_or_evaluating(path.read_text("utf-8")) for name, path in zip(names(OURS), OURS, strict=True)}
    assert {name: lines for name, lines in hits.items() if lines} == {}


def test_the_search_for_blind_excepts_can_find_one() -> None:
    assert blind_or_evaluating("try:\n    eval('1')\nexcept Exception:\n    pass") == [3, 2]


def test_no_ignore_goes_without_its_reason() -> None:
    bare = re.compile(r"#\s*type:\s*ignore(?!\[[\w, -]+\]\s+#\s*\S)")
    hits = [
        f"{name}:{number}"
        for name, path in zip(names(OURS), OURS, strict=True)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if bare.search(line)
    ]
    assert hits == []


def test_the_version_in_the_changelog_is_the_version_that_is_built() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    newest = re.search(r"^## (\S+),", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def test_continuous_integration_can_be_started() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
