"""Networks with a free image size: the sizes that the layers accept, regardless of the size in the spec."""

from __future__ import annotations

import planner.symbols as sy
from planner.domain.domain import Domain
from planner.layers.spatial import LETTERS, is_map, rank
from planner.network.network import Network
from planner.plan.diagnose import diagnose


def with_free_sizes(network: Network) -> Network | None:
    """Return the network with free spatial sizes in its only input: L; H and W; or D, H and W.

    None if it has several inputs, if its input is not a map, or if it uses those names for other sizes.
    """
    maps = {name: shape for name, shape in network.inputs.items() if is_map(shape)}
    if len(maps) != 1 or len(network.inputs) != 1:
        return None
    ((name, shape),) = maps.items()
    used = frozenset().union(*map(sy.free, shape), *(n.layer.free for n in network.nodes if n.layer))
    sizes = [
        letter if sy.constant(size) is not None else size
        for letter, size in zip(LETTERS[rank(shape)], shape[2:], strict=True)
    ]
    if used & {size for size in sizes if isinstance(size, str)}:
        return None
    return network.with_input(**{name: (*shape[:2], *sizes)})


def free_domain(network: Network) -> Domain | None:
    """Return the sizes that the layers accept, regardless of the size in the spec; None if they are unknown."""
    loose = with_free_sizes(network)
    if loose is None:
        return None
    plan = diagnose(loose).plan
    return None if plan is None else plan.domain
