"""PyTorch as a second judge: each layer kind as a torch function. Only imported where torch is installed.

Four-sided and `same` padding, which torch's own functions do not take, is put on explicitly; windows are
still counted and computed by torch.
"""

from collections.abc import Mapping
from types import MappingProxyType

from tests.harness.torch_judge import channelwise, maps, merge, norm, pointwise, reshape, slicing, unpool, window
from tests.harness.torch_judge.base import Function
from tests.harness.torch_judge.base import NoOpinionError as NoOpinionError

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        kind: function
        for family in (reshape, slicing, window, maps, pointwise, channelwise, norm, merge, unpool)
        for kind, function in family.FUNCTIONS.items()
    }
)
"""Every kind as torch computes it: (inputs, settings, arrays, training) -> output. What is random, as at inference."""
