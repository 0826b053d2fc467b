"""One function for each kind of layer. Written by `make stubs` from the vocabulary; do not edit."""

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

    With `count_include_pad` the divisor counts padding, but never positions beyond it that a window in
    ceil mode overhangs; without, only positions of the input.

    Parameters
    ----------
    size : int, str or sequence of them
        Size of the window: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, optional
        Step of the window; its size unless told.
    pad : int, str or sequence of them, default 0
        Padding around the map: a number, [h, w], [top, bottom, left, right] or same.
    rounding : {'floor', 'ceil', 'exact'}, default 'floor'
        Floor, ceil (a last window may overhang the end) or exact (an error where it would).
    count_include_pad : bool, default True
        Padding counts in the mean.
    divisor : int or str, optional
        What every sum is divided by, instead of what its window counts.
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

    Training normalises with the batch's mean and biased variance and moves the running ones (unbiased
    variance) by `momentum`; inference uses the running ones. A batch of one number a channel has no spread, and
    moves nothing. Parameters ``weight`` and ``bias``, buffers
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
    """Channels of several groups mixed like cards: the first of each group, then the second of each, and so on.

    Channel ``k*groups + g`` of the output is channel ``g*(C/groups) + k`` of the input.

    Parameters
    ----------
    groups : int or str
        Groups whose channels are mixed.
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
    """Tensors one behind the other along an axis, the channels unless told; they agree along all others.

    Parameters
    ----------
    axis : int, default 1
        1 the channels, 2 and on the map, negative from the end.
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
    (filters, C / groups, kh, kw) and ``bias`` (filters). The same along one axis, (N, C, L), and along three,
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
        Channels are split into this many groups, convolved apart.
    bias : bool, default True
        Add one trainable number per filter.
    rounding : {'floor', 'exact'}, default 'floor'
        Floor drops what the stride leaves over; exact makes that an error.
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
    for padding a before and b after. It is the input gradient of a convolution with the same settings, whose
    output is the map read here. The same along one and along three axes.
    Parameters: ``weight`` (C, filters / groups, kh, kw) and ``bias`` (filters).

    Parameters
    ----------
    filters : int or str
        Number of output channels.
    kernel : int, str or sequence of them
        Size of the kernel: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, default 1
        Distance in the output of neighbours in the input: one number or one for each axis.
    pad : int, str or sequence of them, default 0
        Positions cut off around the output: number, [h, w] or [top, bottom, left, right].
    output_pad : int, str or sequence of them, default 0
        Positions added at the end of the output: one number or one for each axis.
    dilation : int, str or sequence of them, default 1
        Distance between the kernel's taps: one number or one for each axis.
    groups : int or str, default 1
        Channels are split into this many groups, convolved apart.
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
    """The middle of a map: of the size of a second tensor, or of a size that is given.

    ``from: [x, like]`` cuts x to the height and width of `like`, whose numbers are not read;
    with `size` there is one input. Of n positions along an axis m are kept; ``floor((n - m)/2)`` go at the
    beginning, the rest at the end.

    Parameters
    ----------
    size : int, str or sequence of them, optional
        Size to keep: one number or one for each axis; without it, that of the second input.
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
        How many numbers it must read, where that is fixed.
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
    """Zeroes each number with probability `rate` while training and scales the rest by 1/(1 - rate).

    Nothing happens at inference. (Srivastava et al. 2014; torch.nn.Dropout documentation.)

    Parameters
    ----------
    rate : float, default 0.5
        Share of numbers set to zero while training, from 0 to below 1.
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
    """Zeroes each channel of each image with probability `rate` while training and scales the rest by 1/(1 - rate).

    Neighbours in a map are so alike that dropping single numbers drops nothing. On maps of one or three axes this is
    torch.nn.Dropout1d and Dropout3d.

    Parameters
    ----------
    rate : float, default 0.5
        Share of channels set to zero while training, from 0 to below 1.
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
        Limit for very negative inputs is -alpha.
    """

def flatten(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """(N, C, H, W) -> (N, C*H*W), channels outermost; no copy: the memory is the input's."""

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
    """Group normalisation: over the map of each of several groups of channels.

    Parameters ``weight`` and ``bias``, each (C,).

    Parameters
    ----------
    eps : float, default 1e-05
        Added to the variance.
    affine : bool, default True
        Scale and shift each channel by trainable numbers.
    groups : int or str, default 32
        Groups of channels.
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
    """``min(max(x + 3, 0), 6) / 6``; no gradient at either end (torch.nn.Hardsigmoid documentation)."""

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

    Parameters ``weight`` and ``bias``, each (C,), where `affine` asks for them. With `running`, inference uses
    statistics that training carries on: buffers ``running_mean`` and ``running_var``, each (C,), which each batch moves
    by `momentum` towards the mean over its images (unbiased variance). A map of one number has no spread, and moves
    nothing.

    Parameters
    ----------
    eps : float, default 1e-05
        Added to the variance.
    affine : bool, default False
        Scale and shift each channel by trainable numbers.
    running : bool, default False
        Carry statistics on, and use them at inference.
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
    """Each channel times a learned number, which starts so small that a residual branch starts as nothing.

    Parameter ``weight``, (C,).

    Parameters
    ----------
    initial : float, default 1e-06
        What each channel is multiplied by to start with.
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

    ``over: channels`` has one ``weight`` and ``bias`` a channel, (C,), as ConvNeXt's LayerNorm2d; ``over: all`` one a
    number, (C, H, W), as torch.nn.LayerNorm with that `normalized_shape`, which fixes the size of the image.
    On (N, features) they are the same.

    Parameters
    ----------
    eps : float, default 1e-05
        Added to the variance.
    affine : bool, default True
        Scale and shift by trainable numbers.
    over : {'channels', 'all'}, default 'channels'
        Channels: at each position by itself; all: all numbers of an image.
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
        Factor for negative inputs, above 0.
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
    """Lp norm of each window, ``(sum of |x|^p)^(1/p)``; where a sum is 0, its gradient is.

    In ceil mode a window that overhangs the padding counts as if what it lacks were like what it has, as in PyTorch.
    For odd p PyTorch leaves the signs in the sum; here it is a norm for every p.

    Parameters
    ----------
    size : int, str or sequence of them
        Size of the window: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, optional
        Step of the window; its size unless told.
    pad : int, str or sequence of them, default 0
        Padding around the map: a number, [h, w], [top, bottom, left, right] or same.
    rounding : {'floor', 'ceil', 'exact'}, default 'floor'
        Floor, ceil (a last window may overhang the end) or exact (an error where it would).
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

    Of `size` channels, ``floor(size/2)`` lie before the channel itself; where there are none, zeros count.

    Parameters
    ----------
    size : int or str
        Neighbouring channels that count.
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
    """The largest number of several tensors, place by place; equal ones share the gradient."""

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
    """Which tap of each window holds its largest value, counted from 0 in reading order; the first of equal ones.

    An `unpool` has one beside the max pooling it names, so that the positions are kept and not the map. The
    numbers are of the network's type, whole, and have no gradient.

    Parameters
    ----------
    size : int, str or sequence of them
        Size of the window: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, optional
        Step of the window; its size unless told.
    pad : int, str or sequence of them, default 0
        Padding around the map: a number, [h, w], [top, bottom, left, right] or same.
    rounding : {'floor', 'ceil', 'exact'}, default 'floor'
        Floor, ceil (a last window may overhang the end) or exact (an error where it would).
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
    """Largest value of each window; padding never wins.

    Parameters
    ----------
    size : int, str or sequence of them
        Size of the window: one number or one for each axis ([height, width]).
    stride : int, str or sequence of them, optional
        Step of the window; its size unless told.
    pad : int, str or sequence of them, default 0
        Padding around the map: a number, [h, w], [top, bottom, left, right] or same.
    rounding : {'floor', 'ceil', 'exact'}, default 'floor'
        Floor, ceil (a last window may overhang the end) or exact (an error where it would).
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
    """Product of tensors, such as a map and one number for each of its channels, (N, C, 1, 1)."""

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
    """A border around a map: one number, the map mirrored at its edge, or its edge repeated.

    With `mode` reflect, row -i is row i: the edge itself is not repeated, so that each side must be smaller than
    the map. With replicate, row -i is row 0. Gradients of copies go back to what was copied.

    Parameters
    ----------
    pad : int, str or sequence of them
        Positions around the map: a number, [h, w] or [top, bottom, left, right].
    mode : {'constant', 'reflect', 'replicate'}, default 'constant'
        Constant, reflect or replicate: what the border holds.
    value : float, default 0.0
        What a constant border holds.
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
    """The axes in another order, the batch where it was: axis i + 1 of the output is axis ``order[i]`` of the input.

    Parameters
    ----------
    order : int, str or sequence of them
        Which axis each one is taken from: 1 the channels, 2 and on the map.
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
    """Channels turned into positions: r*r numbers of one position become an r by r square of one channel.

    Position (h*r + i, w*r + j) of channel c of the output is position (h, w) of channel ``c*r^2 + i*r + j`` of the
    input. A map with more or fewer axes is treated alike, with r to the power of their number.

    Parameters
    ----------
    scale : int or str
        Times the map becomes larger along each axis.
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
    """Positions turned into channels, the inverse of `pixel_shuffle`: each r by r square becomes r*r channels.

    Channel ``c*r^2 + i*r + j`` at (h, w) of the output is channel c at (h*r + i, w*r + j) of the input, whose map
    must be a multiple of r along each axis.

    Parameters
    ----------
    scale : int or str
        Times the map becomes smaller along each axis.
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
    """``x`` above zero, ``weight * x`` below; the weight is learned, one number or one a channel.

    Parameter ``weight``, (1,) or, with `per_channel`, (C,).

    Parameters
    ----------
    initial : float, default 0.25
        Slope for negative inputs to start with.
    per_channel : bool, default False
        One slope for each channel instead of one for all.
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
        What is multiplied by: a number, or one for each channel.
    shift : float or sequence of float, default 0.0
        What is then added, a number or one a channel.
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

    `shape` leaves out the batch: [features], [C, L], [C, H, W] or [C, D, H, W]. One entry may be
    -1: what is left for it.

    Parameters
    ----------
    shape : int, str or sequence of them
        [C, H, W] or [features] of each image; one entry may be -1: computed.
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
    """A map of another size, its positions taken (`nearest`) or interpolated (`bilinear`) from the input's.

    ``from: [x, like]`` gives the height and width of `like`, whose numbers are not read. Along an axis of n made o
    long, output p lies at ``(p + 1/2)*n/o - 1/2`` of the input, or with `align_corners` at ``p*(n - 1)/(o - 1)``, never
    beyond its ends; `nearest` takes position ``floor(p*n/o)``. A map that gets smaller is not smoothed.

    A `scale` may be a fraction: the output is then ``floor(n*scale)`` long, and n/o above is ``1/scale``. It is read as
    it is written, 1.1 as 11/10.

    Parameters
    ----------
    size : int, str or sequence of them, optional
        Size of the output: one number or one for each axis ([height, width]).
    scale : int, float, str or sequence of them, optional
        Times the output is larger, 1.5 for one: a number or one for each axis.
    mode : {'nearest', 'bilinear'}, default 'nearest'
        Nearest or bilinear.
    align_corners : bool, default False
        Bilinear: the middles of the corner positions stay where they are.
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

    The two numbers are those of the paper (arXiv:1706.02515, equation 14), as torch.nn.SELU has them.
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
    """Each channel plus a learned number: the bias of a convolution, as a layer of its own.

    Parameter ``weight``, (C,).

    Parameters
    ----------
    initial : float, default 0.0
        What is added to each channel to start with.
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

    Without `stop`, to the end. Unlike in Python, a slice that reaches beyond its axis is no shorter slice but refused.

    Parameters
    ----------
    axis : int, default 1
        1 the channels, 2 and on the map, negative from the end.
    start : int or str, default 0
        First position kept; negative: counted from the end.
    stop : int or str, optional
        First position no longer kept; negative: counted from the end; without it, to the end.
    step : int or str, default 1
        Distance between positions kept.
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
    """One of the parts a tensor falls into along an axis: equal ones, or of given sizes that fill it.

    Parts are counted from 0, as in Python. The other parts are layers of their own that read the same tensor.

    Parameters
    ----------
    parts : int, str or sequence of them
        Number of equal parts, or the size of each.
    part : int
        Which of them this is, the first being 0.
    axis : int, default 1
        1 the channels, 2 and on the map, negative from the end.
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
    """An axis of size 1 taken out; no copy.

    Unlike in PyTorch, where an axis of another size stays, that is refused: what follows would get one axis more.

    Parameters
    ----------
    axis : int
        Which: 1 the channels, 2 and on the map, negative from the end.
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
    """Leaves out a whole branch with probability `rate` while training, and scales it by 1/(1 - rate) otherwise.

    With `mode` row each image draws for itself, with batch one draw serves all. It stands at the end of a residual
    branch, before the `add`.

    Parameters
    ----------
    rate : float
        Share of images, or of batches, for which the branch is left out, from 0 to below 1.
    mode : {'row', 'batch'}, default 'row'
        Row: each image draws for itself; batch: one draw for all.
    """

def subtract(
    *,
    name: str | None = None,
    from_: str | Sequence[str] | None = None,
    norm: Norm | Mapping[Norm, Mapping[str, Any] | None] | None = None,
    act: Activation | Mapping[Activation, Mapping[str, Any] | None] | None = None,
    expect: Sequence[Size] | None = None,
) -> Entry:
    """The first tensor less all the others."""

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
        Step of the window; its size unless told.
    pad : int, str or sequence of them, default 0
        Padding around the map: a number, [h, w], [top, bottom, left, right] or same.
    rounding : {'floor', 'ceil', 'exact'}, default 'floor'
        Floor, ceil (a last window may overhang the end) or exact (an error where it would).
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
    """Each value at the position of its window that had the maximum, and 0 everywhere else.

    The output is as high and wide as the map that the max pooling read. Its windows must not overlap: one position
    could be the maximum of two, and only one of two values could stand there.

    Inputs: the values; the positions (`maxindices`); the map the pooling read, for its size. In a network only
    the first is written; the others come with the pooling that is named.

    Parameters
    ----------
    pool : Tensor or str
        The max pooling whose maxima say where the values go.
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
    """An axis of size 1 put in, which becomes number `axis` of the output; no copy.

    Parameters
    ----------
    axis : int
        Its number in the output: 1 the channels, 2 and on the map, negative from the end.
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
        Times each position is repeated: one number or one for each axis.
    """
