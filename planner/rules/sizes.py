"""Rules about sizes: S2xx impossible, S3xx conditional."""

from __future__ import annotations

from planner.rules.rule import Rule, spec

_AT = "# shapeplan show example.yaml --at"

SIZES = (
    Rule(
        "S201",
        "window does not fit",
        "A kernel or pooling window is larger than its padded input: the output size floor((n + 2p - k)/s) + 1 is less "
        "than 1. The cause is often many layers earlier: too many poolings, or an image smaller than the network was "
        "designed for. The same error is reported for a crop larger than its input, and for a transposed convolution "
        "if its padding removes the whole output, (n - 1)s - 2p + k.",
        spec("conv: {filters: 6, kernel: 5}\nmaxpool: {size: 4}\nconv: {filters: 16, kernel: 7}"),
        spec("conv: {filters: 6, kernel: 5}\nmaxpool: {size: 2}\nconv: {filters: 16, kernel: 7}"),
    ),
    Rule(
        "S202",
        "sizes do not agree at a merge",
        "add, subtract, multiply and maximum take tensors that have the same size along every axis, or size 1, which "
        "is broadcast; a free size that can be 1 for some images is not broadcast. concat takes tensors that differ "
        "along its axis only. Nothing is cropped. Usually one branch has no padding or another stride. The input of an "
        "unpooling must have the size of the output of its max pooling.",
        spec("conv: {filters: 1, kernel: 3}\nadd: {from: [image, conv1]}"),
        spec("conv: {filters: 1, kernel: 3, pad: 1}\nadd: {from: [image, conv1]}"),
    ),
    Rule(
        "S203",
        "does not divide",
        "A grouped convolution splits its input channels and its filters into groups of equal size; `groups` must "
        "divide both. Likewise, a split into equal parts must divide its axis, a channel shuffle its channels, and a "
        "pixel shuffle, which turns channels into squares of pixels or squares into channels, the channels or the map.",
        spec("conv: {filters: 8, kernel: 3, groups: 3}", "[N, 6, 28, 28]"),
        spec("conv: {filters: 9, kernel: 3, groups: 3}", "[N, 6, 28, 28]"),
    ),
    Rule(
        "S204",
        "wrong number of axes",
        "Convolutions and poolings read feature maps (N, C, H, W); dense layers read (N, features). Put flatten "
        "between them.",
        spec("dense: {units: 10}"),
        spec("flatten\ndense: {units: 10}"),
    ),
    Rule(
        "S205",
        "asserted shape differs",
        "`output` or `expect` states a shape that differs from the shape the network computes. Correct one of them.",
        spec("conv: {name: c, filters: 6, kernel: 5}", more="output: {c: [N, 6, 28, 28]}\n"),
        spec("conv: {name: c, filters: 6, kernel: 5}", more="output: {c: [N, 6, 24, 24]}\n"),
    ),
    Rule(
        "S206",
        "padding too large",
        "If the padding is larger than half the window, a pooling window could cover only padding, and its maximum or "
        "mean would be undefined. A `pad` with `mode: reflect` mirrors the feature map at its edge, so that it can add "
        "at most one position less than the size of the map.",
        spec("maxpool: {size: 2, pad: 2}"),
        spec("maxpool: {size: 2, pad: 1}"),
    ),
    Rule(
        "S207",
        "no size is accepted",
        "Each requirement can be met alone, but not all of them together: for any choice of the free sizes, the "
        "requirement of some layer fails.",
        spec(
            "conv: {name: a, filters: 1, kernel: 3}\nconv: {name: b, from: image, filters: 1, kernel: 5}",
            "[N, 1, H, W]",
            "output: {a: [N, 1, 8, 8], b: [N, 1, 8, 8]}\n",
        ),
        spec(
            "conv: {name: a, filters: 1, kernel: 3}\nconv: {name: b, from: image, filters: 1, kernel: 5}",
            "[N, 1, H, W]",
            "output: {a: [N, 1, 8, 8], b: [N, 1, 6, 6]}\n",
        ),
    ),
    Rule(
        "S208",
        "exact rounding, but windows do not end at the border",
        "With `rounding: exact`, (n + 2p - k)/s must be an integer. Otherwise, rows or columns are left over, which "
        "floor would silently drop.",
        spec("conv: {filters: 1, kernel: 3, stride: 3, rounding: exact}", "[N, 1, 7, 7]"),
        spec("conv: {filters: 1, kernel: 3, stride: 2, rounding: exact}", "[N, 1, 7, 7]"),
    ),
    Rule(
        "S209",
        "sizes given are not accepted",
        "The values given for the free sizes of a plan cannot be used: one is missing, has an unknown name, is not a "
        "positive integer, or is a size at which some layer cannot run.",
        f"{_AT} N=1,H=3,W=3\n" + spec("conv: {filters: 6, kernel: 5}", "[N, 1, H, W]"),
        f"{_AT} N=1,H=5,W=5\n" + spec("conv: {filters: 6, kernel: 5}", "[N, 1, H, W]"),
    ),
    Rule(
        "S210",
        "reshape changes the number of values",
        "A reshape only rearranges the values of each image, so that C*H*W (or features) must be the same before and "
        "after it. If one entry is -1, it is computed, and the product of the others must divide the number of values.",
        spec("reshape: {shape: [8, 10, 10]}"),
        spec("reshape: {shape: [8, 7, -1]}"),
    ),
    Rule(
        "S211",
        "dense width differs",
        "A dense layer with fixed `features` reads exactly that many values, but its flattened input has another "
        "number. If sizes are free, the accepted ones are those that give that number.",
        spec("flatten\ndense: {units: 10, features: 400}"),
        spec("flatten\ndense: {units: 10, features: 784}"),
    ),
    Rule(
        "S212",
        "no solution",
        "No accepted size gives the shape, setting or budget that `shapeplan solve` was asked for, or the network does "
        "not have what the goal names. The finding says which part cannot be reached, and the nearest that can.",
        "$ shapeplan solve lenet5.yaml --want s2.H=9",
        "$ shapeplan solve lenet5.yaml --want s2.H=14",
    ),
    Rule(
        "S213",
        "output padding too large",
        "A convolution with stride s maps s input sizes to one output size; output_pad selects which of them a "
        "transposed convolution returns. It must be smaller than the larger of stride and dilation; otherwise it would "
        "only add positions that no kernel reaches.",
        spec("convtranspose: {filters: 1, kernel: 3, stride: 2, pad: 1, output_pad: 2}"),
        spec("convtranspose: {filters: 1, kernel: 3, stride: 2, pad: 1, output_pad: 1}"),
    ),
    Rule(
        "S214",
        "tensor too large",
        "A tensor or a weight would have more than 2^40 values for a single image: over 4 TB in float32. The sizes are "
        "most likely a mistake.",
        spec("flatten\ndense: {units: 1000000000}", "[N, 3, 2000, 2000]"),
        spec("flatten\ndense: {units: 1000}", "[N, 3, 200, 200]"),
    ),
    Rule(
        "S215",
        "formula too long",
        "If settings are names, each layer inserts the formula of its size into that of the next layer. Beyond about "
        "240 parts, a formula is unreadable and takes minutes to analyse. Use numbers for some of the names.",
        spec("conv: {filters: 1, kernel: K, stride: S, pad: P}\n" * 30),
        spec("conv: {filters: 1, kernel: K, stride: 1, pad: P}\n" * 3, "[N, 1, H, W]"),
    ),
    Rule(
        "S216",
        "slice, split or squeeze does not fit",
        "A slice must lie within its axis, and the sizes of a split must add up to its axis. A slice beyond its axis "
        "would keep fewer positions than requested, or none, which Python and PyTorch allow; a split with a smaller "
        "sum would silently lose values. A squeeze removes only an axis of size 1.",
        spec("split: {parts: [24, 72], part: 0}", "[N, 100, 28, 28]"),
        spec("split: {parts: [24, 76], part: 0}", "[N, 100, 28, 28]"),
    ),
    Rule(
        "S217",
        "overlapping windows cannot be unpooled",
        "An unpooling writes each value to the argmax of its window. If the windows of the max pooling overlap, one "
        "position can be the argmax of several windows, and only one of their values could be kept. The stride must "
        "equal the window size.",
        spec("maxpool: {name: p, size: 2, stride: 1}\nunpool: {pool: p}"),
        spec("maxpool: {name: p, size: 2, stride: 2}\nunpool: {pool: p}"),
    ),
    Rule(
        "S218",
        "not one number per channel",
        "A list of fixed numbers needs one number for each input channel of the layer. A single number without "
        "brackets applies to all channels.",
        spec("rescale: {scale: [2, 2]}", "[N, 3, 28, 28]"),
        spec("rescale: {scale: [2, 2, 2]}", "[N, 3, 28, 28]"),
    ),
    Rule(
        "S219",
        "shared weights do not fit",
        "A layer with `use` shares the weights of another layer. Both must have the same number of input channels or "
        "features.",
        spec("conv: {name: a, filters: 8, kernel: 3, pad: 1}\nconv: {name: b, use: a}", "[N, 1, 28, 28]"),
        spec("conv: {name: a, filters: 8, kernel: 3, pad: 1}\nconv: {name: b, use: a}", "[N, 8, 28, 28]"),
    ),
    Rule(
        "S220",
        "wrong number of sizes in a setting",
        "A layer slides along the spatial axes of its input: one in (N, C, L), two in (N, C, H, W), three in "
        "(N, C, D, H, W). A setting is one number for all axes, or one per axis; padding may be two per axis, before "
        "and after.",
        spec("conv: {filters: 4, kernel: [3, 3]}", "[N, 3, 100]"),
        spec("conv: {filters: 4, kernel: 3}", "[N, 3, 100]"),
    ),
    Rule(
        "S301",
        "border dropped",
        "The stride does not divide n + 2p - k, the output size is rounded down, and no window covers the last rows or "
        "columns of the input: the network never sees them. This is a warning, or an error with --strict or "
        "`rounding: exact`.",
        spec("conv: {filters: 1, kernel: 3, stride: 3}", "[N, 1, 7, 7]"),
        spec("conv: {filters: 1, kernel: 3, stride: 2}", "[N, 1, 7, 7]"),
    ),
    Rule(
        "S302",
        "agrees only for some sizes",
        "Sizes that must be equal agree only for some inputs, for example if H is even. The network runs for those "
        "inputs and is rejected for all others.",
        spec(
            "maxpool: {name: half, size: 2}\nmaxpool: {name: up, from: image, size: 2, rounding: ceil}\n"
            "add: {from: [half, up]}",
            "[N, 1, H, W]",
        ),
        spec(
            "maxpool: {name: half, size: 2}\nmaxpool: {name: up, from: image, size: 2}\nadd: {from: [half, up]}",
            "[N, 1, H, W]",
        ),
    ),
    Rule(
        "S303",
        "padding beyond the kernel",
        "If the padding of a convolution is at least the extent of its kernel, some windows cover only padding. Their "
        "output is the bias, whatever the image: the feature map gets a border that costs time and has no information.",
        spec("conv: {filters: 1, kernel: 3, pad: 3}"),
        spec("conv: {filters: 1, kernel: 3, pad: 1}"),
    ),
)
"""In the order of their codes."""
