"""Choice of the notation."""

from __future__ import annotations

from typing import Literal, get_args

from planner.conditions import Verdict
from planner.domain.domain import Domain
from planner.findings import Finding, SizeError
from planner.notations import code
from planner.notations.bioimage import as_bioimageio
from planner.plan.plan import Plan

Notation = Literal["torch", "jax", "onnx", "bioimageio", "python"]
NOTATIONS: tuple[Notation, ...] = get_args(Notation)


def written(plan: Plan, notation: Notation, *, lossless: bool = False) -> str:
    """Return the accepted sizes in a notation, as text to copy.

    Parameters
    ----------
    plan : Plan
    notation : {"torch", "jax", "onnx", "bioimageio", "python"}
    lossless : bool
        Restrict to sizes that drop no border pixels; default: all accepted sizes.

    Raises
    ------
    SizeError
        If no size is accepted.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": (1, 3, "H", "H")}, layers=[layer("conv", filters=1, kernel=5, stride=4)])
    >>> print(written(net.check(), "python", lossless=True))
    _, _, H, _ = x.shape
    assert x.shape[0] == 1
    assert x.shape[1] == 3
    assert x.shape[3] == H
    assert H >= 5 and H % 4 == 1, f"{H = }: H = 4k + 1, H >= 5 is accepted"
    """
    domain = plan.lossless if lossless else plan.domain
    _refuse_empty(domain, lossless)
    if notation == "torch":
        return code.as_torch(plan, domain, lossless=lossless)
    if notation == "jax":
        return code.as_jax(plan, domain)
    if notation == "onnx":
        return code.as_onnx(plan, domain)
    if notation == "bioimageio":
        return as_bioimageio(plan, domain)
    return code.as_python(plan, domain)


def _refuse_empty(domain: Domain, lossless: bool) -> None:
    never = [opened for opened in domain.assumptions if opened.requirement.condition.verdict() is Verdict.FAILS]
    if not domain.empty and not never:
        return
    if lossless:
        names = " and every ".join(domain.empty)
        message = f"every {names} drops border pixels" if names else "all sizes drop border pixels"
    else:
        names = " and no ".join(domain.empty)
        message = f"no {names} is accepted" if names else "no sizes are accepted"
    notes = tuple(f"`{opened.node}` {opened.requirement.sentence}" for opened in never)
    fixes = ("omit --lossless to get all accepted sizes",) if lossless else ()
    raise SizeError([Finding("S212", message, notes=notes, fixes=fixes)])
