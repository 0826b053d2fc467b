"""How a process ends that was interrupted or cannot write. Imports nothing of ours, to be there first."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MISUSE = 2
INTERRUPTED, CLOSED_PIPE = 130, 141
"""Exit statuses of a process ended by Ctrl-C, and by a reader that left: 128 and the signal's number."""

_OF_STREAMS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


@contextmanager
def quietly() -> Iterator[None]:
    """End the process with status 130 and one word where Ctrl-C comes inside.

    Examples
    --------
    >>> with quietly():
    ...     raise KeyboardInterrupt
    Traceback (most recent call last):
    SystemExit: 130
    """
    try:
        yield
    except KeyboardInterrupt:
        with _deaf():  # a second Ctrl-C must not hit the last word
            tell("interrupted")
        raise SystemExit(INTERRUPTED) from None


@contextmanager
def _deaf() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only there may signals be set
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def tell(sentence: str) -> None:
    """Write a line to stderr, where there is one."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            print(sentence, file=sys.stderr, flush=True)  # noqa: T201


def unwritable(error: OSError) -> int | None:
    """Return the exit status where an error came from writing to stdout or stderr, None for any other.

    stdout goes nowhere from then on: what is still buffered must not fail once more at exit.

    Examples
    --------
    >>> unwritable(FileNotFoundError(2, "No such file", "net.yaml")) is None
    True
    """
    if error.filename is not None or not (isinstance(error, BrokenPipeError) or error.errno in _OF_STREAMS):
        return None
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return CLOSED_PIPE
    tell(f"shapeplan: the result cannot be written: {error.strerror or error}")
    return MISUSE
