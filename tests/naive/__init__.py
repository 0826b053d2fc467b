"""What every layer computes, by definition: slow loops in float64 that judge the fast kernels.

Nothing of ours is imported in this package, not even a constant, so that a mistake cannot be made on both sides.
Windows are found by sliding them (:mod:`tests.naive.windows`), never by a formula; activations are
scalar functions from `math`.
Tensors are N, C, H, W (or with one axis, or three) or N, features. Whatever has no result raises :class:`NoResult`.
"""

from tests.naive.adaptive import adaptive_pool as adaptive_pool
from tests.naive.arithmetic import combined as combined
from tests.naive.channelwise import channelwise as channelwise
from tests.naive.channelwise import prelu as prelu
from tests.naive.channelwise import rescale as rescale
from tests.naive.convolution import conv as conv
from tests.naive.convolution import conv_transpose as conv_transpose
from tests.naive.maps import bordered as bordered
from tests.naive.maps import crop as crop
from tests.naive.maps import resize as resize
from tests.naive.maps import upsample as upsample
from tests.naive.merge import concat as concat
from tests.naive.norm import batch_norm as batch_norm
from tests.naive.norm import group_norm as group_norm
from tests.naive.norm import layer_norm as layer_norm
from tests.naive.norm import local_response_norm as local_response_norm
from tests.naive.pointwise import each as each
from tests.naive.pointwise import gelu as gelu
from tests.naive.pointwise import hard_sigmoid as hard_sigmoid
from tests.naive.pointwise import selu as selu
from tests.naive.pointwise import sigmoid as sigmoid
from tests.naive.pointwise import softmax as softmax
from tests.naive.pointwise import softplus as softplus
from tests.naive.pointwise import whole_maps as whole_maps
from tests.naive.pool import avg_pool as avg_pool
from tests.naive.pool import global_pool as global_pool
from tests.naive.pool import lp_pool as lp_pool
from tests.naive.pool import max_indices as max_indices
from tests.naive.pool import max_pool as max_pool
from tests.naive.pool import max_unpool as max_unpool
from tests.naive.pool import sum_pool as sum_pool
from tests.naive.reshape import dense as dense
from tests.naive.reshape import flatten as flatten
from tests.naive.reshape import reshape as reshape
from tests.naive.reshape import squeeze as squeeze
from tests.naive.reshape import unsqueeze as unsqueeze
from tests.naive.slicing import channel_shuffle as channel_shuffle
from tests.naive.slicing import permute as permute
from tests.naive.slicing import pixel_shuffle as pixel_shuffle
from tests.naive.slicing import pixel_unshuffle as pixel_unshuffle
from tests.naive.slicing import slice_of as slice_of
from tests.naive.slicing import split as split
from tests.naive.windows import Array as Array
from tests.naive.windows import NoResult as NoResult
from tests.naive.windows import a_map as a_map
from tests.naive.windows import for_axes as for_axes
from tests.naive.windows import paddings as paddings
from tests.naive.windows import seen as seen
from tests.naive.windows import slide as slide
from tests.naive.windows import windows_of as windows_of
