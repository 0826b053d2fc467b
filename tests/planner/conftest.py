"""A working directory to run commands in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.harness.places import ROOT
from tests.harness.terminal import DROPS, SMALL


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory with a copy of the examples, and step into it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "small.yaml").write_text(SMALL, "utf-8")
    (tmp_path / "drops.yaml").write_text(DROPS, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path
