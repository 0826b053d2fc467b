"""What people call things in other tools, for finding out what was meant: words only."""

from __future__ import annotations

from collections.abc import Mapping

_KIND_WORDS = {
    "conv": "conv2d convolution convolution2d convolutional",
    "dense": "linear fc fullyconnected innerproduct gemm",
    "batchnorm": "bn batchnorm2d batchnormalization batchnorm1d norm",
    "layernorm": "layernorm2d layernormalization",
    "groupnorm": "groupnorm2d groupnormalization gn",
    "instancenorm": "instancenorm2d instancenormalization",
    "lrn": "localresponsenorm localresponsenormalization responsenorm",
    "maxpool": "maxpool2d maxpooling maxpooling2d pool",
    "avgpool": "avgpool2d averagepool averagepooling averagepooling2d avgpooling meanpool",
    "lppool": "lppool2d lpnormpool l2pool",
    "sumpool": "sumpool2d sumpooling",
    "gap": "globalavgpool globalaveragepool globalaveragepooling globalaveragepooling2d globalpool",
    "gmp": "globalmaxpool globalmaxpooling globalmaxpooling2d",
    "gsp": "globalsumpool globalsumpooling",
    "adaptive_avgpool": "adaptiveavgpool adaptiveavgpool2d adaptivepool",
    "adaptive_maxpool": "adaptivemaxpool adaptivemaxpool2d",
    "resize": "interpolate resize2d upsamplingbilinear2d resizebilinear bilinear",
    "silu": "swish",
    "hard_swish": "hswish",
    "hard_sigmoid": "hsigmoid",
    "leaky_relu": "lrelu",
    "concat": "concatenate cat join",
    "add": "sum plus residual skip",
    "multiply": "mul times scale gate product",
    "subtract": "sub minus difference",
    "maximum": "max maxout greatest",
    "flatten": "reshape view",
    "channel_shuffle": "channelshuffle shuffle",
    "pixel_shuffle": "pixelshuffle depthtospace depth2space subpixel",
    "pixel_unshuffle": "pixelunshuffle spacetodepth space2depth",
    "slice": "narrow slicing index",
    "split": "chunk unstack",
    "prelu": "parametricrelu",
    "permute": "transpose",
    "unsqueeze": "expanddims",
    "rescale": "rescaling",
    "layer_scale": "layerscale gamma",
    "dropout2d": "spatialdropout spatialdropout2d channeldropout featuredropout",
    "stochastic_depth": "stochasticdepth droppath dropconnect",
}
KIND_HINTS: Mapping[str, str] = {word: kind for kind, words in _KIND_WORDS.items() for word in words.split()}
"""What a kind is called elsewhere, small and without separators -> the kind."""

KEY_HINTS: Mapping[str, tuple[str, ...]] = {
    "padding": ("pad",),
    "pads": ("pad",),
    "kernel_size": ("kernel", "size"),
    "kernel_shape": ("kernel", "size"),
    "kernel": ("size",),
    "size": ("kernel",),
    "pool_size": ("size",),
    "strides": ("stride",),
    "dilation_rate": ("dilation",),
    "out_channels": ("filters",),
    "channels": ("filters",),
    "filters": ("units",),
    "units": ("filters",),
    "out_features": ("units",),
    "features": ("units",),
    "use_bias": ("bias",),
    "activation": ("act",),
    "normalization": ("norm",),
    "inputs": ("from",),
    "input": ("from",),
    "id": ("name",),
    "label": ("name",),
    "p": ("rate",),
    "negative_slope": ("slope",),
    "epsilon": ("eps",),
    "times": ("repeat",),
    "block": ("use",),
}
"""What a key is called elsewhere -> keys it may mean; the first that the layer has is meant."""

_EXCITE = "write  - block: {use: squeeze_excite, reduction: 16}"

ADVICE: Mapping[str, str] = {
    "ceil_mode": "write `rounding: ceil`",
    "in_channels": "remove it: it follows from the layer before",
    "in_features": "remove it: it follows from the layer before",
    "input_shape": "remove it: shapes stand under `input:` only",
    "se": _EXCITE,
    "SEBlock": _EXCITE,
    "SqueezeExcitation": _EXCITE,
    "squeeze_excitation": _EXCITE,
    "type": "the kind is the key:  - conv: {filters: 6, kernel: 5}",
}
"""Keys of other tools that have no single key here, with what to do."""
