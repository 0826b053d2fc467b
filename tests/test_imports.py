"""Which module may import which, seen from a fresh interpreter.

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

pytestmark = pytest.mark.other_frameworks  # which must not be loaded where they are installed

NEVER_LOADED = ("numpy", "scipy", "torch", "runtime", "matplotlib", "sklearn", "pygraphviz")
SLOW_TO_LOAD = ("sympy", "networkx", "rich")
"""What takes longer to import than a small command takes to run."""


def command(*words: str) -> str:
    """Return statements that run a command and keep its `status`."""
    return f"""
    import sys
    from planner.cli import main
    sys.argv = {["shapeplan", *words]!r}
    try:
        main()
    except SystemExit as end:
        status = 0 if end.code is None else end.code
    else:
        status = 0
    """


CHECK = command("check", "examples/lenet5.yaml")


def outcome(
    statements: str, *, absent: tuple[str, ...] = (), watched: tuple[str, ...] = NEVER_LOADED
) -> dict[str, object]:
    """Return which of the watched modules a fresh interpreter has loaded after the statements, and their `status`.

    Modules in `absent` cannot be imported there.
    """
    program = "\n".join(
        [
            "import sys, json",
            f"sys.modules.update(dict.fromkeys({absent!r}))",
            "status = 0",
            textwrap.dedent(statements),
            f"loaded = sorted(name for name in {watched!r} if sys.modules.get(name) is not None)",
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


@pytest.mark.parametrize(
    "words",
    ["--help", "--version", "zoo", "zoo resnet50", "init resnet50", "schema", "explain S201", "check --help"],
)
def test_commands_without_formulas_load_nothing_slow(words: str) -> None:
    assert outcome(command(*words.split()), watched=SLOW_TO_LOAD) == {"status": 0, "loaded": []}


@pytest.mark.parametrize("file", ["lenet5", "resnet18", "inception"])
def test_checking_a_network_written_in_order_loads_sympy_alone(file: str) -> None:
    found = outcome(command("check", f"examples/{file}.yaml"), watched=SLOW_TO_LOAD)
    assert found == {"status": 0, "loaded": ["sympy"]}


@pytest.mark.parametrize(
    ("statements", "loaded"),
    [
        ("import planner; planner.layer('relu')", []),
        ("from planner.symbols import Size; assert not isinstance(3, Size)", []),
        ("import sympy; from planner.symbols import Size; assert isinstance(sympy.Symbol('H'), Size)", ["sympy"]),
        ("import planner.symbols; planner.symbols.symbol('H')", ["sympy"]),
        (
            "from planner import Network, layer; late = layer('relu', name='late', from_='early');"
            "Network('n', {'x': ('N', 3)}, [late, layer('tanh', name='early', from_='x')], output='late')",
            ["networkx", "sympy"],
        ),
        (command("show", "examples/lenet5.yaml"), ["rich", "sympy"]),
    ],
    ids=["an entry", "no formula", "a formula of others", "a formula", "another order", "a table"],
)
def test_what_is_slow_to_load_is_loaded_where_it_is_needed(statements: str, loaded: list[str]) -> None:
    assert outcome(statements, watched=SLOW_TO_LOAD) == {"status": 0, "loaded": loaded}


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
