"""Texts made to make a reader stumble: bombs, depths, heights, and sums of small things that grow together.

Each is under the limits a spec has where it says so, because what is refused for its length is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

HEAD = "spec: 1\ninput: {x: [N, 1, H, W]}\n"


def spec(layers: Sequence[str], head: str = HEAD) -> str:
    """Return a spec of these layers.

    Examples
    --------
    >>> print(spec(["relu"]))
    spec: 1
    input: {x: [N, 1, H, W]}
    layers:
      - relu
    """
    return head + "layers:\n" + "\n".join(f"  - {item}" for item in layers)


def conv(**settings: object) -> str:
    """Return one convolution as a spec has it.

    Examples
    --------
    >>> conv(kernel=3)
    'conv: {filters: 1, kernel: 3}'
    """
    return f"conv: {{{', '.join(f'{key}: {value}' for key, value in {'filters': 1, **settings}.items())}}}"


def hostile() -> Iterator[tuple[str, str]]:
    """Yield names and texts."""
    yield from _texts()
    yield from _numbers()
    yield from _blocks()
    yield from _formulas()
    yield from _periods()
    yield from _crowds()


def _texts() -> Iterator[tuple[str, str]]:
    bomb = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    yield "alias bomb", bomb + spec(["relu"])
    yield "alias of itself", "a: &a [*a]\n" + spec(["relu"])
    yield "aliases in layers", spec(["conv: &c {filters: 1, kernel: 1}"] + ["conv: *c"] * 5000)
    yield "deep flow", spec(["[" * 50_000])
    yield "deep flow, closed", spec(["[" * 400 + "]" * 400])
    yield "deep blocks", spec(["relu"]) + "\ntrain:\n" + "".join(f"{' ' * d}a:\n" for d in range(900))
    yield "deep keys", "? " * 5000
    first = "conv: {name: c, filters: 1, kernel: 1}"
    yield "one layer used often", spec([first] + ["conv: {use: c}"] * 3000)
    yield "layers used that are not there", spec([first] + [f"conv: {{use: d{index}}}" for index in range(5000)])
    yield "many unpoolings", spec(
        [item for n in range(1500) for item in (f"maxpool: {{name: p{n}, size: 1}}", f"unpool: {{pool: p{n}}}")]
    )
    yield "poolings that are not there", spec([f"unpool: {{pool: q{index}}}" for index in range(5000)])
    several = ", ".join(f"o{index}: 1" for index in range(5000))
    yield "weights of outputs that are not there", spec(["relu"]) + f"\ntrain: {{loss_weights: {{{several}}}}}"
    yield "ten megabytes", spec(["relu"]) + "\n# " + "x" * 10_000_000
    yield "ten megabytes of layers", spec(["relu"] * 1_000_000)
    yield "a million line breaks", spec(["relu"]) + "\n" * 990_000
    yield "one long line", HEAD + "layers: [" + "relu, " * 150_000 + "relu]"
    yield "many keys", spec(["relu"]) + "\n" + "\n".join(f"k{i}: 1" for i in range(60_000))
    yield "the same key", spec(["relu"]) + "\n" + "\n".join("k: 1" for _ in range(90_000))
    yield "control characters", spec(["relu"]) + "\n\x00\x07\x1b[31m\x9b"
    yield "escaped control characters", spec(['relu: {name: "\\e[31m\\0\\u202e\\u2028"}', "conv: {kernel: '\\x1b[0m'}"])
    yield "byte order marks", "\ufeff\ufeff" + spec(["relu"])
    yield "half a surrogate", spec(['relu: {name: "\\ud800"}'])
    yield "long comment", "# " + "é" * 900_000 + "\n" + spec([conv(kernel=0)])
    yield "error behind a long line", spec([conv(kernel=0) + " # " + "x" * 900_000])
    yield "wide characters", spec([conv(name="'" + "漢" * 300_000 + "'", kernel=0)])
    yield "long name", spec([conv(name="a" * 900_000, kernel=3)])
    alike = [conv(name="a" * 300_000 + "b", kernel=3), f"relu: {{from: {'a' * 300_001}}}"]
    yield "long names, nearly alike", spec(alike)
    yield "long key", spec([f"conv: {{{'k' * 900_000}: 1}}"])
    yield "long kind", spec(["k" * 900_000])
    yield "long input name", f"spec: 1\ninput: {{{'x' * 500_000}: [N, 1, 4, 4]}}\nlayers: [{conv(kernel=5)}]"
    yield "long size name", f"spec: 1\ninput: {{x: [N, 1, {'H' * 900_000}, W]}}\nlayers: [relu]"
    yield "not YAML, long", "a: [" + "{" * 900_000
    yield "quotes", "'" * 900_001
    yield "tabs", "\t" * 900_000
    yield "anchors", "\n".join(f"- &a{i} x" for i in range(50_000))
    yield "documents", "---\n" * 100_000
    yield "tags", "!!python/object/apply:os.system [echo]\n" * 1000


def _numbers() -> Iterator[tuple[str, str]]:
    huge = 2**40
    yield "digits", spec([conv(kernel="9" * 100_000)])
    yield "exponent", spec([conv(kernel="1e999999999")])
    yield "hexadecimal", spec([conv(kernel="0x" + "f" * 100_000)])
    yield "octal", spec([conv(kernel="0o" + "7" * 100_000)])
    yield "infinity", spec([conv(kernel=".inf"), "dropout: {rate: .nan}", "leaky_relu: {slope: -.inf}"])
    yield "largest everything", spec([conv(kernel=huge, stride=huge, pad=huge, dilation=huge)] * 3)
    yield "largest chain", spec([conv(kernel=3, stride=huge)] * 200)
    yield "largest pool", spec([f"maxpool: {{size: {huge}, stride: 1, pad: {huge // 2}, dilation: 2}}"])
    yield "largest dilated pool", spec(["maxpool: {size: 1000000000, stride: 3, pad: 500000000, dilation: 300}"])
    yield "largest same", spec([conv(kernel=huge - 1, stride=2, pad="same", rounding="exact")])
    yield "largest upsampling", spec([f"upsample: {{scale: {huge}}}"] * 200)
    yield "largest reshape", spec(["flatten", f"reshape: {{shape: [{huge}, {huge}, -1]}}"])
    yield "largest dense", spec(["flatten", "dense: {units: 3, features: 963761198400}"])
    image = f"spec: 1\ninput: {{x: [{huge}, {huge}, {huge}, {huge}]}}\n"
    yield "largest image", spec([conv(kernel=5, stride=2)] * 50, image)
    yield "largest image, wrong", spec(
        [conv(kernel=5, stride=2), "flatten", "dense: {units: 3, features: 7}"],
        f"spec: 1\ninput: {{x: [N, 1, {huge}, {huge}]}}\n",
    )
    yield "image that does not fit", spec([conv(kernel=huge)], "spec: 1\ninput: {x: [N, 1, 3, 3]}\n")
    channels = f"spec: 1\ninput: {{x: [N, {huge}, 3, 3]}}\n"
    yield "groups", spec([conv(filters=huge, kernel=1, groups=963761198400)], channels)
    yield "groups that do not divide", spec(
        ["conv: {filters: 963761198400, kernel: 1, groups: 999999999989}"],
        "spec: 1\ninput: {x: [N, 963761198400, 3, 3]}\n",
    )
    yield "crop", spec([f"crop: {{size: {huge}}}", f"pad: {{pad: {huge}}}", "crop: {size: 1}"])


def _blocks() -> Iterator[tuple[str, str]]:
    def block(name: str, layer: str, params: str = "") -> str:
        return f"  {name}: {{params: {{{params}}}, layers: [{layer}]}}\n"

    for repeat in ("1000000000", "9" * 400, "-1", "1.5", "yes", "H", "[1, 2]", "'2 ** 8'"):
        text = HEAD + "blocks:\n" + block("b", conv(kernel=1))
        yield f"repeat: {repeat[:12]}", text + f"layers: [block: {{use: b, repeat: {repeat}}}]"
    nested = "blocks:\n" + block("b0", "relu")
    nested += "".join(block(f"b{i}", f"block: {{use: b{i - 1}, repeat: 1000}}") for i in range(1, 60))
    yield "blocks that explode", HEAD + nested + "layers: [block: {use: b59, repeat: 1000}]"
    empty = "blocks:\n" + block("b0", "relu: {if: 'false'}, relu: {if: '1 == 2'}")
    empty += "".join(block(f"b{i}", f"block: {{use: b{i - 1}, repeat: 1000}}") for i in range(1, 60))
    yield "blocks that explode into nothing", HEAD + empty + "layers: [block: {use: b59, repeat: 1000}]"
    deep = "blocks:\n" + block("b0", "relu") + "".join(
        block(f"b{i}", f"block: {{use: b{i - 1}}}") for i in range(1, 3000)
    )
    yield "blocks in blocks", HEAD + deep + "layers: [block: {use: b2999}]"
    yield "blocks in a ring", HEAD + "blocks:\n" + "".join(
        block(f"b{i}", f"block: {{use: b{(i + 1) % 2000}}}") for i in range(2000)
    ) + "layers: [block: {use: b0}]"
    mesh = "".join(
        block(f"b{i}", ", ".join(f"block: {{use: b{j}}}" for j in range(60))) for i in range(60)
    )
    yield "blocks that all use all", HEAD + "blocks:\n" + mesh + "layers: [block: {use: b0}]"
    squares = "blocks:\n" + block("b0", conv(kernel="$c"), "c: int")
    squares += "".join(block(f"b{i}", f"block: {{use: b{i - 1}, c: $c * $c + K}}", "c: int") for i in range(1, 30))
    yield "a parameter that squares itself", HEAD + squares + "layers: [block: {use: b29, c: K}]"
    yield "ten thousand layers", HEAD + "blocks:\n" + block("b", conv(kernel=3, stride=1, pad=1)) + (
        "layers:\n" + "  - block: {use: b, repeat: 1000}\n" * 9
    )


def _formulas() -> Iterator[tuple[str, str]]:
    def using(text: str) -> str:
        body = "blocks:\n  b: {params: {c: int}, layers: [conv: {filters: 1, kernel: \"" + text + "\"}]}\n"
        return HEAD + body + "layers: [block: {use: b, c: K}]"

    yield "tower of powers", using(" ** ".join(["$c"] * 100))
    yield "powers of sums", using("(($c + H + W + A + B + C + D + E) ** 8) ** 8")
    yield "nested powers", using("(" * 30 + "$c" + " ** 8)" * 30)
    yield "product of sums", using(" * ".join(f"($c + A{i})" for i in range(30)))
    yield "long sum", using(" + ".join(f"A{i}" for i in range(90)))
    yield "too long a sum", using(" + ".join("$c" for _ in range(20_000)))
    yield "brackets", using("(" * 199 + "$c" + ")" * 199)
    yield "signs", using("-" * 399 + "c")
    yield "divisions", using("$c" + " // 2" * 60)
    yield "divisions by names", using("((($c // A) // B) // C) // D")
    yield "division by nothing", using("$c // ($c - $c)")
    yield "not a formula", using("__import__('os').system('echo')")
    names = ["K", "S", "D", "P"]
    symbolic = conv(kernel="K", stride="S", pad="P", dilation="D")
    yield "symbolic settings", spec([symbolic])
    yield "the same symbolic settings over and over", spec([symbolic] * 60)
    yield "other symbolic settings over and over", spec(
        [conv(**{key: f"{name}{i}" for key, name in zip(("kernel", "stride", "dilation", "pad"), names, strict=True)})
         for i in range(25)]
    )
    yield "symbolic pools", spec(["maxpool: {size: K, stride: S, pad: P, rounding: ceil, dilation: D}"] * 12)
    yield "symbolic strides, same", spec([conv(kernel="K", stride="S", pad="same", rounding="exact")] * 12)
    yield "symbolic upsampling", spec(["upsample: {scale: K}", conv(kernel="K", stride="K")] * 40)
    yield "symbolic branches", spec(
        [conv(name="a", kernel="K", stride="S"), conv(name="b", **{"from": "x"}, kernel="L", stride="T"),
         "add: {from: [a, b]}"]
    )
    yield "symbolic transposed", spec(["convtranspose: {filters: K, kernel: K, stride: S, pad: P, output_pad: O}"] * 30)
    yield "symbolic concats", spec(
        [f"concat: {{name: c{i}, from: [{f'c{i - 1}, c{i - 1}' if i else 'x, x'}]}}" for i in range(60)],
        "spec: 1\ninput: {x: [N, C, H, W]}\n",
    )
    yield "flattened over and over", spec(["flatten", "reshape: {shape: [K, L, -1]}"] * 20)
    yield "sizes multiplied", spec(["flatten", "dense: {units: 1, features: K}"])
    ceil = "maxpool: {size: 2, stride: 3, rounding: ceil}"
    yield "ceil in ceil", spec([ceil, conv(kernel=3, pad="same", stride=2)] * 30)
    yield "same and exact", spec([conv(kernel=7, stride=2, pad="same", rounding="exact")] * 12)


def _periods() -> Iterator[tuple[str, str]]:
    yield "a prime stride", spec([conv(kernel=5, stride=99_991), conv(kernel=2)])
    yield "a prime stride, exact", spec([conv(kernel=5, stride=99_991, rounding="exact")])
    yield "a stride with a million", spec([conv(kernel=5, stride=1_000_003, rounding="exact")])
    primes = (997, 991, 983, 977, 971)
    yield "primes along a path", spec([conv(kernel=3, stride=prime) for prime in primes])
    yield "primes side by side", spec(
        [conv(name=f"c{prime}", **{"from": "x"}, kernel=3, stride=prime, rounding="exact") for prime in primes],
    ) + f"\noutput: [{', '.join(f'c{prime}' for prime in primes)}]"
    small = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31)
    yield "small primes side by side", spec(
        [conv(name=f"c{prime}", **{"from": "x"}, kernel=1, stride=prime, rounding="exact") for prime in small],
    ) + f"\noutput: [{', '.join(f'c{prime}' for prime in small)}]"
    yield "halved forty times", spec([conv(kernel=1, stride=2, rounding="exact")] * 40)
    yield "halved in vain", spec(
        ["conv: {name: up, filters: 1, kernel: 3}"] + ["maxpool: {size: 2, rounding: exact}"] * 60
        + ["crop: {name: c, from: [maxpool60, up]}", "concat: {from: [c, up]}"]
    )
    yield "padded far, same", spec([conv(kernel=1_000_000_000, stride=2, pad="same", rounding="exact")])
    yield "far exceptions", spec(
        [conv(name="a", kernel=1_000_000_000, pad="same", stride=3, rounding="exact"),
         conv(name="b", **{"from": "x"}, kernel=1_000_001, stride=2), "add: {from: [a, b]}"]
    )
    yield "crops of crops", spec(
        ["maxpool: {name: a, size: 7, stride: 5, rounding: ceil}", "upsample: {name: u, scale: 5}",
         "crop: {name: c, from: [u, x]}", "add: {from: [c, x]}"] * 1
    )
    # One after the other, each enlarges the period by its own prime.
    chain: list[str] = []
    last = "x"
    for prime in (2, 3, 5, 7, 11, 13):
        chain += [f"maxpool: {{name: p{prime}, from: {last}, size: {prime}}}",
                  f"upsample: {{name: u{prime}, scale: {prime}}}", f"add: {{name: s{prime}, from: [u{prime}, {last}]}}"]
        last = f"s{prime}"
    yield "branches of many periods", spec(chain)


def _crowds() -> Iterator[tuple[str, str]]:
    yield "unknown names", spec([f"relu: {{name: layer_number_{i}, from: layer_nummer_{i}}}" for i in range(4000)])
    yield "unknown kinds", spec([f"convolution{i}" for i in range(9000)])
    yield "unknown keys", spec([f"conv: {{filters: 1, kernel: 1, kernal_{i}: 3}}" for i in range(5000)])
    yield "one name for all", spec([conv(name="a", kernel=1)] * 5000)
    yield "wide sum", spec(["add: {from: [" + ", ".join(["x"] * 9000) + "]}"])
    yield "wide concat", spec(
        [conv(name=f"c{i}", **{"from": "x"}, kernel=1 + i % 7, pad=i % 4) for i in range(1500)]
        + [f"concat: {{from: [{', '.join(f'c{i}' for i in range(1500))}]}}"]
    )
    yield "concats that double", spec(
        [f"concat: {{name: c{i}, from: [{f'c{i - 1}, c{i - 1}' if i else 'x, x'}]}}" for i in range(2000)]
    )
    image = "spec: 1\ninput: {x: [N, 1, 8, 8]}\n"
    names = ", ".join(f"c{i}" for i in range(1500))
    yield "many that do not fit", spec(
        [conv(name=f"c{i}", **{"from": "x"}, kernel=9) for i in range(1500)], image
    ) + f"\noutput: [{names}]"
    yield "many that drop a border", spec(
        [conv(name=f"c{i}", **{"from": "x"}, kernel=3, stride=2) for i in range(1500)], image
    ) + f"\noutput: [{names}]"
    yield "many that agree for some sizes", spec(
        [line for i in range(200) for line in (
            f"maxpool: {{name: p{i}, from: x, size: {2 + i % 9}}}",
            f"upsample: {{name: u{i}, scale: {2 + i % 9}}}", f"add: {{name: a{i}, from: [u{i}, x]}}")]
    ) + f"\noutput: [{', '.join(f'a{i}' for i in range(200))}]"
    yield "a ring of many", spec([f"relu: {{name: r{i}, from: r{(i + 1) % 4000}}}" for i in range(4000)])
    backwards = [f"relu: {{name: r{i}, from: {f'r{i + 1}' if i < 4000 else 'x'}}}" for i in range(4001)]
    yield "read backwards", spec(backwards)
    yield "many inputs", "spec: 1\ninput: {" + ", ".join(f"x{i}: [N, 1, H{i}, W]" for i in range(1500)) + "}\n" + (
        "layers: [add: {from: [" + ", ".join(f"x{i}" for i in range(1500)) + "]}]"
    )
    yield "many expectations", spec([f"relu: {{expect: [N, 1, H{i}, W]}}" for i in range(1000)])
