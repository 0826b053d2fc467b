"""Progress of a training run on stderr: a bar on a terminal, otherwise one line per epoch."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

Row = Mapping[str, float]
REFRESH_SECONDS = 0.1
BAR_MIN, BAR_MAX = 6, 24
"""Minimum and maximum width of a bar in columns."""

LONGEST = 360_000.0
"""Largest remaining time to show, in seconds."""


class Silent:
    """Progress that shows nothing; base class of the others."""

    def start_epoch(self, epoch: int, epochs: int, images: int, done: int = 0) -> None:
        """Start an epoch (counted from 1), with `done` of its `images` already processed."""

    def step(self, images: int, loss: float, accuracy: float | None) -> None:
        """Report a step over `images` more images; loss and accuracy are means over the epoch so far."""

    def end_epoch(self, row: Row) -> None:
        """End an epoch with its row of the history."""

    def say(self, text: str) -> None:
        """Show a message."""

    def stop(self) -> None:
        """End the display, however the run ended."""


class Sentences(Silent):
    """Progress that shows only messages, such as where a run was stopped; used by `--quiet`."""

    def say(self, text: str) -> None:
        sys.stderr.write(text + "\n")


class Lines(Silent):
    r"""Progress as one line per epoch, for logs and files.

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

    def end_epoch(self, row: Row) -> None:
        self.say(summaries(self._heading, row)[0])

    def say(self, text: str) -> None:
        # sys.stderr is looked up late: tests and notebooks replace it.
        stream = self._stream or sys.stderr
        stream.write(text + "\n")
        stream.flush()


class Bar(Silent):
    """A live bar for each epoch: images per second, time left and metrics so far, in one line of any width."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._live: Live | None = None
        self._heading = ""
        self._images, self._seen, self._skipped = 0, 0, 0
        self._metrics: Row = {}
        self._began, self._refreshed = 0.0, 0.0

    def start_epoch(self, epoch: int, epochs: int, images: int, done: int = 0) -> None:
        self.stop()
        self._heading = f"Epoch {epoch:>{len(str(epochs))}}/{epochs}"
        self._images, self._seen, self._skipped, self._metrics = images, done, done, {}
        self._began = time.monotonic()
        # No refresh thread: it would take time from the cores that the network computes on.
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def step(self, images: int, loss: float, accuracy: float | None) -> None:
        if self._live is None:
            return
        self._seen += images
        now = time.monotonic()
        if now - self._refreshed >= REFRESH_SECONDS or self._seen >= self._images:
            self._refreshed = now
            self._metrics = {"loss": loss} if accuracy is None else {"loss": loss, "accuracy": accuracy}
            self._live.update(self._line(now), refresh=True)

    def end_epoch(self, row: Row) -> None:
        self.stop()
        self.say(_fitting(summaries(self._heading, row), self._console.width))

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)

    def stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _line(self, now: float) -> Text:
        count = f"{self._seen:,}/{self._images:,}"
        speed = (self._seen - self._skipped) / max(now - self._began, 1e-9)
        left = f"{_clock((self._images - self._seen) / max(speed, 1e-9))} left"
        wide, narrow = metrics(self._metrics), metrics(self._metrics, " ")
        # Some terminals wrap a line as soon as its last column is filled.
        columns = self._console.width - 1
        for tail in (
            f" {count} {speed:,.0f} images/s {left} {wide}",
            f" {count} {speed:,.0f}/s {left} {narrow}",
            f" {left} {narrow}",
            f" {narrow}",
        ):
            width = min(columns - len(self._heading) - 1 - len(tail), BAR_MAX)
            if width >= BAR_MIN:
                return self._drawn(width, tail)
        return Text(f"{self._heading}{tail}"[:columns])

    def _drawn(self, width: int, tail: str) -> Text:
        filled = width * self._seen // max(self._images, 1)
        full, empty = "━─" if self._console.encoding.startswith("utf") else "#-"
        line = Text(f"{self._heading} ")
        line.append(full * filled, "green" if filled == width else "magenta")
        line.append(empty * (width - filled), "bright_black")
        return line.append(tail)


def summaries(heading: str, row: Row) -> tuple[str, ...]:
    """Return one-line summaries of an epoch, the longest first.

    Examples
    --------
    >>> row = {"loss": 0.5, "accuracy": 0.75, "images_per_second": 6400.0, "seconds": 0.1}
    >>> for line in summaries("Epoch 3/10", row):
    ...     print(line)
    Epoch 3/10 - 0.1s - 6,400 images/s - loss 0.5000 - accuracy 0.7500
    Epoch 3/10 - 0.1s - loss 0.5000 - accuracy 0.7500
    Epoch 3/10 0.1s loss 0.5000 accuracy 0.7500
    Epoch 3/10 loss 0.5000 accuracy 0.7500
    """
    seconds, speed = f"{row['seconds']:.1f}s", f"{row['images_per_second']:,.0f} images/s"
    return (
        " - ".join([heading, seconds, speed, metrics(row)]),
        " - ".join([heading, seconds, metrics(row)]),
        " ".join([heading, seconds, metrics(row, " ")]),
        " ".join([heading, metrics(row, " ")]),
    )


def metrics(row: Row, between: str = " - ") -> str:
    """Return loss and accuracy, then those on validation data, if the row has them.

    Examples
    --------
    >>> metrics({"epoch": 1, "loss": 0.5, "val_loss": 0.25})
    'loss 0.5000 - val_loss 0.2500'
    """
    shown = ("loss", "accuracy", "val_loss", "val_accuracy")
    return between.join(f"{name} {row[name]:.4f}" for name in shown if name in row)


def _fitting(texts: Sequence[str], width: int) -> str:
    """Return the first text that fits the width, otherwise the last one."""
    return next((text for text in texts if len(text) <= width), texts[-1])


def _clock(seconds: float) -> str:
    """Format a time as minutes and seconds, with hours if there are any."""
    whole = math.ceil(min(seconds, LONGEST))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def chosen(requested: Silent | bool | None) -> Silent:
    """Return the progress display: as requested, by default a bar on a terminal and otherwise lines.

    Examples
    --------
    >>> type(chosen(False)).__name__
    'Silent'
    """
    if isinstance(requested, Silent):
        return requested
    if requested is False:
        return Silent()
    return Bar() if sys.stderr.isatty() else Lines()
