"""One function for each kind of layer. Generated from the vocabulary by `make stubs`; do not edit."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from planner.network.entry import Entry, Tensor

Size: TypeAlias = int | str
"""A whole number, or the name of a free size."""

Norm: TypeAlias = Literal[
    "batch",
    "layer",
    "group",
    "instance",
]

Activation: TypeAlias = Literal[
    "elu",
    "gelu",
    "hard_sigmoid",
    "hard_swish",
    "leaky_relu",
    "log_softmax",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

__all__ = [
    "adaptive_avgpool",
    "adaptive_maxpool",
    "add",
    "avgpool",
    "batchnorm",
    "channel_shuffle",
    "concat",
    "conv",
    "convtranspose",
    "crop",
    "dense",
    "dropout",
    "dropout2d",
    "elu",
    "flatten",
    "gap",
    "gelu",
    "gmp",
    "groupnorm",
    "gsp",
    "hard_sigmoid",
    "hard_swish",
    "input",
    "instancenorm",
    "layer_scale",
    "layernorm",
    "leaky_relu",
    "log_softmax",
    "lppool",
    "lrn",
    "maximum",
    "maxindices",
    "maxpool",
    "mish",
    "multiply",
    "pad",
    "permute",
    "pixel_shuffle",
    "pixel_unshuffle",
    "prelu",
    "relu",
    "relu6",
    "rescale",
    "reshape",
    "resize",
    "selu",
    "shift",
    "sigmoid",
    "silu",
    "slice",
    "softmax",
    "softplus",
    "split",
    "squeeze",
    "stochastic_depth",
    "subtract",
    "sumpool",
    "tanh",
    "unpool",
    "unsqueeze",
    "upsample",
]

def adaptive_avgpool(
    *,
    size: Size | Sequence[Size],
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Mean of equal shares of each channel's map.

    Output p along an axis of n is the mean of positions ``floor(p*n/o)`` up to ``ceil((p + 1)*n/o)``.

    Parameters
    ----------
    size : int, str or sequence of them
        Size of the output: one number or one for each axis ([height, width]).
    """

def adaptive_maxpool(
    *,
    size: Size | Sequence[Size],
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Largest value of equal shares of each channel's map; the shares are those of `adaptive_avgpool`.

    Parameters
    ----------
    size : int, str or sequence of them
        Size of the output: one number or one for each axis ([height, width]).
    """

def add(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Sum of tensors; `add(x, x)` is ``2x``."""

def avgpool(
    *,
    size: Size | Sequence[Size],
    stride: Size | Sequence[Size] | None = None,
    pad: Size | Sequence[Size] = 0,
    rounding: Literal["floor", "ceil", "exact"] = "floor",
    count_include_pad: bool = True,
    divisor: Size | None = None,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Mean of each window.

    With `count_include_pad` the divisor counts padding, but not the positions beyond it that a window overhangs in
    ceil mode; without it, the divisor counts only positions of the input.

    Parameters
    ----------
    size : int, str or sequence of them
        Size of the window: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, optional
        Step of the window: one number or one for each axis; default: its size.
    pad : int, str or sequence of them, default 0
        Padding around the map: a number, [h, w], [top, bottom, left, right] or same.
    rounding : {'floor', 'ceil', 'exact'}, default 'floor'
        Floor, ceil (the last window may overhang the end) or exact (an overhang is an error).
    count_include_pad : bool, default True
        Count padding in the mean.
    divisor : int or str, optional
        Divisor of every sum; default: the positions that count.
    """

def batchnorm(
    *,
    eps: float = 1e-05,
    momentum: float = 0.1,
    affine: bool = True,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Batch normalisation over N, H and W for each channel, or over N for each feature.

    Training normalises with the batch's mean and biased variance and moves the running statistics (unbiased
    variance) by `momentum`; inference uses the running statistics. A batch of one number per channel has no variance
    and moves neither. Parameters ``weight`` and ``bias``, buffers
    ``running_mean`` and ``running_var``, each (C,).

    Parameters
    ----------
    eps : float, default 1e-05
        Added to the variance.
    momentum : float, default 0.1
        How far the running statistics move with each batch.
    affine : bool, default True
        Scale and shift each channel by trainable numbers.
    """

def channel_shuffle(
    *,
    groups: Size,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Interleaved channels of several groups: the first of each group, then the second of each, and so on.

    Channel ``k*groups + g`` of the output is channel ``g*(C/groups) + k`` of the input.

    Parameters
    ----------
    groups : int or str
        Number of groups to interleave.
    """

def concat(
    *,
    axis: int = 1,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Concatenation of tensors along an axis (default: the channels); the sizes along all other axes are equal.

    Parameters
    ----------
    axis : int, default 1
        1: channels, 2 and up: axes of the map, negative: counted from the end.
    """

def conv(
    *,
    filters: Size,
    kernel: Size | Sequence[Size],
    stride: Size | Sequence[Size] = 1,
    pad: Size | Sequence[Size] = 0,
    dilation: Size | Sequence[Size] = 1,
    groups: Size = 1,
    bias: bool = True,
    rounding: Literal["floor", "exact"] = "floor",
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Convolution (cross-correlation) of a map with `filters` kernels.

    Input (N, C, H, W), output (N, filters, H', W') with H' by the window rule. Parameters: ``weight``
    (filters, C / groups, kh, kw) and ``bias`` (filters). It works alike along one axis, (N, C, L), and along three,
    (N, C, D, H, W).

    Parameters
    ----------
    filters : int or str
        Number of output channels.
    kernel : int, str or sequence of them
        Size of the kernel: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, default 1
        Step of the kernel: one number or one for each axis.
    pad : int, str or sequence of them, default 0
        Zeros around the map: a number, [h, w], [top, bottom, left, right] or same.
    dilation : int, str or sequence of them, default 1
        Distance between the kernel's taps: one number or one for each axis.
    groups : int or str, default 1
        Number of groups of channels that are convolved separately.
    bias : bool, default True
        Add one trainable number per filter.
    rounding : {'floor', 'exact'}, default 'floor'
        Floor drops positions that the stride leaves over; exact makes them an error.
    """

def convtranspose(
    *,
    filters: Size,
    kernel: Size | Sequence[Size],
    stride: Size | Sequence[Size] = 1,
    pad: Size | Sequence[Size] = 0,
    output_pad: Size | Sequence[Size] = 0,
    dilation: Size | Sequence[Size] = 1,
    groups: Size = 1,
    bias: bool = True,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Transposed convolution: every input number is multiplied by a whole kernel and added to the output.

    Input (N, C, H, W), output (N, filters, H', W') with ``H' = (H - 1)s - a - b + d(k - 1) + 1 + output_pad``
    for padding a before and b after. It is the input gradient of a convolution with the same settings, with
    the map read here as the gradient of its output. It works alike along one and along three axes.
    Parameters: ``weight`` (C, filters / groups, kh, kw) and ``bias`` (filters).

    Parameters
    ----------
    filters : int or str
        Number of output channels.
    kernel : int, str or sequence of them
        Size of the kernel: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, default 1
        Output positions between neighbouring inputs: one number or one for each axis.
    pad : int, str or sequence of them, default 0
        Positions cut off around the output: number, [h, w] or [top, bottom, left, right].
    output_pad : int, str or sequence of them, default 0
        Positions added at the end of the output: one number or one for each axis.
    dilation : int, str or sequence of them, default 1
        Distance between the kernel's taps: one number or one for each axis.
    groups : int or str, default 1
        Number of groups of channels that are convolved separately.
    bias : bool, default True
        Add one trainable number per filter.
    """

def crop(
    *,
    size: Size | Sequence[Size] | None = None,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """The middle of a map, with the size of a second tensor or a given size.

    ``from: [x, like]`` crops x to the height and width of `like`, of which only the shape is read;
    with `size` there is one input. To keep m of n positions along an axis, ``floor((n - m)/2)`` are cut off at the
    beginning and the others at the end.

    Parameters
    ----------
    size : int, str or sequence of them, optional
        Size to keep: one number or one for each axis; default: the size of the second input.
    """

def dense(
    *,
    units: Size,
    bias: bool = True,
    features: Size | None = None,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Fully connected layer, (N, features) -> (N, units). Parameters ``weight`` (units, features), ``bias`` (units,).

    Parameters
    ----------
    units : int or str
        Number of outputs.
    bias : bool, default True
        Add one trainable number per unit.
    features : int or str, optional
        Required number of input features.
    """

def dropout(
    *,
    rate: float = 0.5,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Layer that zeroes each number with probability `rate` while training and scales the others by 1/(1 - rate).

    At inference it does nothing. (Srivastava et al. 2014; torch.nn.Dropout documentation.)

    Parameters
    ----------
    rate : float, default 0.5
        Share of numbers set to zero while training, at least 0 and below 1.
    """

def dropout2d(
    *,
    rate: float = 0.5,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Layer that zeroes each channel of each image with probability `rate` while training and scales the others.

    The scale is 1/(1 - rate). Neighbours in a map are so similar that dropping single numbers has hardly any effect. On
    maps of one or three axes this is torch.nn.Dropout1d and Dropout3d.

    Parameters
    ----------
    rate : float, default 0.5
        Share of channels set to zero while training, at least 0 and below 1.
    """

def elu(
    *,
    alpha: float = 1.0,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below (arXiv:1511.07289).

    Parameters
    ----------
    alpha : float, default 1.0
        The output approaches -alpha for very negative inputs.
    """

def flatten(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """(N, C, H, W) -> (N, C*H*W), channels outermost; no copy: the output shares the input's memory."""

def gap(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Mean of each channel's map."""

def gelu(
    *,
    approximate: Literal["none", "tanh"] = "none",
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``x * Phi(x)``, Phi the normal distribution function, or its tanh approximation (arXiv:1606.08415).

    Parameters
    ----------
    approximate : {'none', 'tanh'}, default 'none'
        None for the exact function, tanh for the paper's approximation.
    """

def gmp(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Largest value of each channel's map."""

def groupnorm(
    *,
    eps: float = 1e-05,
    affine: bool = True,
    groups: Size = 32,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Group normalisation: over each of several groups of channels of an image.

    Parameters ``weight`` and ``bias``, each (C,).

    Parameters
    ----------
    eps : float, default 1e-05
        Added to the variance.
    affine : bool, default True
        Scale and shift each channel by trainable numbers.
    groups : int or str, default 32
        Number of groups of channels.
    """

def gsp(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Sum of each channel's map."""

def hard_sigmoid(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``min(max(x + 3, 0), 6) / 6``; the gradient is 0 at both ends (torch.nn.Hardsigmoid documentation)."""

def hard_swish(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``x * hard_sigmoid(x)`` (Howard et al., arXiv:1905.02244, section 5.2; torch.nn.Hardswish documentation)."""

def input(name: str, shape: Sequence[Size]) -> Tensor:  # noqa: A001
    """Return an input of a network as a tensor, to call layers on.

    Parameters
    ----------
    name : str
    shape : sequence of int or str
        Sizes in the order N, C, H, W (or N, features; N, C, L; N, C, D, H, W); a str is a free size.

    Returns
    -------
    Tensor

    Examples
    --------
    >>> import shapeplan
    >>> shapeplan.input("image", ("N", 3, "H", "W"))
    <Tensor: input `image`>
    """

def instancenorm(
    *,
    eps: float = 1e-05,
    affine: bool = False,
    running: bool = False,
    momentum: float = 0.1,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Instance normalisation: over the map of each channel of each image.

    Parameters ``weight`` and ``bias``, each (C,), exist with `affine`. With `running`, inference uses running
    statistics: buffers ``running_mean`` and ``running_var``, each (C,), which each training batch moves by `momentum`
    towards the mean over its images (unbiased variance). A map of one number has no variance and moves neither.

    Parameters
    ----------
    eps : float, default 1e-05
        Added to the variance.
    affine : bool, default False
        Scale and shift each channel by trainable numbers.
    running : bool, default False
        Keep running statistics and use them at inference.
    momentum : float, default 0.1
        How far the running statistics move with each batch.
    """

def layer_scale(
    *,
    initial: float = 1e-06,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Each channel times a learned number, which starts so small that a residual branch starts close to zero.

    Parameter ``weight``, (C,).

    Parameters
    ----------
    initial : float, default 1e-06
        Initial factor of each channel.
    """

def layernorm(
    *,
    eps: float = 1e-05,
    affine: bool = True,
    over: Literal["channels", "all"] = "channels",
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Layer normalisation: over the channels at each position, or over all numbers of an image.

    ``over: channels`` has one ``weight`` and ``bias`` per channel, (C,), like ConvNeXt's LayerNorm2d. ``over: all`` has
    one per number, (C, H, W), like torch.nn.LayerNorm with that `normalized_shape`, which fixes the size of the image.
    On (N, features) both are the same.

    Parameters
    ----------
    eps : float, default 1e-05
        Added to the variance.
    affine : bool, default True
        Scale and shift by trainable numbers.
    over : {'channels', 'all'}, default 'channels'
        Channels: over the channels, separately at each position; all: over all numbers of an image.
    """

def leaky_relu(
    *,
    slope: float = 0.01,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``x`` above zero, ``slope * x`` below (Maas et al. 2013).

    Parameters
    ----------
    slope : float, default 0.01
        Factor of negative inputs, above 0.
    """

def log_softmax(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``x - log(sum(exp(x)))`` over the channels (axis 1)."""

def lppool(
    *,
    size: Size | Sequence[Size],
    stride: Size | Sequence[Size] | None = None,
    pad: Size | Sequence[Size] = 0,
    rounding: Literal["floor", "ceil", "exact"] = "floor",
    p: float = 2.0,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Lp norm of each window, ``(sum of |x|^p)^(1/p)``; the gradient of a sum of 0 is 0.

    In ceil mode the sum of a window that overhangs the padding is scaled up to the full window, as in PyTorch.
    For odd p PyTorch keeps the signs in the sum; here the result is a norm for every p.

    Parameters
    ----------
    size : int, str or sequence of them
        Size of the window: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, optional
        Step of the window: one number or one for each axis; default: its size.
    pad : int, str or sequence of them, default 0
        Padding around the map: a number, [h, w], [top, bottom, left, right] or same.
    rounding : {'floor', 'ceil', 'exact'}, default 'floor'
        Floor, ceil (the last window may overhang the end) or exact (an overhang is an error).
    p : float, default 2.0
        Exponent, at least 1.
    """

def lrn(
    *,
    size: Size,
    alpha: float = 0.0001,
    beta: float = 0.75,
    k: float = 1.0,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Local response normalisation: ``x/(k + alpha*m)^beta``, m the mean of x^2 over neighbouring channels.

    Of `size` channels, ``floor(size/2)`` come before the channel itself; channels that do not exist count as zeros.

    Parameters
    ----------
    size : int or str
        Number of neighbouring channels in the mean.
    alpha : float, default 0.0001
        Factor of their mean square.
    beta : float, default 0.75
        Exponent.
    k : float, default 1.0
        Added to the mean square.
    """

def maximum(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Elementwise maximum of several tensors; equal elements share the gradient."""

def maxindices(
    *,
    size: Size | Sequence[Size],
    stride: Size | Sequence[Size] | None = None,
    pad: Size | Sequence[Size] = 0,
    rounding: Literal["floor", "ceil", "exact"] = "floor",
    dilation: Size | Sequence[Size] = 1,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Argmax of each window: the tap with its largest value, counted from 0 in row-major order; the first of equals.

    An `unpool` has one next to the max pooling it names, so that the positions are kept and not the map. The
    values are whole numbers of the network's type and have no gradient.

    Parameters
    ----------
    size : int, str or sequence of them
        Size of the window: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, optional
        Step of the window: one number or one for each axis; default: its size.
    pad : int, str or sequence of them, default 0
        Padding around the map: a number, [h, w], [top, bottom, left, right] or same.
    rounding : {'floor', 'ceil', 'exact'}, default 'floor'
        Floor, ceil (the last window may overhang the end) or exact (an overhang is an error).
    dilation : int, str or sequence of them, default 1
        Distance between the window's taps: one number or one for each axis.
    """

def maxpool(
    *,
    size: Size | Sequence[Size],
    stride: Size | Sequence[Size] | None = None,
    pad: Size | Sequence[Size] = 0,
    rounding: Literal["floor", "ceil", "exact"] = "floor",
    dilation: Size | Sequence[Size] = 1,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Largest value of each window; padding is never the largest.

    Parameters
    ----------
    size : int, str or sequence of them
        Size of the window: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, optional
        Step of the window: one number or one for each axis; default: its size.
    pad : int, str or sequence of them, default 0
        Padding around the map: a number, [h, w], [top, bottom, left, right] or same.
    rounding : {'floor', 'ceil', 'exact'}, default 'floor'
        Floor, ceil (the last window may overhang the end) or exact (an overhang is an error).
    dilation : int, str or sequence of them, default 1
        Distance between the window's taps: one number or one for each axis.
    """

def mish(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``x * tanh(softplus(x))`` (Misra, arXiv:1908.08681, equation 1)."""

def multiply(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Product of tensors, such as a feature map and one factor per channel, (N, C, 1, 1)."""

def pad(
    *,
    pad: Size | Sequence[Size],
    mode: Literal["constant", "reflect", "replicate"] = "constant",
    value: float = 0.0,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Padding of a map with a constant, with the map mirrored at its edge, or with its edge repeated.

    With `mode` reflect, row -i is row i: the edge itself is not repeated, so that each side must be smaller than
    the map. With replicate, row -i is row 0. The gradient of a copy is added to the gradient of its original.

    Parameters
    ----------
    pad : int, str or sequence of them
        Positions around the map: a number, [h, w] or [top, bottom, left, right].
    mode : {'constant', 'reflect', 'replicate'}, default 'constant'
        Content of the border: constant, reflect or replicate.
    value : float, default 0.0
        Value of a constant border.
    """

def permute(
    *,
    order: Size | Sequence[Size],
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """The axes in another order, the batch first as before: axis i + 1 of the output is axis ``order[i]`` of the input.

    Parameters
    ----------
    order : int, str or sequence of them
        Input axis of each output axis; 1: channels, 2 and up: axes of the map.
    """

def pixel_shuffle(
    *,
    scale: Size,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Rearrangement of channels to positions: r*r channels of one position become an r by r square of one channel.

    Position (h*r + i, w*r + j) of channel c of the output is position (h, w) of channel ``c*r^2 + i*r + j`` of the
    input. A map with another number of axes is treated alike, with r to the power of that number.

    Parameters
    ----------
    scale : int or str
        Factor by which the map grows along each axis.
    """

def pixel_unshuffle(
    *,
    scale: Size,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Rearrangement of positions to channels, the inverse of `pixel_shuffle`: r by r squares become r*r channels.

    Channel ``c*r^2 + i*r + j`` at (h, w) of the output is channel c at (h*r + i, w*r + j) of the input. The size of
    the input's map must be a multiple of r along each axis.

    Parameters
    ----------
    scale : int or str
        Factor by which the map shrinks along each axis.
    """

def prelu(
    *,
    initial: float = 0.25,
    per_channel: bool = False,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``x`` above zero, ``weight * x`` below; the weight is learned, one number or one per channel.

    Parameter ``weight``, (1,) or, with `per_channel`, (C,).

    Parameters
    ----------
    initial : float, default 0.25
        Initial slope for negative inputs.
    per_channel : bool, default False
        Learn one slope per channel instead of one for all.
    """

def relu(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``max(x, 0)``; its derivative at 0 is 0."""

def relu6(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``min(max(x, 0), 6)`` (Krizhevsky 2010; arXiv:1704.04861)."""

def rescale(
    *,
    scale: float | Sequence[float] = 1.0,
    shift: float | Sequence[float] = 0.0,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``scale * x + shift`` with fixed numbers: one for all channels, or a list with one for each.

    Parameters
    ----------
    scale : float or sequence of float, default 1.0
        Factor: a number, or one for each channel.
    shift : float or sequence of float, default 0.0
        Added after scaling: a number, or one for each channel.
    """

def reshape(
    *,
    shape: Size | Sequence[Size],
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """The same numbers of each image in another shape, in the order channels, rows, columns; no copy.

    `shape` excludes the batch: [features], [C, L], [C, H, W] or [C, D, H, W]. One entry may be
    -1 and is computed from the others.

    Parameters
    ----------
    shape : int, str or sequence of them
        [C, H, W] or [features] of each image; one entry may be -1 (computed from the others).
    """

def resize(
    *,
    size: Size | Sequence[Size] | None = None,
    scale: Size | float | Sequence[Size | float] | None = None,
    mode: Literal["nearest", "bilinear"] = "nearest",
    align_corners: bool = False,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """A map resized to another size by nearest neighbours (`nearest`) or interpolation (`bilinear`).

    ``from: [x, like]`` resizes x to the height and width of `like`, of which only the shape is read. When an axis of n
    positions is resized to o, output p is at ``(p + 1/2)*n/o - 1/2`` of the input, or with `align_corners` at
    ``p*(n - 1)/(o - 1)``, clipped to the input; `nearest` takes position ``floor(p*n/o)``. There is no antialiasing
    when a map gets smaller.

    A `scale` may be a fraction: the output has ``floor(n*scale)`` positions, and n/o above is ``1/scale``. The scale is
    the exact decimal number: 1.1 is 11/10.

    Parameters
    ----------
    size : int, str or sequence of them, optional
        Size of the output: one number or one for each axis ([height, width]).
    scale : int, float, str or sequence of them, optional
        Factor from the input's size to the output's, such as 1.5: one number or one for each axis.
    mode : {'nearest', 'bilinear'}, default 'nearest'
        Nearest or bilinear.
    align_corners : bool, default False
        Bilinear: align the centres of the corner positions of input and output.
    """

def selu(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``scale * x`` above zero, ``scale * alpha * (exp(x) - 1)`` below, which keeps mean 0 and variance 1.

    The two constants are those of the paper (arXiv:1706.02515, equation 14) and of torch.nn.SELU.
    """

def shift(
    *,
    initial: float = 0.0,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Each channel plus a learned number: the bias of a convolution as a separate layer.

    Parameter ``weight``, (C,).

    Parameters
    ----------
    initial : float, default 0.0
        Initial value added to each channel.
    """

def sigmoid(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``1 / (1 + exp(-x))``."""

def silu(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``x * sigmoid(x)`` (arXiv:1702.03118)."""

def slice(  # noqa: A001
    *,
    axis: int = 1,
    start: Size = 0,
    stop: Size | None = None,
    step: Size = 1,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Positions `start`, `start + step`, ... before `stop` of one axis; negative ones are counted from its end.

    The default of `stop` is the end. Unlike in Python, a slice that exceeds its axis is an error, not a shorter slice.

    Parameters
    ----------
    axis : int, default 1
        1: channels, 2 and up: axes of the map, negative: counted from the end.
    start : int or str, default 0
        First position to keep; negative: counted from the end.
    stop : int or str, optional
        End of the positions to keep, exclusive; negative: counted from the end; default: the end of the
        axis.
    step : int or str, default 1
        Distance between the positions to keep.
    """

def softmax(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``exp(x) / sum(exp(x))`` over the channels (axis 1)."""

def softplus(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """``log(1 + exp(x))``."""

def split(
    *,
    parts: Size | Sequence[Size],
    part: int,
    axis: int = 1,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """One part of a tensor that is split along an axis into equal parts, or into parts of given sizes that fill it.

    Parts are counted from 0, as in Python. The other parts are separate layers that read the same tensor.

    Parameters
    ----------
    parts : int, str or sequence of them
        Number of equal parts, or the size of each.
    part : int
        Number of this part, counted from 0.
    axis : int, default 1
        1: channels, 2 and up: axes of the map, negative: counted from the end.
    """

def squeeze(
    *,
    axis: int,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Removal of an axis of size 1; no copy.

    An axis of another size is an error. PyTorch keeps such an axis, so that the next layer gets one axis more.

    Parameters
    ----------
    axis : int
        Axis to remove; 1: channels, 2 and up: axes of the map, negative: counted from the end.
    """

def stochastic_depth(
    *,
    rate: float,
    mode: Literal["row", "batch"] = "row",
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Layer that drops a whole branch with probability `rate` while training, and scales it by 1/(1 - rate) otherwise.

    With `mode` row each image is drawn separately; with batch one draw holds for all. It belongs at the end of a
    residual branch, before the `add`.

    Parameters
    ----------
    rate : float
        Share of images, or of batches, for which the branch is dropped, at least 0 and below 1.
    mode : {'row', 'batch'}, default 'row'
        Row: one draw per image; batch: one draw for all images.
    """

def subtract(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """The first tensor minus all the others."""

def sumpool(
    *,
    size: Size | Sequence[Size],
    stride: Size | Sequence[Size] | None = None,
    pad: Size | Sequence[Size] = 0,
    rounding: Literal["floor", "ceil", "exact"] = "floor",
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Sum of each window.

    Parameters
    ----------
    size : int, str or sequence of them
        Size of the window: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, optional
        Step of the window: one number or one for each axis; default: its size.
    pad : int, str or sequence of them, default 0
        Padding around the map: a number, [h, w], [top, bottom, left, right] or same.
    rounding : {'floor', 'ceil', 'exact'}, default 'floor'
        Floor, ceil (the last window may overhang the end) or exact (an overhang is an error).
    """

def tanh(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Hyperbolic tangent."""

def unpool(
    *,
    pool: Tensor | str,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Each value at the position of the maximum of its window, and 0 everywhere else.

    The output has the height and width of the map that the max pooling read. The windows of the pooling must not
    overlap: one position could be the maximum of two windows, but can hold only one value.

    The inputs are the values, the positions (`maxindices`), and the map that the pooling read, for its size. A
    spec names only the first; the others follow from the named pooling.

    Parameters
    ----------
    pool : Tensor or str
        The max pooling that defines the positions of the values.
    """

def unsqueeze(
    *,
    axis: int,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Insertion of an axis of size 1, which becomes number `axis` of the output; no copy.

    Parameters
    ----------
    axis : int
        Number of the new axis in the output; 1: channels, 2 and up: axes of the map, negative: counted from
        the end.
    """

def upsample(
    *,
    scale: Size | Sequence[Size],
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """Nearest neighbour upsampling by a whole factor: output row i is input row ``floor(i/scale)``.

    Parameters
    ----------
    scale : int, str or sequence of them
        How often each position is repeated: one number or one for each axis.
    """
