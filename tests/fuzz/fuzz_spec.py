r"""Fuzzing of specs: whatever the text, ``shapeplan check`` ends in time, in memory, and without a traceback.

``python -m tests.fuzz.fuzz_spec --seconds 600`` throws mutated specs at the whole command: reading, diagnosis, fixes
and every output format. ``--hostile`` runs the texts of :mod:`tests.fuzz.hostile`, each in a process of its own with a
limit on memory. ``--atheris [LIBFUZZER OPTIONS]`` is the same target guided by coverage, where atheris is
installed. What breaks a promise is printed with the smallest text that still does.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from random import Random
from types import FrameType

import click
from click.testing import CliRunner

from planner.cli import main as shapeplan
from tests.fuzz.hostile import hostile
from tests.fuzz.texts import Choices as Choices
from tests.fuzz.texts import spec_text as spec_text
from tests.fuzz.texts import split_words

SECONDS = 2.0
"""The longest a check may take."""

MEGABYTES = 500
"""The most memory a check may take."""

PATIENCE = {
    "ten thousand layers": 10.0,
    "aliases in layers": 6.0,
    "many that drop a border": 4.0,
}
"""Seconds for texts that are long networks and nothing else: checking is linear in their layers."""

FORMATS = ("full", "concise", "json", "github")


class TooSlow(BaseException):
    """The time is up; no ``except Exception`` can swallow it."""


def broken_promise(
    text: str | bytes,
    suffix: str = ".yaml",
    formats: Sequence[str] = FORMATS,
    limit: float = SECONDS,
    command: click.Command = shapeplan,
) -> str:
    """Return which promise the whole command breaks for a text, in words; "" for none.

    Parameters
    ----------
    text : str or bytes
        A str that is no UTF-8 is written with its surrogates.
    suffix : str
        ``.yaml`` or ``.json``.
    formats : sequence of str
        Output formats to run.
    limit : float
        Seconds of the process's own time each of them may take.
    command : click.Command
        ``shapeplan``, or another copy of it.
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"net{suffix}"
        path.write_bytes(data)
        for style in formats:
            if wrong := _run([str(path), "--output-format", style], style, limit, command):
                return wrong
    return ""


def _run(arguments: list[str], style: str, limit: float, command: click.Command) -> str:
    start = time.process_time()
    with _alarm(limit * 1.5):
        try:
            result = CliRunner().invoke(command, ["check", *arguments], catch_exceptions=False)
        except TooSlow as error:
            return f"takes more than {limit} s ({style}): {_innermost(error)}"
        except Exception as error:  # noqa: BLE001  # what this is looking for
            return f"{type(error).__name__}: {str(error)[:200]} ({style}): {_innermost(error)}"
    taken = time.process_time() - start
    if result.exit_code not in (0, 1):
        return f"exit status {result.exit_code} ({style}): {(result.stderr or result.output)[-600:]}"
    if "Traceback" in result.output:
        return f"prints a traceback ({style})"
    if any((ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160 for char in result.output):
        return f"prints control characters ({style})"
    if style == "json":
        json.loads(result.output)
    return f"takes {taken:.1f} s ({style})" if taken > limit else ""


class _alarm:  # noqa: N801  # a context, as those of the standard library
    """Raises TooSlow after so many seconds of the process's own time, which others on the machine do not use up."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        def ring(_number: int, _frame: FrameType | None) -> None:
            raise TooSlow

        self.before = signal.signal(signal.SIGPROF, ring)
        signal.setitimer(signal.ITIMER_PROF, self.seconds)

    def __exit__(self, *_exception: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self.before)


def _innermost(error: BaseException) -> str:
    """Return the innermost places of ours in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames if f"{os.sep}planner{os.sep}" in f.filename]
    return " < ".join(reversed(ours[-4:]))


def minimised(text: str, wrong: str, seconds: float = 60) -> str:
    """Return a smaller text that breaks a promise in the same way: lines, then pieces of lines left out."""
    end = time.monotonic() + seconds
    sign = wrong.split("(")[0].split(":")[0][:20]
    style = tuple(style for style in FORMATS if f"({style})" in wrong) or FORMATS

    def still(other: str) -> bool:
        return time.monotonic() < end and sign in broken_promise(other, formats=style[:1])

    for split, join in ((lambda t: t.split("\n"), "\n"), (split_words, "")):
        parts: list[str] = split(text)
        size = max(len(parts) // 2, 1)
        while size:
            place = 0
            while place < len(parts):
                rest = parts[:place] + parts[place + size :]
                if still(join.join(rest)):
                    parts = rest
                else:
                    place += size
            size //= 2
        text = join.join(parts)
    return text


def confined(name: str, text: str, limit: float) -> str:
    """Return which promise a text breaks in a process of its own, time and memory limited; "" for none."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.Process(target=_confined, args=(text, sender, limit))
    start = time.perf_counter()
    child.start()
    sender.close()
    child.join(8 * limit + 5)
    if child.is_alive():
        child.kill()
        child.join()
        return f"{name}: does not end"
    try:
        wrong, megabytes = receiver.recv()
    except EOFError:
        return f"{name}: the process died with {child.exitcode} after {time.perf_counter() - start:.1f} s"
    if megabytes > MEGABYTES:
        wrong = f"takes {megabytes} MB; {wrong}"
    return f"{name}: {wrong}" if wrong else ""


def _confined(text: str, sender: multiprocessing.connection.Connection, limit: float) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))  # a bomb ends here, not at the machine's end
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        wrong = broken_promise(text, formats=("full", "json"), limit=limit)
    except MemoryError:
        wrong = "more than 4 GB"
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    per_megabyte = 1 << 20 if sys.platform == "darwin" else 1 << 10
    sender.send((wrong, (after - before) // per_megabyte))


def run_hostile(limit: float = SECONDS, only: str = "") -> Iterator[str]:
    """Yield every promise that a hostile text breaks."""
    for name, text in hostile():
        if only in name and (wrong := confined(name, text, max(limit, PATIENCE.get(name, limit)))):
            yield wrong


def run_random(seconds: float, first: int) -> Iterator[str]:
    """Yield promises broken by random texts, minimised, one of each kind."""
    known: set[str] = set()
    end, seed = time.monotonic() + seconds, first
    while time.monotonic() < end:
        text = spec_text(Random(seed))
        if wrong := broken_promise(text):
            kind = wrong.split("(")[0][:40] + wrong.rsplit(": ", 1)[-1]
            if kind not in known:
                known.add(kind)
                yield f"seed {seed}: {wrong}"
                yield f"{minimised(text, wrong)}\n"
        seed += 1
    yield f"{seed - first} texts, {len(known)} kinds of broken promises"


def run_atheris(options: list[str]) -> None:
    """Let atheris look for inputs; each broken promise ends the run."""
    import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # an optional tool, without types

    # What has been imported is imported once more, so that atheris sees every branch of ours and none of sympy's.
    for name in [name for name in sys.modules if name.split(".")[0] == "planner"]:
        del sys.modules[name]
    with atheris.instrument_imports(include=["planner"]):
        command = import_module("planner.cli").main

    def target(data: bytes) -> None:
        text: str | bytes = data[1:] if data[:1] < b"\x40" else spec_text(Choices(data[1:]))
        if wrong := broken_promise(text, formats=("full",), limit=5 * SECONDS, command=command):
            sys.stderr.write(f"{wrong}\n{text!r}\n")
            raise AssertionError(wrong)

    # Counting branches makes everything a few times slower, hence the patience above.
    atheris.Setup([sys.argv[0], *options], target)
    atheris.Fuzz()


def main() -> int:
    """Run one of the ways; return 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--hostile", action="store_true")
    parser.add_argument("--only", default="", help="hostile texts with this in their name")
    parser.add_argument("--limit", type=float, default=SECONDS)
    parser.add_argument("--atheris", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    if chosen.atheris is not None:
        run_atheris(chosen.atheris)
        return 0
    found = run_hostile(chosen.limit, chosen.only) if chosen.hostile else run_random(chosen.seconds, chosen.first)
    broken = 0
    for line in found:
        broken += not line.endswith("kinds of broken promises")
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{broken} broken promises\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
