"""All networks of the zoo by name."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

from planner.findings import SpecError, nearest
from planner.zoo import (
    alexnet,
    c3d,
    convnext,
    dcgan,
    densenet,
    efficientnet,
    fcn,
    inception,
    lenet,
    m5,
    mnasnet,
    mobilenet,
    mobilenet_v3,
    nin,
    regnet,
    resnet,
    resnet_cifar,
    segnet,
    shufflenet,
    squeezenet,
    unet,
    vgg,
)
from planner.zoo.member import Member

FAMILIES = (
    lenet,
    alexnet,
    vgg,
    nin,
    inception,
    resnet,
    resnet_cifar,
    densenet,
    squeezenet,
    mobilenet,
    mobilenet_v3,
    shufflenet,
    mnasnet,
    efficientnet,
    regnet,
    convnext,
    fcn,
    unet,
    segnet,
    dcgan,
    m5,
    c3d,
)

MEMBERS: Mapping[str, Member] = MappingProxyType(
    {member.name: member for family in FAMILIES for member in family.MEMBERS}
)
"""Members by name, grouped by family."""


def member(name: str) -> Member:
    """Return the network with the given name.

    Raises
    ------
    SpecError
        P105: there is no network with that name.

    Examples
    --------
    >>> member("vgg16").parameter_count
    138357544
    >>> member("mobilnet_v2")
    Traceback (most recent call last):
        ...
    planner.findings.SpecError: error[P105]: there is no known network `mobilnet_v2`; did you mean `mobilenet_v2`?
    """
    if name in MEMBERS:
        return MEMBERS[name]
    close = nearest(name, MEMBERS)
    fix = f"did you mean `{close}`?" if close else "`shapeplan zoo` lists them"
    raise SpecError.of("P105", f"there is no known network `{name}`", fixes=[fix])


def matching(words: tuple[str, ...]) -> list[Member]:
    """Return the networks that match words: names, parts of names, or patterns; all networks if there are no words.

    Examples
    --------
    >>> [each.name for each in matching(("resnet15*", "nin"))]
    ['nin', 'resnet152']
    """
    wanted = [word.lower() for word in words]
    return [each for name, each in MEMBERS.items() if not wanted or any(_means(word, name) for word in wanted)]


def _means(word: str, name: str) -> bool:
    return word == name if word in MEMBERS else word in name or fnmatchcase(name, word)
