"""Conformance cases of arithmetic of several tensors, and what judges them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tests.harness import naive
from tests.harness.cases.case import LINE, MAP, ROW, VOLUME, Case, Family, Template

GATE: Template = ("N", 4, 1, 1)
PLACES: Template = ("N", 1, "H", "W")
KINDS = ("add", "subtract", "multiply", "maximum")


def _of(kind: str) -> Iterator[Case]:
    yield Case(kind, inputs=(MAP, MAP))
    yield Case(kind, inputs=(MAP, MAP, MAP))
    yield Case(kind, inputs=(ROW, ROW))
    yield Case(kind, inputs=(MAP, GATE))
    yield Case(kind, inputs=(GATE, MAP, PLACES))
    yield Case(kind, inputs=(GATE, PLACES))
    yield Case(kind, inputs=(("N", 1, 1, "W"), MAP))
    yield Case(kind, inputs=(("N", 4, "H", 1), ("N", 1, "H", "W")))
    yield Case(kind, inputs=(ROW, ("N", 1), ROW))
    yield Case(kind, inputs=(LINE, ("N", 4, 1)))
    yield Case(kind, inputs=(("N", 1, "D", 1, "W"), VOLUME))
    # A size that happens to be 1 is not repeated; a 1 that is written is. So these begin at 2.
    yield Case(kind, inputs=(MAP, ("N", 4, "G", "W")), at={"G": 9}, least={"G": 2, "H": 2})
    yield Case(kind, inputs=(GATE, ("N", "C", 1, 1)), at={"C": 4}, least={"C": 2})


def _refused(kind: str) -> Iterator[tuple[str, Case, Case]]:
    for outside, inside in (
        ((("N", 4, 5, 5), ("N", 3, 5, 5)), (("N", 4, 5, 5), ("N", 4, 5, 5))),
        ((("N", 4, 5, 5), ("N", 4, 5, 2)), (("N", 4, 5, 5), ("N", 4, 5, 1))),
        ((("N", 4, 1, 1), ("N", 3, 5, 5)), (("N", 1, 1, 1), ("N", 3, 5, 5))),
        ((("N", 4, 1, 1), ("N", 4, 5, 5), ("N", 4, 1, 4)), (("N", 4, 1, 1), ("N", 4, 5, 5), ("N", 4, 1, 5))),
        ((ROW, MAP), (MAP, MAP)),
    ):
        yield "S202", Case(kind, inputs=outside), Case(kind, inputs=inside)


CASES = tuple(case for kind in KINDS for case in _of(kind))

REFUSED = tuple(row for kind in KINDS for row in _refused(kind))

ORACLES = {
    kind: partial(lambda how, inputs, _settings, _arrays: naive.combined(how, *inputs), how)
    for kind, how in (
        ("add", np.add),
        ("subtract", np.subtract),
        ("multiply", np.multiply),
        ("maximum", np.maximum),
    )
}

FAMILY = Family(CASES, REFUSED, ORACLES)
