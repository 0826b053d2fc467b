"""Random spec texts: written from the vocabulary, or examples with something changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from planner.layers import KINDS
from tests.harness.places import ROOT

CORPUS = tuple(path.read_text("utf-8") for path in sorted((ROOT / "examples").rglob("*.yaml")))

SIZES = (
    "0", "1", "2", "3", "4", "5", "7", "8", "31", "224", "-1", "1099511627776", "1099511627777", "9" * 40, "1e3",
    "1.5", ".inf", "1e-400", "H", "W", "N", "C", "K", "S", "x", "dtype", "same", "true", "false", "null", "",
    "[1, 2]", "[2]", "[2, 3, 1]", "-3",
    "[1, 2, 3, 4]", "[0, 1, 0, 2]", "[]", "[H, K]", "[1, -1]", "{}", "{a: 1}", "$c", "$c * 2", "'$c // 3'",
    "(H - 1)//2", "'floor((H - 1)/2)'", "in.channels", "'2 ** 8'", "K ** 8", "H*W", "'-K'", "H - H", "H // K",
    "K * K - 1", "[[1]]",
    "relu", "batch", "floor", "ceil", "exact", "'\\x1b'", "é", "*a", "&a 3", "!!int 3", "'", "0x10", "0o7", "1_0",
)  # fmt: skip
KEYS = (
    "name", "from", "act", "norm", "expect", "if", "use", "repeat", "filters", "kernel", "stride", "pad", "dilation",
    "groups", "bias", "rounding", "size", "scale", "shape", "units", "features", "rate", "slope", "eps",
    "output_pad", "c", "pool", "weights",
    "parts", "part", "axis", "start", "stop", "step", "order", "per_channel", "initial", "running", "shift", "mode",
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
    elif rng.random() < 0.15:
        weighed = f"{{{rng.choice(NAMES)}: {rng.choice(SIZES)}}}"
        lines.append(f"train: {{loss: {{{rng.choice(NAMES)}: mse}}, loss_weights: {weighed}}}")
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
        "block": {"use": ["b", "d", "squeeze_excite"], "c": ["2", "K", "$c"]},
        "unpool": {"pool": ["a", "b", "maxpool1"]},
    }.get(kind, {})
    settings = {key: rng.choice(values) for key, values in usual.items() if rng.random() < 0.9}
    if rng.random() < 0.4:
        settings["name"] = rng.choice(["a", "b", rng.choice(NAMES)])
    if rng.random() < 0.25:
        settings["from"] = rng.choice(["x", "a", "b", rng.choice(NAMES)])
    if rng.random() < 0.15:
        again = {"use": rng.choice(["a", "b", "conv1", "dense1"])} if kind != "block" else {"weights": rng.choice("ab")}
        settings = {**{key: settings[key] for key in ("name", "from", "use") if key in settings}, **again}
    if rng.random() < 0.3:
        extra = rng.choice(["stride", "pad", "dilation", "expect", "act", "norm", "groups", rng.choice(KEYS)])
        settings[extra] = rng.choice(EXPECTED) if extra == "expect" else rng.choice(["2", "relu", rng.choice(SIZES)])
    if inside and rng.random() < 0.2:
        conditions = ["in.channels != c", "c > 1", "H == 2", "true", "not c == 1 or in.channels < 3"]
        settings["if"] = f"'{rng.choice(conditions)}'"
    return f"{kind}: {{{', '.join(f'{key}: {value}' for key, value in settings.items())}}}" if settings else kind


def split_words(text: str) -> list[str]:
    """Return words and what stands between them."""
    words = [""]
    for char in text:
        if char.isalnum() and words[-1].isalnum():
            words[-1] += char
        else:
            words.append(char)
    return words


def _replace_word(text: str, rng: Random) -> str:
    words = split_words(text)
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
