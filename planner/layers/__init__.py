"""The vocabulary: one frozen dataclass per layer kind, and the table of all kinds."""

from collections.abc import Mapping
from types import MappingProxyType

from planner.layers.adaptive import AdaptiveAvgPool as AdaptiveAvgPool
from planner.layers.adaptive import AdaptiveMaxPool as AdaptiveMaxPool
from planner.layers.arithmetic import Add as Add
from planner.layers.arithmetic import Maximum as Maximum
from planner.layers.arithmetic import Multiply as Multiply
from planner.layers.arithmetic import Subtract as Subtract
from planner.layers.base import Layer as Layer
from planner.layers.base import Parameter as Parameter
from planner.layers.border import Crop as Crop
from planner.layers.border import Pad as Pad
from planner.layers.channelwise import LayerScale as LayerScale
from planner.layers.channelwise import PRelu as PRelu
from planner.layers.channelwise import Rescale as Rescale
from planner.layers.channelwise import Shift as Shift
from planner.layers.conv import Conv as Conv
from planner.layers.convtranspose import ConvTranspose as ConvTranspose
from planner.layers.dense import Dense as Dense
from planner.layers.dropout import Dropout as Dropout
from planner.layers.dropout import Dropout2d as Dropout2d
from planner.layers.dropout import StochasticDepth as StochasticDepth
from planner.layers.globalpool import GlobalAvgPool as GlobalAvgPool
from planner.layers.globalpool import GlobalMaxPool as GlobalMaxPool
from planner.layers.globalpool import GlobalSumPool as GlobalSumPool
from planner.layers.groupnorm import GroupNorm as GroupNorm
from planner.layers.groupnorm import InstanceNorm as InstanceNorm
from planner.layers.groupnorm import LayerNorm as LayerNorm
from planner.layers.groupnorm import LocalResponseNorm as LocalResponseNorm
from planner.layers.merge import Concat as Concat
from planner.layers.norm import BatchNorm as BatchNorm
from planner.layers.pointwise import Elu as Elu
from planner.layers.pointwise import HardSigmoid as HardSigmoid
from planner.layers.pointwise import HardSwish as HardSwish
from planner.layers.pointwise import LeakyRelu as LeakyRelu
from planner.layers.pointwise import Relu as Relu
from planner.layers.pointwise import Relu6 as Relu6
from planner.layers.pointwise import Selu as Selu
from planner.layers.pool import AvgPool as AvgPool
from planner.layers.pool import LpPool as LpPool
from planner.layers.pool import MaxPool as MaxPool
from planner.layers.pool import SumPool as SumPool
from planner.layers.resample import Upsample as Upsample
from planner.layers.reshape import Flatten as Flatten
from planner.layers.reshape import Reshape as Reshape
from planner.layers.reshape import Squeeze as Squeeze
from planner.layers.reshape import Unsqueeze as Unsqueeze
from planner.layers.resize import Resize as Resize
from planner.layers.shuffle import ChannelShuffle as ChannelShuffle
from planner.layers.shuffle import Permute as Permute
from planner.layers.shuffle import PixelShuffle as PixelShuffle
from planner.layers.shuffle import PixelUnshuffle as PixelUnshuffle
from planner.layers.slicing import Slice as Slice
from planner.layers.slicing import Split as Split
from planner.layers.smooth import Gelu as Gelu
from planner.layers.smooth import Mish as Mish
from planner.layers.smooth import Sigmoid as Sigmoid
from planner.layers.smooth import Silu as Silu
from planner.layers.smooth import Softplus as Softplus
from planner.layers.smooth import Tanh as Tanh
from planner.layers.softmax import LogSoftmax as LogSoftmax
from planner.layers.softmax import Softmax as Softmax
from planner.layers.source import Input as Input
from planner.layers.unpool import MaxIndices as MaxIndices
from planner.layers.unpool import Unpool as Unpool

KINDS: Mapping[str, type[Layer]] = MappingProxyType(
    {value.kind: value for value in list(globals().values()) if isinstance(value, type) and hasattr(value, "kind")}
)
"""Every layer kind by its key in a spec."""
