"""How commands end: misuse, plug-ins, faults of our own, Ctrl-C, closed pipes; colours and encodings."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import click
import pytest

from planner.cli import commands, console, main
from planner.cli.console import encodable
from planner.cli.ending import unwritable
from tests.harness.places import ROOT
from tests.harness.terminal import run, start

PATIENCE = 300
"""Seconds until a process that does not end is given up."""

PROGRAM = """
import sys
from planner.cli import main
try:
    main(["check", "examples/lenet5.yaml"])
finally:
    print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_doctor_tells_versions_without_loading_numpy() -> None:
    process = start("doctor", "--json")
    printed, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    found = json.loads(printed)
    assert found["packages"]["sympy"]
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert run("doctor").stdout.startswith("Python ")


def test_an_unknown_command_is_misuse_with_the_nearest_name() -> None:
    result = run("chekc", "x.yaml")
    assert result.exit_code == 2
    assert "Did you mean `check`?" in result.stderr
    assert run("check").exit_code == 2
    assert run("check", "--no-such-option", "x.yaml").exit_code == 2


def test_plugged_in_commands_are_loaded_only_when_called(monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([
        EntryPoint("train", "no_such_module_here:train", commands.GROUP),
        EntryPoint("other", "planner.cli.schema:command", commands.GROUP),
        EntryPoint("odd", "planner.cli.console:PLAIN", commands.GROUP),
    ])  # fmt: skip
    monkeypatch.setattr(commands, "entry_points", lambda **wanted: points.select(**wanted))
    listed = run("--help").stdout
    assert re.search(r"^  train +Train a network\.$", listed, re.MULTILINE)
    assert re.search(r"^  other", listed, re.MULTILINE)
    assert run("other").exit_code == 0
    missing = run("train")
    assert missing.exit_code == 2
    assert "`train` cannot be loaded: No module named 'no_such_module_here'" in missing.stderr
    assert run("odd").exit_code == 2
    assert run("demo").exit_code == 2


def test_a_fault_of_ours_is_status_2_and_says_whose_it_is(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert workdir.is_dir()

    def broken(*_: object, **__: object) -> str:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr("planner.tables.table.show", broken)
    result = run("show", "small.yaml")
    assert result.exit_code == 2
    assert "ZeroDivisionError: inside" in result.stderr
    assert "internal error, not a mistake in your spec" in result.stderr


def test_ctrl_c_is_status_130_without_a_traceback(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert workdir.is_dir()

    def interrupted(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("planner.tables.table.show", interrupted)
    result = run("show", "small.yaml")
    assert result.exit_code == 130
    assert result.stderr.strip() == "interrupted"


def test_a_plugged_in_command_may_return_what_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command("odd")
    def odd() -> int:
        return 7

    monkeypatch.setitem(main.commands, "odd", odd)
    assert run("odd").exit_code == 0


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"NO_COLOR": "", "FORCE_COLOR": ""}, False),
    ],
)
def test_colours_obey_the_environment(workdir: Path, environment: dict[str, str], expected: bool) -> None:
    assert workdir.is_dir()
    for arguments in (["check", "examples/broken"], ["check", "small.yaml"], ["show", "small.yaml"]):
        assert ("\x1b[" in run(*arguments, **environment).stdout) is expected


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-8"])
def test_whatever_is_printed_can_be_encoded(encoding: str) -> None:
    assert encodable("a ─ b × c … é 猫", encoding).encode(encoding)
    assert "─" not in encodable("─ 猫", "cp1252")


def test_every_plain_form_is_plain() -> None:
    assert all(str(plain).isascii() for plain in console.PLAIN.values())


@pytest.mark.skipif(os.name == "nt", reason="pipes and signals of POSIX")
def test_a_true_process_survives_a_reader_that_leaves_and_an_ascii_terminal(workdir: Path) -> None:
    assert workdir.is_dir()
    process = start("show", "examples/lenet5.yaml", PYTHONIOENCODING="ascii")
    printed, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")
    assert "----" in printed
    assert printed.isascii()
    process = start("schema")
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=PATIENCE)
    assert errors == ""
    assert process.returncode == 141


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_true_process_stopped_by_ctrl_c_says_so_and_no_more(workdir: Path) -> None:
    assert workdir.is_dir()
    process = start("check", "-")
    assert process.stdin is not None
    process.stdin.write("#\n" * 2**18)  # more than a pipe holds: it is through when the command has begun to read
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert errors.strip() == "interrupted"


POSIX = pytest.mark.skipif(os.name == "nt", reason="streams and signals of POSIX")


def shell(redirected: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `shapeplan` by a shell that redirects its streams."""
    command = f"{shlex.join([sys.executable, '-m', 'planner.cli', *arguments])} {redirected}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    return subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False)


@POSIX
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["show", "small.yaml"], ["--help"]])
def test_a_full_disk_is_told_in_one_line_with_status_2(workdir: Path, arguments: list[str]) -> None:
    assert workdir.is_dir()
    ended = shell(">/dev/full", *arguments)
    assert ended.returncode == 2
    assert ended.stderr == f"shapeplan: the result cannot be written: {os.strerror(errno.ENOSPC)}\n"


@POSIX
def test_closed_streams_are_told_in_one_line(workdir: Path) -> None:
    assert workdir.is_dir()
    without_output = shell(">&-", "check", "small.yaml")
    assert without_output.returncode == 2
    assert without_output.stderr == "shapeplan: the result cannot be written: stdout is closed\n"
    assert shell(">&- 2>&-", "check", "small.yaml").returncode == 2
    without_input = shell("<&-", "check", "-")
    assert without_input.returncode == 1
    assert "error[P105]: standard input is closed" in without_input.stdout
    assert without_input.stderr == ""


@POSIX
def test_a_full_or_closed_stderr_changes_no_result(workdir: Path) -> None:
    whole = shell("", "show", "drops.yaml")
    assert "1 warning" in whole.stderr
    closed = shell("2>&-", "show", "drops.yaml")
    assert (closed.returncode, closed.stdout) == (0, whole.stdout)


def test_an_error_of_a_file_is_never_taken_for_one_of_a_stream() -> None:
    assert unwritable(OSError(errno.ENOSPC, "No space left on device", "net.svg")) is None
    assert unwritable(PermissionError(errno.EACCES, "Permission denied")) is None


@POSIX
@pytest.mark.parametrize("phase", ["from planner.cli import main", "main()"])
def test_ctrl_c_during_the_imports_is_as_quiet_as_later(phase: str) -> None:
    program = f"""
import builtins, sys
from planner.cli import ending
sys.argv = ["shapeplan", "--version"]
true_import = builtins.__import__
def interrupted(name, *rest):
    if name in ("click", "importlib.metadata"):
        raise KeyboardInterrupt
    return true_import(name, *rest)
if {phase!r} == "main()":
    from planner.cli import main
    main.make_context = lambda *_, **__: interrupted("click")
else:
    builtins.__import__ = interrupted
{phase}
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr.strip()) == (130, "", "interrupted")


def test_checking_lenet_loads_nothing_that_checking_does_not_need(workdir: Path) -> None:
    assert workdir.is_dir()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {"planner", "yaml"} <= loaded
    assert not loaded & {"runtime", "numpy", "scipy", "sklearn", "matplotlib", "safetensors", "threadpoolctl", "pooch"}
    assert not loaded & {"pygraphviz", "graphviz", "reportlab", "pypdfium2", "PIL"}
