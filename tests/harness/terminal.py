"""Runs `shapeplan`: in this process, or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from click.testing import CliRunner, Result

from planner.cli import main
from tests.harness.places import ROOT

PLAIN = {"NO_COLOR": "1", "FORCE_COLOR": "", "GITHUB_ACTIONS": "", "COLUMNS": "100"}

SMALL = """spec: 1
name: small
input: {image: [N, 3, H, W]}
layers:
  - conv: {name: c1, filters: 4, kernel: 5}
  - gap
"""
DROPS = SMALL.replace("[N, 3, H, W]", "[N, 3, 10, 10]").replace("kernel: 5", "kernel: 3, stride: 2")


def run(*arguments: str, stdin: str | None = None, **environment: str) -> Result:
    """Return what `shapeplan` prints and how it ends, in this process."""
    return CliRunner().invoke(main, arguments, input=stdin, env={**PLAIN, **environment}, color=True)


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start a true `shapeplan` process."""
    env = {key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "GITHUB_ACTIONS")}
    return subprocess.Popen(
        [sys.executable, "-m", "planner.cli", *arguments],
        env={**env, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
