"""Exit statuses of interrupted runs and output errors. Imports no other module of the project, to load first."""

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
"""Exit statuses after Ctrl-C and after a closed pipe: 128 plus the number of the signal."""

_OF_STREAMS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


@contextmanager
def quietly() -> Iterator[None]:
    """Exit with status 130 and the message ``interrupted`` on Ctrl-C.

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
        with _ignore_interrupts():  # a second Ctrl-C must not interrupt the message
            write_line("interrupted")
        raise SystemExit(INTERRUPTED) from None


@contextmanager
def _ignore_interrupts() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # signals can be set only there
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def write_line(sentence: str) -> None:
    """Write a line to stderr, if there is one."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            print(sentence, file=sys.stderr, flush=True)  # noqa: T201


def unwritable(error: OSError) -> int | None:
    """Return the exit status for an error from writing to stdout or stderr; None for any other error.

    Redirects stdout to the null device, so that buffered output cannot fail again at exit.

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
    write_line(f"shapeplan: the result cannot be written: {error.strerror or error}")
    return MISUSE
