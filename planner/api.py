"""The verbs of the command line as functions: `show`, `explain` and `solve` of a network or a plan.

`check` is :func:`planner.fixes.check.check`, `fuse` :func:`planner.network.fusion.fuse`, and `draw`
:func:`planner.diagrams.draw`. The command line adds files, options and exit codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, overload

import planner.symbols as sy
from planner.domain.domain import Domain
from planner.explanations.document import STYLES, Style, document
from planner.explanations.layer import derivations, worth_explaining
from planner.findings import Finding, PlannerError, SizeError, nearest
from planner.fixes import with_fixes
from planner.fixes.check import check
from planner.layers.spatial import is_map
from planner.network.network import Network
from planner.plan.diagnose import diagnose
from planner.plan.plan import BoundPlan, Plan
from planner.rules import RULES
from planner.solver import (
    Answer,
    Budget,
    Found,
    Knob,
    Largest,
    Near,
    Want,
    largest,
    loosened,
    settings_giving,
    sizes_giving,
)
from planner.solver import near as nearest_sizes
from planner.tables import table
from planner.tables.facts import admit
from planner.tables.table import SortKey
from planner.wording import listed

Subject: TypeAlias = Network | Plan | BoundPlan


def show(
    subject: Subject,
    *,
    at: Mapping[str, int] | None = None,
    sort: SortKey | None = None,
    width: int = 100,
    colour: bool = False,
) -> str:
    """Return the table of layers: output, parameters, MACs, receptive field, memory.

    With only the batch free, the table counts one image.

    Parameters
    ----------
    subject : Network, Plan or BoundPlan
    at : Mapping of str to int, optional
        Numbers for free sizes; a BoundPlan has its own.
    sort : {"params", "macs", "output", "memory"}, optional
        Largest first; default: execution order.
    width : int
        Columns of the terminal.
    colour : bool
        Use ANSI colours.

    Raises
    ------
    ShapeError
        The network has errors.
    SizeError
        A size is not accepted, or a name is unknown.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, 32, 32)}, layers=[layer("conv", name="c1", filters=6, kernel=5)])
    >>> print(show(net, width=80).splitlines()[0])
    t: x N x 3 x 32 x 32 -> c1 N x 6 x 28 x 28
    """
    if isinstance(subject, BoundPlan) and not at:
        return table.show(subject, sort=sort, width=width, colour=colour)
    if isinstance(subject, BoundPlan):
        sizes = {**subject.sizes, **(at or {})}
        return table.show(subject.plan, sizes, sort=sort, width=width, colour=colour, dtype=subject.dtype)
    return table.show(_plan(subject), at, sort=sort, width=width, colour=colour)


def explain(
    subject: Subject | str,
    layer: str | None = None,
    *,
    at: Mapping[str, int] | None = None,
    style: Style = "text",
    width: int = 100,
) -> str:
    """Return how the numbers of a layer, or of all layers, are derived; or what a rule means.

    Parameters
    ----------
    subject : Network, Plan, BoundPlan or str
        A network with errors is explained up to its faults. A str is the code of a rule: ``"S201"``.
    layer : str, optional
        Name of a layer; the name of a block means its last layer. Default: every layer with something to derive.
    at : Mapping of str to int, optional
        Numbers for free sizes; a BoundPlan has its own.
    style : {"text", "markdown", "latex"}
    width : int
        Columns at which prose is wrapped.

    Raises
    ------
    PlannerError
        N103: there is no such layer; N107: there is no such rule or style.
    SizeError
        A size is not accepted, or a name is unknown.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": ("N", 3, 32, 32)}, layers=[layer("conv", name="c1", filters=6, kernel=5)])
    >>> print(explain(net, "c1").splitlines()[0])
    c1: conv, convolution along the axes of a map
    >>> explain("S201").splitlines()[0]
    'S201: window does not fit'
    """
    if style not in STYLES:
        raise PlannerError.of("N107", f"`style` must be one of {', '.join(STYLES)}; got {style!r}")
    if isinstance(subject, str):
        if subject.upper() not in RULES:
            close = nearest(subject.upper(), RULES)
            fixes = (f"did you mean {close}?",) if close else (f"rules are {', '.join(RULES)}",)
            raise PlannerError.of("N107", f"there is no rule {subject}", fixes=fixes)
        return RULES[subject.upper()].document(width)
    sizes = {**subject.sizes, **(at or {})} if isinstance(subject, BoundPlan) else dict(at or {})
    found = with_fixes(diagnose(_network(subject)))
    if found.plan is not None and sizes:
        admit(found.plan, sizes)
    names = [_layer_named(layer, found.network)] if layer is not None else list(worth_explaining(found))
    return document(list(derivations(found, names, sizes)), style, width)


@overload
def solve(subject: Subject, *, at: Mapping[str, int] | None = None) -> Domain: ...
@overload
def solve(subject: Subject, *, near: int | Mapping[str, int], at: Mapping[str, int] | None = None) -> Near: ...
@overload
def solve(subject: Subject, *, want: str | Sequence[str], at: Mapping[str, int] | None = None) -> Answer: ...
@overload
def solve(
    subject: Subject, *, want: str | Sequence[str], free: str | Sequence[str], at: Mapping[str, int] | None = None
) -> tuple[Found, ...]: ...
@overload
def solve(
    subject: Subject, *, memory: str, training: bool = False, at: Mapping[str, int] | None = None
) -> Largest: ...
@overload
def solve(subject: Subject, *, macs: str, at: Mapping[str, int] | None = None) -> Largest: ...
def solve(
    subject: Subject,
    *,
    near: int | Mapping[str, int] | None = None,
    want: str | Sequence[str] | None = None,
    free: str | Sequence[str] | None = None,
    memory: str | None = None,
    training: bool = False,
    macs: str | None = None,
    at: Mapping[str, int] | None = None,
) -> Domain | Near | Answer | tuple[Found, ...] | Largest:
    """Return which sizes a network accepts, or which sizes or settings give what is wanted.

    One question at a time. Sizes of the image that the network fixes are treated as free.

    Parameters
    ----------
    subject : Network, Plan or BoundPlan
    near : int or Mapping of str to int, optional
        Find the accepted sizes next to these; an int stands for every free height and width.
    want : str or sequence of str, optional
        Shapes to reach: ``"out.H=7"`` or ``"out=N,10,7,7"``.
    free : str or sequence of str, optional
        With `want`: settings to solve for, such as ``"conv1.pad"``.
    memory : str, optional
        Find the largest batch, or with the batch given in `at` the largest image, within ``"2GiB"``.
    training : bool
        With `memory`: of a training step instead of inference.
    macs : str, optional
        Find the largest image or width within ``"600M"`` multiply-accumulates.
    at : Mapping of str to int, optional
        Numbers for free sizes.

    Returns
    -------
    Domain
        Without a question: the accepted sizes, ``str`` gives the sentence.
    Near, Answer, tuple of Found, or Largest
        For `near`, `want`, `want` with `free`, `memory` or `macs`.

    Raises
    ------
    ShapeError
        The network has errors, or no size or setting gives what is wanted (S211, S212).
    SizeError
        A size is not accepted, a name is unknown, or nothing fits.
    PlannerError
        N107: several questions at once, or a text that cannot be read.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="n", input={"x": ("N", 1, "H", "W")}, layers=[
    ...     layer("conv", name="c", filters=4, kernel=3), layer("maxpool", name="p", size=2)])
    >>> solve(net).text()
    'N >= 1, H >= 4, W >= 4'
    >>> solve(net, want="p.H=7").plan.domain["H"].text("H")
    'H in {16, 17}'
    >>> [found.text for found in solve(net, want=["c.H=H", "c.W=W"], free="c.pad")]
    ['c.pad = 1', 'c.pad = same']
    """
    questions = {"near": near, "want": want, "memory": memory, "macs": macs}
    asked = [name for name, given in questions.items() if given is not None]
    if len(asked) > 1:
        raise PlannerError.of("N107", f"one question at a time, not {' and '.join(asked)} together")
    for name, given, needed in (("free", free, "want"), ("training", training or None, "memory")):
        if given is not None and needed not in asked:
            raise PlannerError.of("N107", f"`{name}` goes with `{needed}`")
    plan = _plan(subject)
    loose = loosened(plan) or plan
    sizes = dict(at or {})
    try:
        if want is not None and free is not None:
            start = loose if sizes.keys() <= set(loose.free) else plan
            start.accepts(**sizes)
            return settings_giving(start, list(map(Knob.read, _each(free))), list(map(Want.read, _each(want))), sizes)
        if memory is not None:
            return largest(plan, Budget.read(memory, "training memory" if training else "inference memory"), sizes)
        if macs is not None:
            return largest(plan, Budget.read(macs, "MACs"), sizes)
        admit(loose, sizes)
        if want is not None:
            return sizes_giving(loose, list(map(Want.read, _each(want))), sizes)
    except PlannerError:
        raise
    except ValueError as error:
        raise PlannerError.of("N107", str(error)) from None
    if near is not None:
        return nearest_sizes(loose.domain, _spatial(loose, near) if isinstance(near, int) else near)
    return loose.domain


def _network(subject: Subject) -> Network:
    return subject if isinstance(subject, Network) else _plan(subject).network


def _plan(subject: Subject) -> Plan:
    if isinstance(subject, Network):
        return check(subject)
    return subject.plan if isinstance(subject, BoundPlan) else subject


def _each(given: str | Sequence[str]) -> Sequence[str]:
    return (given,) if isinstance(given, str) else given


def _layer_named(name: str, network: Network) -> str:
    """Return the name of a node; the name of a block means its last layer."""
    if name in network.by_name:
        return name
    inside = [node.name for node in network.nodes if node.name.startswith(f"{name}.")]
    if inside:
        return inside[-1]
    close = nearest(name, network.by_name)
    fixes = (f"did you mean `{close}`?",) if close else (f"layers are {listed(network.by_name)}",)
    raise PlannerError.of("N103", f"`{network.name}` has no layer `{name}`", fixes=fixes)


def _spatial(plan: Plan, size: int) -> dict[str, int]:
    """Return one size for every free height and width of the inputs."""
    maps = [shape for shape in plan.input_shapes.values() if is_map(shape)]
    names = sorted(frozenset().union(*(sy.free(axis) for shape in maps for axis in shape[2:])))
    if not names:
        message = "no input of the network has a free height or width"
        raise SizeError([Finding("S209", message, fixes=('name the size: near={"N": 30}',))])
    return dict.fromkeys(names, size)
