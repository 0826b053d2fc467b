"""The networks of the zoo, each made small: few channels, few blocks, five classes, and an image it takes.

Made small, many are the same network: ResNet-18 and 34 differ only in their depths. `DISTINCT` has one of each.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from planner import Plan, spec
from planner.plan.plan import BoundPlan
from planner.spec.documents import member_text
from planner.zoo import MEMBERS, Member

BATCH = 4

FIXED: dict[str, dict[str, Any]] = {
    "regnet": {"depth": 6, "first": 16, "slope": 14.0, "ratio": 1.8, "group_width": 8},
    "densenet": {"growth": 4},
    "resnet_cifar": {"depth": 2},
    "preact_resnet": {"depth": 2},
    "unet": {"levels": 2},
    "fcn8s": {"width": 1 / 32},
    "c3d": {"side": 32, "width": 1 / 16},
}
"""Settings of families whose size hangs on more than width and depth, by the function that builds them."""


def settings(member: Member) -> dict[str, Any]:
    """Return what is changed of a network; nothing is dropped, so that two runs can be compared."""
    known, found = member.settings, {}
    for name, value in known.items():
        if name == "width":
            found[name] = 8 if isinstance(value, int) else value / 8
        elif name == "depths":
            found[name] = tuple(min(depth, 2) for depth in value)
        elif name == "classes":
            found[name] = 5
        elif name.endswith(("drop", "dropout")):
            found[name] = 0.0
        elif name == "depth" and isinstance(value, float):
            found[name] = 0.25
    return found | {key: value for key, value in FIXED.get(builder(member), {}).items() if key in known}


def builder(member: Member) -> str:
    """Return the name of the function behind a member."""
    return getattr(member.build, "func", member.build).__name__


NUMBERS = ("width", "filters", "group_width", "eps", "momentum")
"""Settings that change numbers of channels and constants, and leave the layers and their wiring as they are."""


def _distinct() -> list[Any]:
    """Return one name of each network made small; those with the wiring of one before are for the campaign."""
    made: set[str] = set()
    wired: set[str] = set()
    found = []
    for name, member in MEMBERS.items():
        chosen = {**member.settings, **settings(member)}
        network = f"{builder(member)} {sorted(chosen.items())}"
        wiring = f"{builder(member)} {sorted((key, value) for key, value in chosen.items() if key not in NUMBERS)}"
        if network not in made:
            found.append(pytest.param(name, marks=[pytest.mark.campaign] if wiring in wired else []))
        made.add(network)
        wired.add(wiring)
    return found


DISTINCT = _distinct()
"""Names of the networks that differ when they are made small, as pytest's parameters."""


@cache
def plan(name: str, **variant: bool) -> Plan:
    """Return the small network's plan, with one more setting where a variant of it is asked for."""
    member = MEMBERS[name]
    network, findings = spec.read(member_text(member, **settings(member), **variant), name)
    assert network is not None and not findings, findings
    return network.check()


@cache
def bound(name: str, **variant: bool) -> BoundPlan:
    """Return the small network, bound in float64 to four images of 48 x 48, or the next size it takes."""
    found = plan(name, **variant)
    sizes = {axis: found.domain[axis].next(48) for axis in found.free if axis != "N"}
    return found.bind(N=BATCH, dtype="float64", **{axis: size for axis, size in sizes.items() if size is not None})
