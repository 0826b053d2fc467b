"""Conformance cases of layers that join tensors, and what judges them."""

from __future__ import annotations

from tests.harness import naive
from tests.harness.cases.case import LINE, MAP, ROW, VOLUME, Case, Family

# fmt: off
CASES = (
    Case("concat", inputs=(MAP, ("N", 2, "H", "W"))),
    Case("concat", inputs=(MAP, ("N", 1, "H", "W"), ("N", "C", "H", "W")), at={"C": 3}),
    Case("concat", inputs=(ROW, ("N", 3))),
    Case("concat", inputs=(VOLUME, ("N", 2, "D", "H", "W"))),
    Case("concat", inputs=(MAP, ("N", 2, "H", "G")), at={"G": 8}),
    Case("concat", {"axis": 2}, (MAP, ("N", 4, "G", "W"), MAP), at={"G": 3}),
    Case("concat", {"axis": -1}, (MAP, MAP, ("N", 4, "H", 2))),
    Case("concat", {"axis": 4}, (VOLUME, ("N", 4, "D", "H", 2))),
    Case("concat", {"axis": 2}, (LINE, ("N", 4, 3))),
    Case("concat", {"axis": -1}, (ROW, ("N", 3))),
)

REFUSED = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S202", Case("concat", inputs=(("N", 4, 5, 5), ("N", 4, 5, 6))), Case("concat", inputs=(("N", 4, 5, 5), ("N", 4, 5, 5)))),
    ("S202", Case("concat", inputs=(ROW, MAP)), Case("concat", inputs=(ROW, ROW))),
    ("S202", Case("concat", {"axis": 2}, (("N", 4, 5, 5), ("N", 4, 6, 6))), Case("concat", {"axis": 2}, (("N", 4, 5, 5), ("N", 4, 6, 5)))),
    ("S204", Case("concat", {"axis": 2}, (ROW, ROW)), Case("concat", {"axis": 1}, (ROW, ROW))),
)
# fmt: on

ORACLES = {
    "concat": lambda inputs, settings, _arrays: naive.concat(*inputs, **settings),
}

FAMILY = Family(CASES, REFUSED, ORACLES)
