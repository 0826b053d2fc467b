"""The live bar keeps to one line of the terminal, whatever its width and whatever it can encode."""

import io
import itertools
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from runtime.training import progress
from runtime.training.progress import Bar, Lines, summaries

ROW = {"epoch": 10, "loss": 0.1737, "accuracy": 0.9479, "val_loss": 0.0684, "val_accuracy": 0.9779,
       "seconds": 5.9, "images_per_second": 10123.4}  # fmt: skip


class Plain(io.TextIOWrapper):
    """A terminal that speaks ASCII only."""


@pytest.fixture(autouse=True)
def _slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let three seconds pass between two looks at the clock."""
    seconds = itertools.count(0.0, 3.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(seconds)))


def shown(width: int, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    stream = Plain(raw, encoding=encoding, newline="")
    bar = Bar(Console(file=stream, width=width, force_terminal=True, no_color=True, legacy_windows=False))
    bar.start_epoch(10, 12, 60_000)
    bar.step(30_000, 0.2286, 0.9311)
    bar.step(30_000, 0.2286, 0.9311)
    bar.end_epoch(ROW)
    stream.flush()
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", raw.getvalue().decode(encoding))


@pytest.mark.parametrize("width", [200, 120, 100, 80, 60, 40, 20])
def test_the_bar_is_never_wider_than_the_terminal(width: int) -> None:
    live = [line for line in re.split(r"[\r\n]+", shown(width)) if "━" in line or "left" in line]
    assert all(len(line) < width for line in live)
    assert bool(live) == (width >= 60)


def test_at_80_columns_an_epoch_keeps_its_heading_and_every_number() -> None:
    lines = [line.strip() for line in re.split(r"[\r\n]+", shown(80))]
    assert "Epoch 10/12 5.9s loss 0.1737 accuracy 0.9479 val_loss 0.0684 val_accuracy 0.9779" in lines
    assert "Epoch 10/12 ━━━─── 30,000/60,000 10,000/s 0:03 left loss 0.2286 accuracy 0.9311" in lines


def test_a_terminal_without_line_drawing_gets_a_plain_bar() -> None:
    assert "###---" in shown(80, "ascii").replace("####", "###").replace("----", "---")


def test_the_longest_way_is_that_of_logs(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.start_epoch(10, 12, 60_000)
    lines.end_epoch(ROW)
    assert capsys.readouterr().err.strip() == summaries("Epoch 10/12", ROW)[0]
