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
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from random import Random
from types import FrameType

import click
from click.testing import CliRunner

from planner.cli import main as shapeplan
from planner.layers import KINDS
from tests.fuzz.hostile import hostile

SECONDS = 2.0
"""The longest a check may take."""

MEGABYTES = 500
"""The most memory a check may take."""

PATIENCE = {"ten thousand layers": 10.0, "aliases in layers": 6.0, "many that drop a border": 4.0}
"""Seconds for texts that are long networks and nothing else: checking is linear in their layers."""

FORMATS = ("full", "concise", "json", "github")

ROOT = Path(__file__).parent.parent.parent
CORPUS = tuple(path.read_text("utf-8") for path in sorted((ROOT / "examples").rglob("*.yaml")))

SIZES = (
    "0", "1", "2", "3", "4", "5", "7", "8", "31", "224", "-1", "1099511627776", "1099511627777", "9" * 40, "1e3",
    "1.5", ".inf", "1e-400", "H", "W", "N", "C", "K", "S", "x", "dtype", "same", "true", "false", "null", "",
    "[1, 2]", "[2]",
    "[1, 2, 3, 4]", "[0, 1, 0, 2]", "[]", "[H, K]", "[1, -1]", "{}", "{a: 1}", "$c", "$c * 2", "'$c // 3'",
    "(H - 1)//2", "'floor((H - 1)/2)'", "in.channels", "'2 ** 8'", "K ** 8", "H*W", "'-K'", "H - H", "H // K",
    "K * K - 1", "[[1]]",
    "relu", "batch", "floor", "ceil", "exact", "'\\x1b'", "é", "*a", "&a 3", "!!int 3", "'", "0x10", "0o7", "1_0",
)  # fmt: skip
KEYS = (
    "name", "from", "act", "norm", "expect", "if", "use", "repeat", "filters", "kernel", "stride", "pad", "dilation",
    "groups", "bias", "rounding", "size", "scale", "shape", "units", "features", "rate", "slope", "eps",
    "output_pad", "c",
    "momentum", "count_include_pad", "kernal", "<<", "spec", "input",
)  # fmt: skip
NAMES = (
    "a", "b", "c1", "x", "in", "a.b", "stage1", "conv1", "conv1.act", "stem", "'a b'", "é", "H", "image", "[a, b]",
    "[a, a]",
)  # fmt: skip
EXPECTED = ("[N, 1, H, W]", "[N, 3, 8, 8]", "[N, 10]", "[]", "[N, K]", "[N, 1, 1, H // 2]", "3", "{a: [N]}")


class Choices(Random):
    """Random choices taken from bytes, so that a fuzzer that changes a byte changes one choice."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._data, self._next = data, 0

    def getrandbits(self, k: int, /) -> int:
        """Return the next k bits; 0 where the bytes are used up."""
        count = (k + 7) // 8
        taken = self._data[self._next : self._next + count]
        self._next += count
        return int.from_bytes(taken, "little") & ((1 << k) - 1)

    def random(self) -> float:
        """Return the next number from 0 to 1."""
        return self.getrandbits(16) / 65536


def spec_text(rng: Random) -> str:
    """Return the text of something like a spec.

    Examples
    --------
    >>> spec_text(Random(3)) == spec_text(Random(3))
    True
    """
    text = _written(rng) if rng.random() < 0.6 else rng.choice(CORPUS)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 4])):
        text = rng.choice(MUTATIONS)(text, rng)
    return text


def _written(rng: Random) -> str:
    """Return a spec put together from known words and odd values."""
    axes = [rng.choice(["N", "N", "1", rng.choice(SIZES)])]
    axes += [rng.choice(["1", "3", "C", "H", "8", rng.choice(SIZES)])]
    axes += [rng.choice(["H", "W", "8", "32", "H", rng.choice(SIZES)]) for _ in range(rng.choice([2, 2, 2, 2, 0, 1]))]
    lines = ["spec: 1", f"input: {{x: [{', '.join(axes)}]}}"]
    if rng.random() < 0.4:
        params = f"c: {rng.choice(['int', '1', '2', 'float', 'K'])}"
        lines += ["blocks:", f"  b: {{params: {{{params}}}, layers: [{', '.join(_layers(rng, 3, inside=True))}]}}"]
        lines += [f"  d: {{layers: [{', '.join(_layers(rng, 2, inside=True))}]}}"] * (rng.random() < 0.4)
    lines += ["layers:", *(f"  - {item}" for item in _layers(rng, 8, inside=False))]
    if rng.random() < 0.3:
        lines.append(f"output: {{{rng.choice(NAMES)}: {rng.choice(EXPECTED)}}}")
    if rng.random() < 0.15:
        lines.append(f"train: {{epochs: {rng.choice(SIZES)}, loss: {rng.choice(SIZES)}, batch: {rng.choice(SIZES)}}}")
    return "\n".join(lines) + "\n"


def _layers(rng: Random, most: int, inside: bool) -> list[str]:
    return [_layer(rng, inside) for _ in range(rng.randint(1, most))]


def _layer(rng: Random, inside: bool) -> str:
    kind = rng.choice([*KINDS, "conv", "conv", "maxpool", "add", "concat", "dense", "flatten", "block"])
    usual = {
        "conv": {"filters": ["1", "3", "K"], "kernel": ["1", "3", "5", "K"]},
        "convtranspose": {"filters": ["1", "3"], "kernel": ["2", "3", "K"], "stride": ["1", "2", "S"]},
        "maxpool": {"size": ["2", "3", "K"], "rounding": ["floor", "ceil", "exact"]},
        "avgpool": {"size": ["2", "3"], "pad": ["0", "1", "same"]},
        "sumpool": {"size": ["2", "3"]},
        "dense": {"units": ["10", "K"], "features": ["400", "36", "K"]},
        "add": {"from": ["[x, x]", "[a, b]", "[a, x]"]},
        "concat": {"from": ["[x, x]", "[a, b]", "[a, x, b]"]},
        "crop": {"from": ["[a, x]", "[x, a]", "x"]},
        "upsample": {"scale": ["2", "3", "K"]},
        "pad": {"pad": ["1", "[0, 1, 0, 2]"]},
        "reshape": {"shape": ["[4, -1, 2]", "[36]", "[K, L, 3]"]},
        "block": {"use": ["b", "d"], "c": ["2", "K", "$c"]},
    }.get(kind, {})
    settings = {key: rng.choice(values) for key, values in usual.items() if rng.random() < 0.9}
    if rng.random() < 0.4:
        settings["name"] = rng.choice(["a", "b", rng.choice(NAMES)])
    if rng.random() < 0.25:
        settings["from"] = rng.choice(["x", "a", "b", rng.choice(NAMES)])
    if rng.random() < 0.3:
        extra = rng.choice(["stride", "pad", "dilation", "expect", "act", "norm", "groups", rng.choice(KEYS)])
        settings[extra] = rng.choice(EXPECTED) if extra == "expect" else rng.choice(["2", "relu", rng.choice(SIZES)])
    if inside and rng.random() < 0.2:
        conditions = ["in.channels != c", "c > 1", "H == 2", "true", "not c == 1 or in.channels < 3"]
        settings["if"] = f"'{rng.choice(conditions)}'"
    return f"{kind}: {{{', '.join(f'{key}: {value}' for key, value in settings.items())}}}" if settings else kind


def _words(text: str) -> list[str]:
    """Return words and what stands between them."""
    words = [""]
    for char in text:
        if char.isalnum() and words[-1].isalnum():
            words[-1] += char
        else:
            words.append(char)
    return words


def _replace_word(text: str, rng: Random) -> str:
    words = _words(text)
    words[rng.randrange(len(words))] = rng.choice([*SIZES, *KEYS, *NAMES, *KINDS])
    return "".join(words)


def _copy_line(text: str, rng: Random) -> str:
    lines = text.split("\n")
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(rng.choice(CORPUS).split("\n") + lines))
    return "\n".join(lines)


def _drop_line(text: str, rng: Random) -> str:
    lines = text.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def _insert(text: str, rng: Random) -> str:
    place = rng.randrange(len(text) + 1)
    odd = ["\x00", "\x1b[31m", "\t", "\r", "\u2028", "\ufeff", "\U0001f600", "\u202e", "[", "]", "{", "}", ":", "- ",
           "&a ", "*a", "'", '"', "|", "> ", "#", "%", "!!str ", "---\n", "? ", "<<: ", "$", "**", "\\"]  # fmt: skip
    return text[:place] + rng.choice(odd) * rng.choice([1, 1, 1, 2, 70]) + text[place:]


def _cut(text: str, rng: Random) -> str:
    first, last = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
    return text[:first] + text[last:]


def _repeat(text: str, rng: Random) -> str:
    lines = text.split("\n")
    place = rng.randrange(len(lines))
    return "\n".join(lines[:place] + [lines[place]] * rng.choice([2, 10, 60]) + lines[place + 1 :])


MUTATIONS: Sequence[Callable[[str, Random], str]] = (
    _replace_word, _replace_word, _replace_word, _copy_line, _drop_line, _insert, _cut, _repeat,
)  # fmt: skip


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

    for split, join in ((lambda t: t.split("\n"), "\n"), (_words, "")):
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
        if only in name and (wrong := confined(name, text, PATIENCE.get(name, limit))):
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
