"""Every rule a finding can name: its title, what it means, a small spec that breaks it and the cure.

Texts only; the rules themselves live where the fault is found. ``shapeplan explain S201`` prints them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes
    ----------
    code : str
        ``S201``. P1xx reading, N1xx names and settings, S2xx impossible sizes, S3xx sizes that lose
        something or agree only sometimes, R5xx not runnable.
    title : str
        A few words.
    text : str
        What it means and why it matters.
    example : str
        A spec that breaks the rule, or a command after ``$``. Where a rule is about given sizes, the
        first line is a comment with the command.
    fixed : str
        The same, put right.
    """

    code: str
    title: str
    text: str
    example: str
    fixed: str


def _spec(layers: str, image: str = "[N, 1, 28, 28]", more: str = "") -> str:
    body = "".join(f"  - {line}\n" for line in layers.splitlines())
    return f"spec: 1\nname: example\ninput: {{image: {image}}}\nlayers:\n{body}{more}"


_BLOCK = """spec: 1
name: example
input: {image: [N, 8, 28, 28]}
blocks:
  pair:
    params: {c: int}
    layers:
      - conv: {filters: $c, kernel: 3, pad: 1}
      - conv: {filters: $c, kernel: 3, pad: 1}
layers:
"""

_P105 = "$ shapeplan check lenet"
_AT = "# shapeplan show example.yaml --at"

_LIST = (
    Rule(
        "P101",
        "not readable",
        "The text is not YAML, or not JSON where the file ends in .json, or not UTF-8, or empty. The place is where "
        "reading had to stop; the slip is there or a little before: a bracket or quote left open, a tab as "
        "indentation, a missing space after a colon.",
        _spec("conv: {filters: 6, kernel: 5"),
        _spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "P102",
        "duplicate key",
        "A key stands twice in one mapping. Most YAML readers keep the last one without a word, so that half of what "
        "you wrote has no effect; here both places are named and neither wins.",
        _spec("conv: {filters: 6, kernel: 5, filters: 16}"),
        _spec("conv: {filters: 16, kernel: 5}"),
    ),
    Rule(
        "P103",
        "too large or too deep",
        "A spec has at most 1,000,000 characters, 64 levels of nesting, 100,000 values with aliases written out, "
        "numbers of 40 characters and 10,000 layers with blocks written out. Networks stay far below; files that "
        "do not are usually something else, or an attack on the reader.",
        _spec("conv: {filters: 100000000000000000000000000000000000000000, kernel: 5}"),
        _spec("conv: {filters: 100, kernel: 5}"),
    ),
    Rule(
        "P104",
        "YAML feature refused",
        "Tags, merge keys (<<), several documents in one file and aliases without an anchor are refused: they make one "
        "text mean different things to different readers. Plain aliases work; for repeated layers there are blocks.",
        _spec("conv: {filters: !!int 6, kernel: 5}"),
        _spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "P105",
        "file cannot be opened",
        "The file is missing, is a directory, cannot be read, or does not end in .yaml, .yml or .json.",
        _P105,
        "$ shapeplan check lenet5.yaml",
    ),
    Rule(
        "P106",
        "wrong type of value",
        "A value has a different form than its key takes: a list where a mapping belongs, nothing where a number "
        "belongs, two keys in one layer.",
        _spec("conv: [6, 5]"),
        _spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "P107",
        "version of the format",
        "A spec says which version of the format it is written in, so that later programs can still read it. "
        "This one reads version 1.",
        _spec("flatten").replace("spec: 1", "spec: 2"),
        _spec("flatten"),
    ),
    Rule(
        "N101",
        "unknown key",
        "A mapping has a key that nothing reads. It is an error because the alternative is a setting that silently "
        "does nothing. Names from other frameworks are recognised: padding is pad here, kernel_size is kernel.",
        _spec("conv: {filters: 6, kernel_size: 5}"),
        _spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "N102",
        "unknown layer kind",
        "The key of a layer is not a kind of layer. Names from other frameworks are recognised: Conv2d is conv, "
        "Linear is dense.",
        _spec("Conv2d: {filters: 6, kernel: 5}"),
        _spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "N103",
        "unknown layer name",
        "A `from` names a layer that does not exist. Inside a block only the block's own layers and `in`, its input, "
        "can be named.",
        _spec("conv: {name: stem, filters: 6, kernel: 3, pad: 1}\nrelu: {name: r}\nadd: {from: [stm, r]}"),
        _spec("conv: {name: stem, filters: 6, kernel: 3, pad: 1}\nrelu: {name: r}\nadd: {from: [stem, r]}"),
    ),
    Rule(
        "N104",
        "duplicate name",
        "Two layers, inputs or uses of blocks have the same name, so that `from` and `output` could mean either.",
        _spec("conv: {name: c, filters: 6, kernel: 5}\nconv: {name: c, filters: 6, kernel: 5}"),
        _spec("conv: {name: c1, filters: 6, kernel: 5}\nconv: {name: c2, filters: 6, kernel: 5}"),
    ),
    Rule(
        "N105",
        "cycle",
        "Following `from` leads back to where one started: the layer would need its own output. Networks here are "
        "feed-forward.",
        _spec("relu: {name: a, from: b}\ntanh: {name: b, from: a}"),
        _spec("relu: {name: a, from: image}\ntanh: {name: b, from: a}"),
    ),
    Rule(
        "N106",
        "dead end",
        "No output depends on this layer or input, so that it would be computed for nothing; usually a `from` that "
        "was forgotten.",
        _spec("conv: {name: a, filters: 6, kernel: 5}\nconv: {name: b, from: image, filters: 6, kernel: 5}"),
        _spec(
            "conv: {name: a, filters: 6, kernel: 5}\nconv: {name: b, from: image, filters: 6, kernel: 5}\n"
            "add: {from: [a, b]}"
        ),
    ),
    Rule(
        "N107",
        "bad value",
        "A setting has a value it cannot have: a negative or fractional count, a word that is not among the choices, "
        "a number larger than any tensor (2^40).",
        _spec("conv: {filters: 6, kernel: 0}"),
        _spec("conv: {filters: 6, kernel: 1}"),
    ),
    Rule(
        "N108",
        "missing setting",
        "Something that has no sensible default is not given: the filters of a convolution, the layers of a spec, a "
        "parameter of a block.",
        _spec("conv: {filters: 6}"),
        _spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "N109",
        "wrong number of inputs",
        "The layer reads more or fewer tensors than its kind takes: add and concat join two or more, everything else "
        "reads one.",
        _spec("relu: {name: a}\nadd"),
        _spec("relu: {name: a}\nadd: {from: [image, a]}"),
    ),
    Rule(
        "N110",
        "block used wrongly",
        "A block does not exist, contains itself, is repeated less than once or more than 1,000 times, gets a list "
        "that is not as long as the repetitions, or declares a parameter under a name that already has a meaning.",
        _BLOCK + "  - block: {use: pair, c: [8, 16], repeat: 3}\n",
        _BLOCK + "  - block: {use: pair, c: [8, 16, 32], repeat: 3}\n",
    ),
    Rule(
        "N111",
        "bad output",
        "`output` names something that is not a layer, or is not a name, a list of names, or names with shapes.",
        _spec("dense: {name: out, units: 10}", "[N, 4]", "output: {logits: [N, 10]}\n"),
        _spec("dense: {name: out, units: 10}", "[N, 4]", "output: {out: [N, 10]}\n"),
    ),
    Rule(
        "N112",
        "bad expression",
        "A setting or an `if` of a block is not an expression, or has no value: an unknown parameter, a division that "
        "leaves a remainder, a comparison that hangs on a size not known yet. Expressions have whole numbers, "
        "parameters ($c), names of sizes, in.channels, + - * // / (exact), comparisons, and, or, not.",
        _BLOCK.replace("$c,", "$d,", 1) + "  - block: {use: pair, c: 8}\n",
        _BLOCK + "  - block: {use: pair, c: 8}\n",
    ),
    Rule(
        "S201",
        "window does not fit",
        "A kernel or pooling window is larger than its padded input, so that floor((n + 2p - k)/s) + 1 would be less "
        "than 1 and there is no position for it. The cause is often far before: too many poolings, or an image smaller "
        "than the one the network was drawn for.",
        _spec("conv: {filters: 6, kernel: 5}\nmaxpool: {size: 4}\nconv: {filters: 16, kernel: 7}"),
        _spec("conv: {filters: 6, kernel: 5}\nmaxpool: {size: 2}\nconv: {filters: 16, kernel: 7}"),
    ),
    Rule(
        "S202",
        "sizes do not agree at a merge",
        "add takes tensors of one shape; concat takes tensors that differ in their channels only. Nothing is "
        "broadcast or cropped. Usually one branch lost a border (no padding) or has another stride.",
        _spec("conv: {filters: 1, kernel: 3}\nadd: {from: [image, conv1]}"),
        _spec("conv: {filters: 1, kernel: 3, pad: 1}\nadd: {from: [image, conv1]}"),
    ),
    Rule(
        "S203",
        "groups do not divide",
        "A grouped convolution splits its input channels and its filters into groups of one size; `groups` must divide "
        "both.",
        _spec("conv: {filters: 8, kernel: 3, groups: 3}", "[N, 6, 28, 28]"),
        _spec("conv: {filters: 9, kernel: 3, groups: 3}", "[N, 6, 28, 28]"),
    ),
    Rule(
        "S204",
        "wrong number of axes",
        "Convolutions and poolings read maps (N, C, H, W); dense layers read rows (N, features). flatten stands "
        "between them.",
        _spec("dense: {units: 10}"),
        _spec("flatten\ndense: {units: 10}"),
    ),
    Rule(
        "S205",
        "asserted shape differs",
        "`output` or `expect` says one shape and the network gives another. One of them is not what you meant.",
        _spec("conv: {name: c, filters: 6, kernel: 5}", more="output: {c: [N, 6, 28, 28]}\n"),
        _spec("conv: {name: c, filters: 6, kernel: 5}", more="output: {c: [N, 6, 24, 24]}\n"),
    ),
    Rule(
        "S206",
        "pool padding over half its window",
        "With more padding than half the window, a pooling window could lie in the padding alone, and its largest "
        "value or mean would be of nothing.",
        _spec("maxpool: {size: 2, pad: 2}"),
        _spec("maxpool: {size: 2, pad: 1}"),
    ),
    Rule(
        "S207",
        "no size is accepted",
        "Every requirement by itself can be met, but not all of them together: whatever the free sizes are, some layer "
        "refuses.",
        _spec(
            "conv: {name: a, filters: 1, kernel: 3}\nconv: {name: b, from: image, filters: 1, kernel: 5}",
            "[N, 1, H, W]",
            "output: {a: [N, 1, 8, 8], b: [N, 1, 8, 8]}\n",
        ),
        _spec(
            "conv: {name: a, filters: 1, kernel: 3}\nconv: {name: b, from: image, filters: 1, kernel: 5}",
            "[N, 1, H, W]",
            "output: {a: [N, 1, 8, 8], b: [N, 1, 6, 6]}\n",
        ),
    ),
    Rule(
        "S208",
        "exact rounding asked, but windows do not end at the border",
        "With `rounding: exact`, (n + 2p - k)/s must be a whole number. Otherwise the stride leaves over rows or "
        "columns that floor would drop without a word.",
        _spec("conv: {filters: 1, kernel: 3, stride: 3, rounding: exact}", "[N, 1, 7, 7]"),
        _spec("conv: {filters: 1, kernel: 3, stride: 2, rounding: exact}", "[N, 1, 7, 7]"),
    ),
    Rule(
        "S209",
        "sizes given are not accepted",
        "A plan was given numbers for its free sizes, and one is missing, has no such name, is not a positive whole "
        "number, or is a size at which some layer cannot run.",
        f"{_AT} N=1,H=3,W=3\n" + _spec("conv: {filters: 6, kernel: 5}", "[N, 1, H, W]"),
        f"{_AT} N=1,H=5,W=5\n" + _spec("conv: {filters: 6, kernel: 5}", "[N, 1, H, W]"),
    ),
    Rule(
        "S301",
        "border dropped",
        "The stride does not divide, floor rounds down, and the last rows or columns of the input are in no window: "
        "the network never sees them. A warning; an error with --strict or `rounding: exact`.",
        _spec("conv: {filters: 1, kernel: 3, stride: 3}", "[N, 1, 7, 7]"),
        _spec("conv: {filters: 1, kernel: 3, stride: 2}", "[N, 1, 7, 7]"),
    ),
    Rule(
        "S302",
        "agrees only for some sizes",
        "Sizes that must be equal are so for some inputs only, for example when H is even. The network runs for those "
        "and is refused for all others.",
        _spec(
            "maxpool: {name: half, size: 2}\nmaxpool: {name: up, from: image, size: 2, rounding: ceil}\n"
            "add: {from: [half, up]}",
            "[N, 1, H, W]",
        ),
        _spec(
            "maxpool: {name: half, size: 2}\nmaxpool: {name: up, from: image, size: 2}\nadd: {from: [half, up]}",
            "[N, 1, H, W]",
        ),
    ),
    Rule(
        "R501",
        "not runnable",
        "The shapes are right, but the run would not do what is asked for, such as cross_entropy on what already went "
        "through softmax: it takes logits, and would apply softmax to probabilities.",
        _spec("flatten\ndense: {units: 10}\nsoftmax", more="train: {loss: cross_entropy}\n"),
        _spec("flatten\ndense: {units: 10}", more="train: {loss: cross_entropy}\n"),
    ),
)

RULES: Mapping[str, Rule] = MappingProxyType({rule.code: rule for rule in _LIST})
"""Every rule by its code."""
