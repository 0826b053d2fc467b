"""What a training run shows while it runs: a bar on a terminal, one line an epoch elsewhere, always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

REFRESH_SECONDS = 0.1


class Silent:
    """Shows nothing; what the others share."""

    def start_epoch(self, epoch: int, epochs: int, images: int, done: int = 0) -> None:
        """An epoch begins (counted from 1) with `done` of its `images` behind it."""

    def step(self, images: int, loss: float, accuracy: float | None) -> None:
        """A step over `images` more images ended; loss and accuracy are means over the epoch so far."""

    def end_epoch(self, row: Mapping[str, float]) -> None:
        """An epoch ended with this row of the history."""

    def say(self, text: str) -> None:
        """Show one sentence."""

    def stop(self) -> None:
        """The run ended, on whatever way."""


class Lines(Silent):
    r"""One line an epoch, for logs and files.

    Examples
    --------
    >>> lines = Lines(sys.stdout)
    >>> lines.start_epoch(3, 10, 640)
    >>> lines.end_epoch({"epoch": 3, "loss": 0.25, "accuracy": 0.9, "images_per_second": 6400.0, "seconds": 0.1})
    Epoch 3/10 - 0.1s - 6,400 images/s - loss 0.2500 - accuracy 0.9000
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._heading = ""

    def start_epoch(self, epoch: int, epochs: int, images: int, done: int = 0) -> None:
        self._heading = f"Epoch {epoch}/{epochs}"

    def end_epoch(self, row: Mapping[str, float]) -> None:
        speed = f"{row['images_per_second']:,.0f} images/s"
        self.say(" - ".join([self._heading, f"{row['seconds']:.1f}s", speed, metrics(row)]))

    def say(self, text: str) -> None:
        # sys.stderr is looked up late: tests and notebooks replace it.
        stream = self._stream or sys.stderr
        stream.write(text + "\n")
        stream.flush()


class Bar(Silent):
    """A live bar an epoch, with images a second, time left and the metrics so far."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._refreshed = 0.0

    def start_epoch(self, epoch: int, epochs: int, images: int, done: int = 0) -> None:
        self.stop()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            _Speed(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            TextColumn("{task.fields[metrics]}"),
            console=self._console,
            # No refresh thread: it would take time from the two cores the network computes on.
            auto_refresh=False,
        )
        width = len(str(epochs))
        self._task = self._bar.add_task(
            f"Epoch {epoch:>{width}}/{epochs}", total=images, completed=done, metrics="", speed=None
        )
        self._bar.start()

    def step(self, images: int, loss: float, accuracy: float | None) -> None:
        if self._bar is None:
            return
        self._bar.advance(self._task, images)
        now = time.monotonic()
        if now - self._refreshed >= REFRESH_SECONDS:
            self._refreshed = now
            row = {"loss": loss} if accuracy is None else {"loss": loss, "accuracy": accuracy}
            self._bar.update(self._task, metrics=metrics(row))
            self._bar.refresh()

    def end_epoch(self, row: Mapping[str, float]) -> None:
        if self._bar is not None:
            self._bar.update(self._task, metrics=metrics(row), speed=row["images_per_second"])
            self.stop()

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.refresh()
            self._bar.stop()
            self._bar = None


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.fields.get("speed") or task.speed
        return Text(f"{speed:,.0f} images/s" if speed else "", justify="right")


def metrics(row: Mapping[str, float]) -> str:
    """Return loss and accuracy, then those on validation data, as far as the row has them.

    Examples
    --------
    >>> metrics({"epoch": 1, "loss": 0.5, "val_loss": 0.25})
    'loss 0.5000 - val_loss 0.2500'
    """
    shown = ("loss", "accuracy", "val_loss", "val_accuracy")
    return " - ".join(f"{name} {row[name]:.4f}" for name in shown if name in row)


def chosen(wish: Silent | bool | None) -> Silent:
    """Return what to show progress with: as wished, or by itself a bar on a terminal and lines elsewhere.

    Examples
    --------
    >>> type(chosen(False)).__name__
    'Silent'
    """
    if isinstance(wish, Silent):
        return wish
    if wish is False:
        return Silent()
    return Bar() if sys.stderr.isatty() else Lines()
