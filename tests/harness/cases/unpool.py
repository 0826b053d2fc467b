"""Conformance cases of max unpooling, and what judges them."""

from __future__ import annotations

from tests.harness import naive
from tests.harness.cases.case import LINE, MAP, ROW, VOLUME, Case, Family, Partner, Settings, Template


def _unpooled(pool: Settings, *, values: Template = ("N", 4, "h", "w"), of: Template = MAP, **at: int) -> Case:
    """Return a case that unpools `values` to where the maxima of a pooled map are."""
    return Case("unpool", {"pool": ""}, (values, of), at, Partner("pool", "maxpool", pool))


# fmt: off
CASES = (
    Case("maxindices", {"size": 2}),
    Case("maxindices", {"size": 3, "stride": 2, "pad": 1, "rounding": "ceil"}),
    Case("maxindices", {"size": [2, 3], "stride": [1, 2], "pad": [1, 0, 0, 1], "dilation": [2, 1]}),
    Case("maxindices", {"size": 3, "stride": 2, "pad": "same"}),
    Case("maxindices", {"size": "K"}, at={"K": 3}),
    Case("maxindices", {"size": 3, "stride": 2, "pad": 1}, (LINE,)),
    Case("maxindices", {"size": [2, 3, 2], "stride": 2, "dilation": [1, 2, 1]}, (VOLUME,)),
    _unpooled({"size": 2}, h=4, w=4),
    _unpooled({"size": 2, "rounding": "ceil"}, h=5, w=4),
    _unpooled({"size": [2, 3]}, h=4, w=2),
    _unpooled({"size": 2, "stride": 3}, h=3, w=3),
    _unpooled({"size": 2, "pad": 1}, h=5, w=5),
    _unpooled({"size": 3, "pad": [1, 0, 0, 1], "rounding": "ceil"}, h=4, w=3),
    _unpooled({"size": 2, "stride": 3, "dilation": 2}, h=3, w=2),
    _unpooled({"size": 2, "pad": "same"}, h=5, w=4),
    _unpooled({"size": "K"}, h=3, w=2, K=3),
    _unpooled({"size": 2, "pad": 1}, values=("N", 4, "l"), of=LINE, l=6),
    _unpooled({"size": [2, 3, 2]}, values=("N", 4, "d", "h", "w"), of=VOLUME, d=2, h=3, w=4),
)

REFUSED = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S204", Case("maxindices", {"size": 2}, (ROW,)), Case("maxindices", {"size": 2})),
    ("S204", _unpooled({"size": 2}, values=ROW), _unpooled({"size": 2}, h=4, w=4)),
    ("S220", Case("maxindices", {"size": [2, 2]}, (LINE,)), Case("maxindices", {"size": 2}, (LINE,))),
    ("S202", _unpooled({"size": 2}, values=("N", 4, 4)), _unpooled({"size": 2}, h=4, w=4)),
    ("S217", _unpooled({"size": 3, "stride": 2}, h=4, w=3), _unpooled({"size": 3, "stride": 3}, h=3, w=2)),
    ("S202", _unpooled({"size": 2}, values=("N", 3, "h", "w"), h=4, w=4), _unpooled({"size": 2}, h=4, w=4)),
)
# fmt: on

ORACLES = {
    "maxindices": lambda inputs, settings, _arrays: naive.max_indices(inputs[0], **settings),
    "unpool": lambda inputs, settings, _arrays: naive.max_unpool(*inputs, **settings),
}

FAMILY = Family(CASES, REFUSED, ORACLES)
