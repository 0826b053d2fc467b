"""The sizes a network of the zoo accepts are those at which PyTorch computes it, found by trying.

On the meta device, which has shapes and no numbers: what cannot be computed is an error there as well. The smallest
images of torchvision's networks were tried with torchvision itself (:mod:`tests.harness.published`).
"""

from __future__ import annotations

import pytest

from planner.zoo import MEMBERS
from tests.harness import small_zoo
from tests.harness.published import TORCHVISION

torch = pytest.importorskip("torch")

from tests.harness.torch_reference import TorchReference  # noqa: E402  # only where torch is installed

pytestmark = pytest.mark.other_frameworks

BEYOND = 18
"""Sizes tried from the smallest on, more than any step between accepted ones but those of networks for sound."""

APART = {
    "unet": "its poolings are exact: what loses a border is refused, and PyTorch has no such rule",
    "segnet": "PyTorch has no unpooling without numbers",
}

FREE = [
    name for name in MEMBERS if name not in TORCHVISION and name not in APART and set(small_zoo.plan(name).free) - {"N"}
]


@pytest.mark.parametrize("name", FREE)
def test_accepted_sizes_are_those_at_which_torch_computes(name: str) -> None:
    plan, bound = small_zoo.plan(name), small_zoo.bound(name)
    ((public, shape),) = bound.input_shapes.items()
    ((_, symbolic),) = plan.input_shapes.items()
    reference = TorchReference(bound, {}, {})
    for node in bound.nodes:
        for kind, arrays in ((reference.parameters, node.parameters), (reference.buffers, node.buffers)):
            kind |= {f"{node.name}.{name}": torch.empty(p.shape, device="meta") for name, p in arrays.items()}

    def computes(sizes: dict[str, int]) -> bool:
        given = [sizes.get(str(size), each) for size, each in zip(symbolic[1:], shape[1:], strict=True)]
        try:
            reference({public: torch.empty((1, *given), device="meta")}, training=False)
        except (RuntimeError, ValueError):
            return False
        return True

    axes = sorted(set(plan.free) - {"N"})
    usual = {axis: plan.domain[axis].next(48) or 48 for axis in axes}
    verdicts = []
    for axis in axes:
        least = plan.domain[axis].minimum
        assert least is not None
        for size in {*range(1, least, max(1, least // 12)), *range(max(1, least - 2), least + BEYOND)}:
            sizes = {**usual, axis: size}
            verdicts.append(computes(sizes))
            assert plan.accepts(N=1, **sizes) == verdicts[-1], sizes
    assert any(verdicts)
