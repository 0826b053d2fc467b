"""Layers with settings that tests of single kernels run through."""

from __future__ import annotations

from planner.layers import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    BatchNorm,
    ChannelShuffle,
    Conv,
    Dropout,
    Dropout2d,
    Elu,
    Flatten,
    Gelu,
    GlobalAvgPool,
    GlobalMaxPool,
    GlobalSumPool,
    GroupNorm,
    HardSigmoid,
    HardSwish,
    InstanceNorm,
    Layer,
    LayerNorm,
    LayerScale,
    LeakyRelu,
    LocalResponseNorm,
    LogSoftmax,
    LpPool,
    MaxPool,
    Mish,
    Permute,
    PixelShuffle,
    PRelu,
    Relu,
    Relu6,
    Rescale,
    Selu,
    Shift,
    Sigmoid,
    Silu,
    Slice,
    Softmax,
    Softplus,
    Split,
    StochasticDepth,
    SumPool,
    Tanh,
)

ACTIVATIONS: tuple[Layer, ...] = (
    Relu(),
    Relu6(),
    LeakyRelu(),
    LeakyRelu(slope=2.5),
    Elu(),
    Elu(alpha=0.3),
    Selu(),
    Tanh(),
    HardSigmoid(),
    HardSwish(),
    Mish(),
    Sigmoid(),
    Silu(),
    Gelu(),
    Gelu(approximate="tanh"),
    Softplus(),
    Softmax(),
    LogSoftmax(),
)
DEPTHWISE: tuple[Conv, ...] = (
    Conv(filters=4, kernel=3, pad=1, groups=4),
    Conv(filters=4, kernel=3, stride=2, pad=1, groups=4, bias=False),
    Conv(filters=4, kernel=(2, 3), stride=(3, 1), groups=4, dilation=(1, 2), pad="same"),
    Conv(filters=4, kernel=(5, 4), stride=(1, 3), pad=[4, 3, 2, 3], groups=4),
    Conv(filters=4, kernel=(1, 2), stride=2, pad=[1, 2, 3, 0], groups=4),
)
"""Those of which rows can be products."""
CONVOLUTIONS: tuple[Conv, ...] = (
    Conv(filters=8, kernel=3),
    Conv(filters=4, kernel=3, pad=1),
    Conv(filters=4, kernel=(3, 2), stride=(2, 1), pad=[1, 0, 0, 2], bias=False),
    Conv(filters=4, kernel=2, dilation=(2, 1), groups=2, pad="same"),
    Conv(filters=8, kernel=3, pad=1, groups=4),
    *DEPTHWISE,
    Conv(filters=6, kernel=1),
    Conv(filters=6, kernel=1, stride=2),
    Conv(filters=6, kernel=(7, 6), groups=2),
    Conv(filters=2, kernel=2, stride=3),
    Conv(filters=2, kernel=3, pad=4),
)
POOLS: tuple[Layer, ...] = (
    MaxPool(size=2),
    MaxPool(size=3, stride=2, pad=1, rounding="ceil"),
    MaxPool(size=2, stride=1, dilation=2),
    AvgPool(size=2),
    AvgPool(size=3, stride=2, pad=1, rounding="ceil"),
    AvgPool(size=3, stride=2, pad=1, rounding="ceil", count_include_pad=False),
    LpPool(size=3, stride=2, rounding="ceil"),
    SumPool(size=(2, 3), stride=(2, 1)),
    GlobalAvgPool(),
    GlobalMaxPool(),
    GlobalSumPool(),
    AdaptiveAvgPool(size=(3, 9)),
    AdaptiveMaxPool(size=(3, 9)),
)
NORMS: tuple[Layer, ...] = (
    BatchNorm(),
    BatchNorm(affine=False),
    LayerNorm(),
    LayerNorm(over="all"),
    LayerNorm(affine=False),
    GroupNorm(groups=2),
    InstanceNorm(),
    InstanceNorm(affine=True),
    InstanceNorm(running=True),
    LocalResponseNorm(size=3),
)
CHANNELWISE: tuple[Layer, ...] = (
    PRelu(),
    PRelu(per_channel=True),
    LayerScale(),
    Shift(),
    Rescale(scale=(1.0, 2.0, 0.5, -1.0), shift=0.5),
)
MOVING: tuple[Layer, ...] = (
    ChannelShuffle(groups=2),
    Permute(order=(2, 3, 1)),
    PixelShuffle(scale=2),
    Slice(start=1, stop=-1, step=2, axis=2),
    Split(parts=2, part=1),
)
RANDOM: tuple[Layer, ...] = (
    Dropout(rate=0.3),
    Dropout2d(rate=0.3),
    StochasticDepth(rate=0.3),
    StochasticDepth(rate=0.3, mode="batch"),
)
DIFFERENTIABLE = (*ACTIVATIONS, *CONVOLUTIONS, *POOLS, *NORMS, *CHANNELWISE, *MOVING, Flatten())


def label(layer: Layer) -> str:
    """Return a readable test name."""
    return " ".join([layer.kind, *(f"{key}={value}" for key, value in layer.settings().items())])
