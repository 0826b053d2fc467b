"""`import shapeplan`: every public name in one place, nothing imported too early, and modules in our place noticed."""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import planner
import shapeplan
from planner import constructors
from shapeplan._names import RUNTIME, public, starred
from tests.harness.places import ROOT

LATE = ("planner", "runtime", "sympy", "numpy", "networkx", "yaml")


def python(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a fresh interpreter that finds this tree behind the working folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def loaded(statements: str) -> list[str]:
    """Return which of LATE a fresh interpreter has imported after some statements."""
    report = f"import json, sys; print(json.dumps([name for name in {LATE!r} if name in sys.modules]))"
    run = python("-c", f"{statements}\n{report}")
    assert run.returncode == 0, run.stderr
    names: list[str] = json.loads(run.stdout.splitlines()[-1])
    return names


def test_importing_shapeplan_imports_nothing_else() -> None:
    assert loaded("import shapeplan") == []


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("import shapeplan; shapeplan.GraphError", ["planner"]),
        ("import shapeplan; shapeplan.conv", ["planner"]),
        ("import shapeplan; shapeplan.Network", ["planner"]),
        ("from shapeplan import Model", ["planner", "runtime", "numpy"]),
    ],
)
def test_a_name_imports_what_it_needs(statements: str, expected: list[str]) -> None:
    found = loaded(statements)
    assert set(expected) <= set(found)
    assert ("numpy" in found) is ("numpy" in expected)
    assert ("runtime" in found) is ("runtime" in expected)


@pytest.mark.parametrize("name", ["sympy", "numpy", "networkx"])
def test_the_probe_notices_an_early_import(name: str) -> None:
    assert loaded(f"import shapeplan, {name}; shapeplan") == [name]


def test_every_public_name_is_the_one_of_its_package() -> None:
    assert shapeplan.Network is planner.Network
    assert shapeplan.conv is constructors.conv
    assert shapeplan.Model is import_module("runtime").Model
    for name in public():
        assert getattr(shapeplan, name) is not None
    assert {*planner.__all__, *RUNTIME, *constructors.__all__} == set(public()) <= set(dir(shapeplan))


def declared() -> set[str]:
    """Return the names that type checkers see in `shapeplan`, apart from the layer functions, which have a stub."""
    tree = ast.parse(inspect.getsource(shapeplan))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {
        str(alias.asname)
        for node in imports
        if node.module in ("planner", "runtime")
        for alias in node.names
        if alias.asname == alias.name
    }


def test_type_checkers_see_every_public_name() -> None:
    assert declared() == {*planner.__all__, *RUNTIME}, "one line for each name in shapeplan/__init__.py"


def test_no_layer_kind_has_the_name_of_something_else() -> None:
    assert set(constructors.__all__) & {*planner.__all__, *RUNTIME} == set()


def test_importing_everything_leaves_the_builtins_alone() -> None:
    run = python("-c", "from shapeplan import *; print(input, slice, conv.__name__, Model.__name__)")
    assert run.stdout.split()[-2:] == ["conv", "Model"], run.stderr
    assert run.stdout.startswith("<built-in function input> <class 'slice'>")
    assert not any(hasattr(builtins, name) for name in starred())


def test_a_misspelt_name_is_an_attribute_error_with_a_suggestion() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'cnov'; did you mean `conv`"):
        shapeplan.cnov  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(shapeplan, "__wrapped__")
    assert not hasattr(shapeplan, "_private")


def test_the_module_runs_the_command_line() -> None:
    run = python("-m", "shapeplan", "check", "examples/lenet5.yaml")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("examples/lenet5.yaml: ok")
    assert "Usage: shapeplan " in python("-m", "shapeplan", "--help").stdout


@pytest.mark.parametrize("package", ["planner", "runtime"])
@pytest.mark.parametrize("place", ["{name}.py", "{name}/__init__.py"], ids=["a module", "a package"])
def test_a_module_in_the_place_of_ours_is_named_and_not_run(package: str, place: str, tmp_path: Path) -> None:
    other = tmp_path / place.format(name=package)
    other.parent.mkdir(exist_ok=True)
    other.write_text("raise SystemExit('this must not run')", "utf-8")
    run = python("-c", "import shapeplan; shapeplan.Model", cwd=tmp_path)
    assert run.returncode == 1
    last = run.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: shapeplan needs its own package `{package}`, but Python finds ")
    assert str(Path(place.format(name=package))) in last
    assert "rename that file or folder" in last


def test_a_module_that_was_imported_in_the_place_of_ours_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "planner.py").write_text("x = 1", "utf-8")
    run = python("-c", "import planner, shapeplan; assert planner.x; shapeplan.load", cwd=tmp_path)
    assert "ImportError: shapeplan needs its own package `planner`" in run.stderr


def test_the_command_line_says_so_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "planner.py").write_text("", "utf-8")
    run = python("-m", "shapeplan", "--help", cwd=tmp_path)
    assert run.returncode == 2
    assert run.stderr.startswith("error: shapeplan needs its own package `planner`")
    assert len(run.stderr.splitlines()) == 1


def test_a_folder_without_code_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "planner").mkdir()
    run = python("-c", "import shapeplan; print(shapeplan.load.__name__)", cwd=tmp_path)
    assert run.stdout == "load\n", run.stderr
