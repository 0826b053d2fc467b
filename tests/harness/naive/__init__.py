"""What every layer computes, by definition: slow loops in float64 that judge the fast kernels.

Nothing of ours is imported in this package, not even a constant, so that a mistake cannot be made on both sides.
Windows are found by sliding them (:mod:`tests.harness.naive.windows`), never by a formula; activations are
scalar functions from `math`.
Tensors are N, C, H, W (or with one axis, or three) or N, features. Whatever has no result raises :class:`NoResult`.
"""

from tests.harness.naive.adaptive import adaptive_pool as adaptive_pool
from tests.harness.naive.arithmetic import combined as combined
from tests.harness.naive.channelwise import channelwise as channelwise
from tests.harness.naive.channelwise import prelu as prelu
from tests.harness.naive.channelwise import rescale as rescale
from tests.harness.naive.convolution import conv as conv
from tests.harness.naive.convolution import conv_transpose as conv_transpose
from tests.harness.naive.maps import bordered as bordered
from tests.harness.naive.maps import crop as crop
from tests.harness.naive.maps import resize as resize
from tests.harness.naive.maps import upsample as upsample
from tests.harness.naive.merge import concat as concat
from tests.harness.naive.norm import batch_norm as batch_norm
from tests.harness.naive.norm import group_norm as group_norm
from tests.harness.naive.norm import layer_norm as layer_norm
from tests.harness.naive.norm import local_response_norm as local_response_norm
from tests.harness.naive.pointwise import each as each
from tests.harness.naive.pointwise import gelu as gelu
from tests.harness.naive.pointwise import hard_sigmoid as hard_sigmoid
from tests.harness.naive.pointwise import selu as selu
from tests.harness.naive.pointwise import sigmoid as sigmoid
from tests.harness.naive.pointwise import softmax as softmax
from tests.harness.naive.pointwise import softplus as softplus
from tests.harness.naive.pointwise import whole_maps as whole_maps
from tests.harness.naive.pool import avg_pool as avg_pool
from tests.harness.naive.pool import global_pool as global_pool
from tests.harness.naive.pool import lp_pool as lp_pool
from tests.harness.naive.pool import max_indices as max_indices
from tests.harness.naive.pool import max_pool as max_pool
from tests.harness.naive.pool import max_unpool as max_unpool
from tests.harness.naive.pool import sum_pool as sum_pool
from tests.harness.naive.reshape import dense as dense
from tests.harness.naive.reshape import flatten as flatten
from tests.harness.naive.reshape import reshape as reshape
from tests.harness.naive.reshape import squeeze as squeeze
from tests.harness.naive.reshape import unsqueeze as unsqueeze
from tests.harness.naive.slicing import channel_shuffle as channel_shuffle
from tests.harness.naive.slicing import permute as permute
from tests.harness.naive.slicing import pixel_shuffle as pixel_shuffle
from tests.harness.naive.slicing import pixel_unshuffle as pixel_unshuffle
from tests.harness.naive.slicing import slice_of as slice_of
from tests.harness.naive.slicing import split as split
from tests.harness.naive.windows import Array as Array
from tests.harness.naive.windows import NoResult as NoResult
from tests.harness.naive.windows import a_map as a_map
from tests.harness.naive.windows import for_axes as for_axes
from tests.harness.naive.windows import paddings as paddings
from tests.harness.naive.windows import seen as seen
from tests.harness.naive.windows import slide as slide
from tests.harness.naive.windows import windows_of as windows_of
