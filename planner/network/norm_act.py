"""The normalisation and the activation that `norm` and `act` add after a layer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from planner.findings import nearest
from planner.layers import KINDS, Layer
from planner.network.entry import Entry
from planner.network.instantiate import Report, make
from planner.wording import listed

NORMS: Mapping[str, str] = MappingProxyType(
    {"batch": "batchnorm", "layer": "layernorm", "group": "groupnorm", "instance": "instancenorm"}
)
"""Words that `norm` accepts, and the layer kind each adds."""

ACTIVATIONS: Mapping[str, str] = MappingProxyType(
    {kind: kind for kind in sorted(KINDS) if KINDS[kind].category == "act" and not KINDS[kind].random}
)
"""Words that `act` accepts: every activation."""

ROLES: Mapping[str, Mapping[str, str]] = MappingProxyType({"norm": NORMS, "act": ACTIVATIONS})
"""Words by role, in the order in which the roles follow a layer."""

EXAMPLES = {"norm": "norm: {batch: {eps: 0.001}}", "act": "act: {leaky_relu: {slope: 0.2}}"}


def make_norm_act(entry: Entry, public: str, role: str, report: Report) -> Layer | None:
    """Return the layer that `norm` or `act` of an entry adds; None if the key is missing or faulty.

    Parameters
    ----------
    entry : Entry
    public : str
        Name of the layer before it.
    role : {"norm", "act"}
    report : callable
        Called with every fault.

    Examples
    --------
    >>> from planner import layer
    >>> make_norm_act(layer("conv", filters=6, kernel=5, norm={"batch": {"eps": 0.001}}), "c1", "norm", print)
    BatchNorm(eps=0.001, momentum=0.1, affine=True)
    """
    written: Any = {"norm": entry.norm, "act": entry.act}[role]
    if written is None:
        return None
    word, settings = written, {}
    if isinstance(written, Mapping):
        pairs = list(written.items())
        if len(pairs) != 1 or not isinstance(pairs[0][1], (Mapping, type(None))):
            problem = f"`{public}`: `{role}` must be one word, or one word with its settings"
            report("N107", problem, entry, role, (f"write  {EXAMPLES[role]}",))
            return None
        word, settings = pairs[0][0], dict(pairs[0][1] or {})
    known = ROLES[role]
    if word not in known:
        close = nearest(str(word), known)
        fixes = (f"did you mean `{close}`?",) if close else ()
        report("N107", f"`{public}`: `{role}` must be one of {listed(known)}; got `{word}`", entry, role, fixes)
        return None
    marks = {key: place for key in settings if (place := entry.mark(f"{role}.{key}")) is not None}
    where = entry.mark(role)
    marks |= {} if where is None else {"": where}
    made, _ = make(Entry(known[word], settings, entry.name, marks=marks), f"{public}.{role}", {}, report)
    return made
