"""Conformance cases of pooling to a size that is given, and what judges them."""

from __future__ import annotations

from tests.harness import naive
from tests.harness.cases.case import LINE, ROW, VOLUME, Case, Family

# fmt: off
CASES = (
    Case("adaptive_avgpool", {"size": 1}),
    Case("adaptive_avgpool", {"size": 3}),
    Case("adaptive_avgpool", {"size": [4, 6]}),
    Case("adaptive_avgpool", {"size": [20, 11]}),
    Case("adaptive_avgpool", {"size": "F"}, at={"F": 5}),
    Case("adaptive_avgpool", {"size": 3}, (LINE,)),
    Case("adaptive_avgpool", {"size": [2, 12, 3]}, (VOLUME,)),
    Case("adaptive_maxpool", {"size": 4}, (LINE,)),
    Case("adaptive_maxpool", {"size": [3, 4, 9]}, (VOLUME,)),
    Case("adaptive_maxpool", {"size": 1}),
    Case("adaptive_maxpool", {"size": 4}),
    Case("adaptive_maxpool", {"size": [3, 7]}),
    Case("adaptive_maxpool", {"size": [20, 11]}),
    Case("adaptive_maxpool", {"size": "F"}, at={"F": 2}),
)

REFUSED = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S204", Case("adaptive_avgpool", {"size": 1}, (ROW,)), Case("adaptive_avgpool", {"size": 1})),
    ("S220", Case("adaptive_avgpool", {"size": [2, 2]}, (LINE,)), Case("adaptive_avgpool", {"size": 2}, (LINE,))),
    ("S220", Case("adaptive_maxpool", {"size": [2, 2, 2]}), Case("adaptive_maxpool", {"size": [2, 2]})),
    ("S204", Case("adaptive_maxpool", {"size": 1}, (ROW,)), Case("adaptive_maxpool", {"size": 1})),
)
# fmt: on

ORACLES = {
    "adaptive_avgpool": lambda inputs, settings, _arrays: naive.adaptive_pool(inputs[0], "avg", **settings),
    "adaptive_maxpool": lambda inputs, settings, _arrays: naive.adaptive_pool(inputs[0], "max", **settings),
}

FAMILY = Family(CASES, REFUSED, ORACLES)
