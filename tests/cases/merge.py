"""Conformance cases of layers that join tensors, and what judges them."""

from __future__ import annotations

from tests import naive
from tests.cases.case import MAP, ROW, Case, Family

# fmt: off
CASES = (
    Case("add", inputs=(MAP, MAP)),
    Case("add", inputs=(MAP, MAP, MAP)),
    Case("add", inputs=(ROW, ROW)),
    Case("add", inputs=(MAP, ("N", 4, "G", "W")), at={"G": 9}),
    Case("multiply", inputs=(MAP, MAP)),
    Case("multiply", inputs=(ROW, ROW)),
    Case("multiply", inputs=(MAP, ("N", 4, 1, 1))),
    Case("multiply", inputs=(("N", 4, 1, 1), ("N", "C", 1, 1)), at={"C": 4}),
    Case("multiply", inputs=(MAP, ("N", 4, "G", "W")), at={"G": 9}),
    Case("concat", inputs=(MAP, ("N", 2, "H", "W"))),
    Case("concat", inputs=(MAP, ("N", 1, "H", "W"), ("N", "C", "H", "W")), at={"C": 3}),
    Case("concat", inputs=(ROW, ("N", 3))),
    Case("concat", inputs=(MAP, ("N", 2, "H", "G")), at={"G": 8}),
)

REFUSED = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S202", Case("add", inputs=(("N", 4, 5, 5), ("N", 3, 5, 5))), Case("add", inputs=(("N", 4, 5, 5), ("N", 4, 5, 5)))),
    ("S202", Case("add", inputs=(("N", 4, 5, 5), ("N", 4, 5, 1))), Case("add", inputs=(("N", 4, 5, 5), ("N", 4, 5, 5)))),
    ("S202", Case("add", inputs=(ROW, MAP)), Case("add", inputs=(MAP, MAP))),
    ("S202", Case("multiply", inputs=(("N", 4, 5, 5), ("N", 3, 1, 1))), Case("multiply", inputs=(("N", 4, 5, 5), ("N", 4, 1, 1)))),
    ("S202", Case("multiply", inputs=(("N", 4, 1, 1), ("N", 4, 5, 5))), Case("multiply", inputs=(("N", 4, 5, 5), ("N", 4, 1, 1)))),
    ("S202", Case("concat", inputs=(("N", 4, 5, 5), ("N", 4, 5, 6))), Case("concat", inputs=(("N", 4, 5, 5), ("N", 4, 5, 5)))),
    ("S202", Case("concat", inputs=(ROW, MAP)), Case("concat", inputs=(ROW, ROW))),
)
# fmt: on

ORACLES = {
    "add": lambda inputs, _settings, _arrays: naive.add(*inputs),
    "multiply": lambda inputs, _settings, _arrays: naive.multiply(*inputs),
    "concat": lambda inputs, _settings, _arrays: naive.concat(*inputs),
}

FAMILY = Family(CASES, REFUSED, ORACLES)
