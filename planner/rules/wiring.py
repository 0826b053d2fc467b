"""Rules about names, settings and wiring: N1xx."""

from __future__ import annotations

from planner.rules.rule import Rule, spec

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

WIRING = (
    Rule(
        "N101",
        "unknown key",
        "A mapping has an unknown key. This is an error, because the setting would otherwise be silently ignored. "
        "Names from other frameworks are recognised: padding is pad here, kernel_size is kernel.",
        spec("conv: {filters: 6, kernel_size: 5}"),
        spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "N102",
        "unknown layer kind",
        "The key of a layer is not a kind of layer. Names from other frameworks are recognised: Conv2d is conv, "
        "Linear is dense.",
        spec("Conv2d: {filters: 6, kernel: 5}"),
        spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "N103",
        "unknown layer name",
        "A `from` names a layer that does not exist. Inside a block, only layers of the block and `in`, the input of "
        "the block, can be named.",
        spec("conv: {name: stem, filters: 6, kernel: 3, pad: 1}\nrelu: {name: r}\nadd: {from: [stm, r]}"),
        spec("conv: {name: stem, filters: 6, kernel: 3, pad: 1}\nrelu: {name: r}\nadd: {from: [stem, r]}"),
    ),
    Rule(
        "N104",
        "duplicate name",
        "Two layers, inputs or uses of blocks have the same name, so that `from` and `output` are ambiguous.",
        spec("conv: {name: c, filters: 6, kernel: 5}\nconv: {name: c, filters: 6, kernel: 5}"),
        spec("conv: {name: c1, filters: 6, kernel: 5}\nconv: {name: c2, filters: 6, kernel: 5}"),
    ),
    Rule(
        "N105",
        "cycle",
        "Following `from` leads back to the same layer, which would need its own output. Networks must be "
        "feed-forward.",
        spec("relu: {name: a, from: b}\ntanh: {name: b, from: a}"),
        spec("relu: {name: a, from: image}\ntanh: {name: b, from: a}"),
    ),
    Rule(
        "N106",
        "dead end",
        "No output depends on this layer or input: it is dead code. Usually a `from` is missing.",
        spec("conv: {name: a, filters: 6, kernel: 5}\nconv: {name: b, from: image, filters: 6, kernel: 5}"),
        spec(
            "conv: {name: a, filters: 6, kernel: 5}\nconv: {name: b, from: image, filters: 6, kernel: 5}\n"
            "add: {from: [a, b]}"
        ),
    ),
    Rule(
        "N107",
        "bad value",
        "A setting has an invalid value: a negative or fractional count, a word that is not one of the choices, or a "
        "number larger than any tensor (2^40).",
        spec("conv: {filters: 6, kernel: 0}"),
        spec("conv: {filters: 6, kernel: 1}"),
    ),
    Rule(
        "N108",
        "missing setting",
        "A setting without a sensible default is missing: the filters of a convolution, the layers of a spec, or a "
        "parameter of a block.",
        spec("conv: {filters: 6}"),
        spec("conv: {filters: 6, kernel: 5}"),
    ),
    Rule(
        "N109",
        "wrong number of inputs",
        "The layer reads more or fewer tensors than its kind takes: add and concat take two or more, most other kinds "
        "take one.",
        spec("relu: {name: a}\nadd"),
        spec("relu: {name: a}\nadd: {from: [image, a]}"),
    ),
    Rule(
        "N110",
        "block used wrongly",
        "A block does not exist, contains itself, is repeated less than once or more than 1,000 times, gets a list "
        "with a length other than the number of repetitions, or declares a parameter with a reserved name.",
        _BLOCK + "  - block: {use: pair, c: [8, 16], repeat: 3}\n",
        _BLOCK + "  - block: {use: pair, c: [8, 16, 32], repeat: 3}\n",
    ),
    Rule(
        "N111",
        "bad output",
        "`output` names something that is not a layer, or is not a name, a list of names, or names with shapes. To "
        "give an output another name than its layer, write {logits: {from: out, shape: [N, 10]}}.",
        spec("dense: {name: out, units: 10}", "[N, 4]", "output: {logits: [N, 10]}\n"),
        spec("dense: {name: out, units: 10}", "[N, 4]", "output: {out: [N, 10]}\n"),
    ),
    Rule(
        "N112",
        "bad expression",
        "A setting or an `if` of a block is not a valid expression, or has no value: an unknown parameter, a division "
        "with a remainder, a comparison that depends on an unknown size. Expressions consist of integers, parameters "
        "($c), names of sizes, in.channels, + - * // / (exact), comparisons, and, or, not.",
        _BLOCK.replace("$c,", "$d,", 1) + "  - block: {use: pair, c: 8}\n",
        _BLOCK + "  - block: {use: pair, c: 8}\n",
    ),
    Rule(
        "N113",
        "unused suppression",
        "A comment `# shapeplan: ignore[S301]` silences warnings of that rule on its line, or in the whole file if it "
        "is on a separate line above `layers`. This comment names no rule, or a rule without a finding there: the "
        "mistake was fixed, has moved to another line, or never existed. Errors cannot be silenced.",
        spec("conv: {filters: 6, kernel: 5}  # shapeplan: ignore[S301]"),
        spec("conv: {filters: 6, kernel: 5}"),
    ),
)
"""In the order of their codes."""
