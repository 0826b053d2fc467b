"""Check a network: return its plan, or raise every finding with verified fixes."""

from __future__ import annotations

from planner.findings import ShapeError
from planner.fixes.proof import with_fixes
from planner.network.network import Network
from planner.plan.diagnose import diagnose
from planner.plan.plan import Plan as Plan


def check(network: Network) -> Plan:
    """Return the plan of every size, count and requirement of a network.

    Parameters
    ----------
    network : Network

    Raises
    ------
    ShapeError
        Contains every error, with fixes that were verified by planning the network again.

    Examples
    --------
    >>> from planner import Network, layer
    >>> check(Network(name="n", input={"x": ("N", 3, "H", "W")}, layers=[layer("conv", filters=6, kernel=5)]))
    <Plan n: 1 layer, 456 parameters, x N x 3 x H x W -> conv1 N x 6 x (H - 4) x (W - 4)>
    """
    found = diagnose(network)
    if found.plan is None:
        raise ShapeError(with_fixes(found).errors)
    return found.plan
