"""Costs of a network as formulas in its free sizes, factored and with short names for long sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import planner.symbols as sy
from planner.plan.plan import Plan
from planner.symbols import Size
from planner.tables.facts import Legend, report


@dataclass(frozen=True)
class Formulas:
    """Costs of a network in float32, as formulas in the free sizes or as numbers if no size is free.

    Attributes
    ----------
    parameter_count, macs : Size
        Trainable parameters; multiply-accumulates of one forward pass over the batch.
    inference_bytes, training_bytes : Size or None
        Minimum bytes of inference and of a training step; exact if every size is known. None if no accepted
        sizes were found.
    where : Mapping of str to Size
        Definitions of the short names.
    exact : bool
        Whether the bytes are those of the plan; otherwise they are a lower bound for any plan.
    """

    parameter_count: Size
    macs: Size
    inference_bytes: Size | None
    training_bytes: Size | None
    where: Mapping[str, Size]
    exact: bool

    @property
    def rows(self) -> tuple[tuple[str, Size], ...]:
        """Names and formulas of all known costs."""
        sign = "" if self.exact else "at least "
        found = (
            ("parameters", self.parameter_count),
            ("MACs", self.macs),
            (f"inference, {sign}bytes", self.inference_bytes),
            (f"training, {sign}bytes", self.training_bytes),
        )
        return tuple((name, size) for name, size in found if size is not None)

    def text(self) -> str:
        """Return the formulas, one per line, followed by the definitions of their short names."""
        lines = [f"{name} = {sy.text(size)}" for name, size in self.rows]
        lines += ["where", *(f"  {name} = {sy.text(size)}" for name, size in self.where.items())] * bool(self.where)
        return "\n".join(lines)

    def latex(self) -> str:
        r"""Return the formulas as an ``align*`` environment."""
        rows = [(rf"\text{{{name}}}", sy.latex(size)) for name, size in self.rows]
        rows += [(sy.latex(sy.symbol(name)), sy.latex(size)) for name, size in self.where.items()]
        body = " \\\\\n".join(f"  {left} &= {right}" for left, right in rows)
        return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"

    def json(self) -> dict[str, Any]:
        """Return the formulas as JSON-compatible data: numbers if they are known, else text."""
        sizes = {
            "parameters": self.parameter_count,
            "macs": self.macs,
            "inference_bytes": self.inference_bytes,
            "training_bytes": self.training_bytes,
        }
        found: dict[str, Any] = {name: None if size is None else _number(size) for name, size in sizes.items()}
        found["memory"] = "exact" if self.exact else "at least"
        found["where"] = {name: sy.text(size) for name, size in self.where.items()}
        latex = {name: sy.latex(size) for name, size in sizes.items() if size is not None}
        found["latex"] = latex | {"where": {name: sy.latex(size) for name, size in self.where.items()}}
        return found


def formulas(plan: Plan, sizes: Mapping[str, int] | None = None) -> Formulas:
    """Return the costs of a network as formulas in the sizes that are not given.

    Raises
    ------
    SizeError
        If a size is not accepted, or a name is unknown.

    Examples
    --------
    >>> from planner import Network, layer
    >>> net = Network(name="t", input={"x": ("N", 3, "H", "W")}, layers=[layer("conv", name="c", filters=6, kernel=5)])
    >>> print(formulas(net.check()).text())
    parameters = 456
    MACs = 450*N*h1*w1
    inference, at least bytes = 12*(H*N*W + 2*N*h1*w1 + 152)
    training, at least bytes = 12*(H*N*W + 4*N*h1*w1 + 456)
    where
      h1 = H - 4
      w1 = W - 4
    """
    legend = Legend(plan.free)
    found = report(plan, sizes, legend)

    def short(size: Size) -> Size:
        return sy.factored(sy.renamed(size, legend.names))

    parameters, macs = short(found.parameter_count), short(found.macs)
    inference, training = (None if b is None else short(b) for b in (found.inference_bytes, found.training_bytes))
    used = frozenset().union(*(sy.free(s) for s in (parameters, macs, inference, training) if s is not None))
    where = {sy.text(name): size for size, name in legend.names.items() if sy.text(name) in used}
    return Formulas(parameters, macs, inference, training, where, found.bound is not None)


def _number(size: Size) -> int | str:
    known = sy.constant(size)
    return sy.text(size) if known is None else known
