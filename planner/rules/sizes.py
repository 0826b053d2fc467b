"""Rules about sizes: S2xx impossible, S3xx conditional."""

from __future__ import annotations

from planner.rules.rule import Rule, spec

_AT = "# shapeplan show example.yaml --at"

SIZES = (
    Rule(
        "S201",
        "window does not fit",
        "A kernel or pooling window is larger than its padded input, so that floor((n + 2p - k)/s) + 1 would be less "
        "than 1 and there is no position for it. The cause is often far before: too many poolings, or an image smaller "
        "than the one the network was drawn for. A crop larger than its input is the same fault, and so is a "
        "transposed convolution whose padding cuts away all of its output, (n - 1)s - 2p + k.",
        spec("conv: {filters: 6, kernel: 5}\nmaxpool: {size: 4}\nconv: {filters: 16, kernel: 7}"),
        spec("conv: {filters: 6, kernel: 5}\nmaxpool: {size: 2}\nconv: {filters: 16, kernel: 7}"),
    ),
    Rule(
        "S202",
        "sizes do not agree at a merge",
        "add, subtract, multiply and maximum take tensors that have the same size along every axis, or 1, which is "
        "repeated; a size that only happens to be 1 for some images is not. concat takes tensors that differ along its "
        "axis only. Nothing is cropped. Usually one branch lost a border (no padding) or has another stride. What an "
        "unpooling reads must be as large as what its max pooling gave.",
        spec("conv: {filters: 1, kernel: 3}\nadd: {from: [image, conv1]}"),
        spec("conv: {filters: 1, kernel: 3, pad: 1}\nadd: {from: [image, conv1]}"),
    ),
    Rule(
        "S203",
        "does not divide",
        "A grouped convolution splits its input channels and its filters into groups of one size; `groups` must divide "
        "both. So must a split into equal parts divide its axis, a channel shuffle its channels, and a pixel shuffle, "
        "which makes squares of channels or channels of squares, the channels or the map.",
        spec("conv: {filters: 8, kernel: 3, groups: 3}", "[N, 6, 28, 28]"),
        spec("conv: {filters: 9, kernel: 3, groups: 3}", "[N, 6, 28, 28]"),
    ),
    Rule(
        "S204",
        "wrong number of axes",
        "Convolutions and poolings read maps (N, C, H, W); dense layers read rows (N, features). flatten stands "
        "between them.",
        spec("dense: {units: 10}"),
        spec("flatten\ndense: {units: 10}"),
    ),
    Rule(
        "S205",
        "asserted shape differs",
        "`output` or `expect` says one shape and the network gives another. One of them is not what you meant.",
        spec("conv: {name: c, filters: 6, kernel: 5}", more="output: {c: [N, 6, 28, 28]}\n"),
        spec("conv: {name: c, filters: 6, kernel: 5}", more="output: {c: [N, 6, 24, 24]}\n"),
    ),
    Rule(
        "S206",
        "padding that reaches too far",
        "With more padding than half the window, a pooling window could lie in the padding alone, and its largest "
        "value or mean would be of nothing. A `pad` with `mode: reflect` mirrors the map at its edge, and can show no "
        "more than lies beyond the edge: one position less than the map.",
        spec("maxpool: {size: 2, pad: 2}"),
        spec("maxpool: {size: 2, pad: 1}"),
    ),
    Rule(
        "S207",
        "no size is accepted",
        "Every requirement by itself can be met, but not all of them together: whatever the free sizes are, some layer "
        "refuses.",
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
        "exact rounding asked, but windows do not end at the border",
        "With `rounding: exact`, (n + 2p - k)/s must be a whole number. Otherwise the stride leaves over rows or "
        "columns that floor would drop without a word.",
        spec("conv: {filters: 1, kernel: 3, stride: 3, rounding: exact}", "[N, 1, 7, 7]"),
        spec("conv: {filters: 1, kernel: 3, stride: 2, rounding: exact}", "[N, 1, 7, 7]"),
    ),
    Rule(
        "S209",
        "sizes given are not accepted",
        "A plan was given numbers for its free sizes, and one is missing, has no such name, is not a positive whole "
        "number, or is a size at which some layer cannot run.",
        f"{_AT} N=1,H=3,W=3\n" + spec("conv: {filters: 6, kernel: 5}", "[N, 1, H, W]"),
        f"{_AT} N=1,H=5,W=5\n" + spec("conv: {filters: 6, kernel: 5}", "[N, 1, H, W]"),
    ),
    Rule(
        "S210",
        "reshape to another count",
        "A reshape keeps the numbers of each image and only arranges them anew, so that C*H*W (or features) must be "
        "the same before and behind it. With one entry -1, which is computed, the others must divide the count.",
        spec("reshape: {shape: [8, 10, 10]}"),
        spec("reshape: {shape: [8, 7, -1]}"),
    ),
    Rule(
        "S211",
        "dense width differs",
        "A dense layer whose `features` are fixed reads exactly so many numbers, and the flattened map before it has "
        "another count. Where sizes are free, the accepted ones are those that give the count.",
        spec("flatten\ndense: {units: 10, features: 400}"),
        spec("flatten\ndense: {units: 10, features: 784}"),
    ),
    Rule(
        "S212",
        "nothing gives what is wanted",
        "`shapeplan solve` was asked for a shape, a setting or a budget that no accepted size meets, or for something "
        "the network does not have. The finding says which part cannot be had, and what is nearest to it.",
        "$ shapeplan solve lenet5.yaml --want s2.H=9",
        "$ shapeplan solve lenet5.yaml --want s2.H=14",
    ),
    Rule(
        "S213",
        "output padding too large",
        "A convolution of stride s brings s sizes to one; output_pad says which of them a transposed convolution gives "
        "back. From the larger of stride and dilation upwards it would only add positions that nothing reaches.",
        spec("convtranspose: {filters: 1, kernel: 3, stride: 2, pad: 1, output_pad: 2}"),
        spec("convtranspose: {filters: 1, kernel: 3, stride: 2, pad: 1, output_pad: 1}"),
    ),
    Rule(
        "S214",
        "tensor too large",
        "A tensor or a weight would hold more than 2^40 numbers, at least for one image: over 4 TB in float32. No "
        "machine runs that, and the sizes are most likely a slip.",
        spec("flatten\ndense: {units: 1000000000}", "[N, 3, 2000, 2000]"),
        spec("flatten\ndense: {units: 1000}", "[N, 3, 200, 200]"),
    ),
    Rule(
        "S215",
        "formula too long",
        "Where settings are names, each layer puts the formula of a size into the next. Past some 240 parts nobody can "
        "read it, and judging it would take minutes. Numbers for some of the names keep it short.",
        spec("conv: {filters: 1, kernel: K, stride: S, pad: P}\n" * 30),
        spec("conv: {filters: 1, kernel: K, stride: 1, pad: P}\n" * 3, "[N, 1, H, W]"),
    ),
    Rule(
        "S216",
        "cut that does not fit",
        "A slice keeps positions of one axis, and a split into given sizes fills it. A slice that reaches beyond its "
        "axis would keep fewer positions than it says, or none, and parts that are not the whole would lose numbers "
        "without a word; Python and PyTorch let the first pass. A squeeze takes out an axis of size 1 and no other.",
        spec("split: {parts: [24, 72], part: 0}", "[N, 100, 28, 28]"),
        spec("split: {parts: [24, 76], part: 0}", "[N, 100, 28, 28]"),
    ),
    Rule(
        "S217",
        "windows that overlap cannot be unpooled",
        "An unpooling puts each value where its window had its maximum. Where the windows of the max pooling overlap, "
        "one position can be the maximum of several, and only one of their values could stand there. The stride must "
        "be as long as the window.",
        spec("maxpool: {name: p, size: 2, stride: 1}\nunpool: {pool: p}"),
        spec("maxpool: {name: p, size: 2, stride: 2}\nunpool: {pool: p}"),
    ),
    Rule(
        "S218",
        "not one number a channel",
        "A list of fixed numbers has one for each channel of what a layer reads. One number without brackets serves "
        "all channels.",
        spec("rescale: {scale: [2, 2]}", "[N, 3, 28, 28]"),
        spec("rescale: {scale: [2, 2, 2]}", "[N, 3, 28, 28]"),
    ),
    Rule(
        "S219",
        "shared weights do not fit",
        "With `use` a layer is there once more, with the same weights. What it reads must then have as many channels, "
        "or features, as what the first one reads.",
        spec("conv: {name: a, filters: 8, kernel: 3, pad: 1}\nconv: {name: b, use: a}", "[N, 1, 28, 28]"),
        spec("conv: {name: a, filters: 8, kernel: 3, pad: 1}\nconv: {name: b, use: a}", "[N, 8, 28, 28]"),
    ),
    Rule(
        "S220",
        "sizes for other axes",
        "A layer slides along the axes its input has: one in (N, C, L), two in (N, C, H, W), three in (N, C, D, H, W). "
        "A setting is one number for all of them, or one for each; padding may be two for each, before and after.",
        spec("conv: {filters: 4, kernel: [3, 3]}", "[N, 3, 100]"),
        spec("conv: {filters: 4, kernel: 3}", "[N, 3, 100]"),
    ),
    Rule(
        "S301",
        "border dropped",
        "The stride does not divide, floor rounds down, and the last rows or columns of the input are in no window: "
        "the network never sees them. A warning; an error with --strict or `rounding: exact`.",
        spec("conv: {filters: 1, kernel: 3, stride: 3}", "[N, 1, 7, 7]"),
        spec("conv: {filters: 1, kernel: 3, stride: 2}", "[N, 1, 7, 7]"),
    ),
    Rule(
        "S302",
        "agrees only for some sizes",
        "Sizes that must be equal are so for some inputs only, for example when H is even. The network runs for those "
        "and is refused for all others.",
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
        "A convolution with at least as much padding as its kernel reaches has windows that lie in the padding alone. "
        "They give the bias, whatever the image, and the map grows a frame that costs time and says nothing.",
        spec("conv: {filters: 1, kernel: 3, pad: 3}"),
        spec("conv: {filters: 1, kernel: 3, pad: 1}"),
    ),
)
"""In the order of their codes."""
