"""Who may import whom, seen from a fresh interpreter.

The contracts in pyproject.toml read the source; these tests look at what was really loaded, so that an
import through a third party's package is noticed too. The last ones prove that the probe can fail.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import textwrap

import pytest

from tests.harness.places import ROOT

NEVER_LOADED = ("numpy", "scipy", "torch", "runtime", "matplotlib", "sklearn", "pygraphviz")
CHECK = """
    import sys
    from planner.cli import main
    sys.argv = ["shapeplan", "check", "examples/lenet5.yaml"]
    try:
        main()
    except SystemExit as end:
        status = 0 if end.code is None else end.code
    else:
        status = 0
    """


def outcome(statements: str, *, absent: tuple[str, ...] = ()) -> dict[str, object]:
    """Return which of NEVER_LOADED a fresh interpreter has loaded after the statements, and their `status`.

    Modules in `absent` cannot be imported there.
    """
    program = "\n".join(
        [
            "import sys, json",
            f"sys.modules.update(dict.fromkeys({absent!r}))",
            "status = 0",
            textwrap.dedent(statements),
            f"loaded = sorted(name for name in {NEVER_LOADED!r} if sys.modules.get(name) is not None)",
            "print('\\n' + json.dumps({'status': status, 'loaded': loaded}))",
        ]
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    result: dict[str, object] = json.loads(run.stdout.splitlines()[-1])
    return result


def test_importing_the_planner_loads_neither_numpy_nor_the_runtime() -> None:
    assert outcome("import planner") == {"status": 0, "loaded": []}


def test_the_check_command_loads_neither_numpy_nor_the_runtime() -> None:
    assert outcome(CHECK) == {"status": 0, "loaded": []}


def test_the_check_command_works_where_numpy_is_not_installed() -> None:
    assert outcome(CHECK, absent=("numpy", "runtime"))["status"] == 0


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("import planner, numpy", ["numpy"]),
        ("import planner, importlib; importlib.import_module('runtime.kernels')", ["numpy", "runtime"]),
        ("import planner.symbols.sizes as s; s.sympy.lambdify([], 1, 'numpy')", ["numpy"]),
    ],
    ids=["directly", "through the runtime", "through a third party"],
)
def test_the_probe_notices_numpy(statements: str, expected: list[str]) -> None:
    loaded = outcome(statements)["loaded"]
    assert isinstance(loaded, list)
    assert set(expected) <= set(loaded)


def imported(source: str) -> set[str]:
    """Return the dotted names of the modules that a module imports, relative imports as ``.``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." if node.level else node.module or ""
            found.update({f"tests.{alias.name}" for alias in node.names} if module == "tests" else {module})
    return found


def reached(name: str) -> tuple[set[str], set[str]]:
    """Return the modules of the tests that one of them imports, itself included, and the top-level names beyond."""
    inside: set[str] = set()
    beyond: set[str] = set()
    waiting = [name]
    while waiting:
        module = waiting.pop()
        inside.add(module)
        place = ROOT / module.replace(".", "/")
        source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        for other in imported(source.read_text("utf-8")):
            if not other.startswith("tests."):
                beyond.add(other.partition(".")[0])
            elif other not in inside:
                waiting.append(other)
    return inside, beyond


def test_the_loop_oracle_shares_no_code_with_what_it_judges() -> None:
    inside, beyond = reached("tests.harness.naive")
    assert all(module.startswith("tests.harness.naive") for module in inside), inside
    assert beyond - set(sys.stdlib_module_names) == {"numpy"}


def test_the_import_reader_sees_every_way_of_importing() -> None:
    source = "import a.b\nfrom c.d import e\nfrom . import f\ndef g():\n    import h\nfrom tests import i\n"
    assert imported(source) == {"a.b", "c.d", ".", "h", "tests.i"}
    assert "planner" in reached("tests.test_docs")[1]
