"""Conformance cases of layers that cut out parts or move numbers to other places, and what judges them."""

from __future__ import annotations

from tests.harness import naive
from tests.harness.cases.case import LINE, MAP, ROW, VOLUME, Case, Family

# fmt: off
CASES = (
    Case("slice", {"start": 1}),
    Case("slice", {"stop": -1}),
    Case("slice", {"start": -3, "stop": -1, "axis": 2}),
    Case("slice", {"start": 1, "stop": 6, "step": 2, "axis": 3}),
    Case("slice", {"start": 2, "stop": 5, "axis": -1}),
    Case("slice", {"step": 3, "axis": -2}),
    Case("slice", {"start": 1, "stop": 5}, (ROW,)),
    Case("slice", {"start": "A", "stop": "B", "axis": 2}, at={"A": 2, "B": 7}),
    Case("slice", {"start": 1, "axis": 2}, (LINE,)),
    Case("slice", {"step": 2, "axis": 4}, (VOLUME,)),
    Case("split", {"parts": [2, 3], "part": 1, "axis": 2}, (VOLUME,)),
    Case("split", {"parts": 2, "part": 0}),
    Case("split", {"parts": 2, "part": 1}, (("N", "C", "H", "W"),), at={"C": 6}),
    Case("split", {"parts": 3, "part": 1, "axis": 2}),
    Case("split", {"parts": [1, 3], "part": 1}),
    Case("split", {"parts": [2, 4, 2], "part": 1, "axis": -1}),
    Case("split", {"parts": 3, "part": 2}, (ROW,)),
    Case("channel_shuffle", {"groups": 2}),
    Case("channel_shuffle", {"groups": 3}, (("N", "C", "H", "W"),), at={"C": 6}),
    Case("channel_shuffle", {"groups": 2}, (("N", 6, "H", "W"),)),
    Case("permute", {"order": [2, 3, 1]}),
    Case("permute", {"order": [1, -1, 2]}),
    Case("permute", {"order": [3, 1, 2]}, (("N", "C", "H", "W"),), at={"C": 2}),
    Case("permute", {"order": 1}, (ROW,)),
    Case("permute", {"order": [2, 1]}, (LINE,)),
    Case("permute", {"order": [4, 1, 2, 3]}, (VOLUME,)),
    Case("pixel_shuffle", {"scale": 2}),
    Case("pixel_shuffle", {"scale": 3}, (("N", "C", "H", "W"),), at={"C": 18, "H": 2, "W": 3}),
    Case("pixel_shuffle", {"scale": 2}, (LINE,)),
    Case("pixel_shuffle", {"scale": 2}, (("N", 8, 2, "H", 3),)),
    Case("pixel_unshuffle", {"scale": 2}, (("N", 2, "L"),), at={"L": 8}),
    Case("pixel_unshuffle", {"scale": 2}, (("N", 1, 4, "H", 2),), at={"H": 6}),
    Case("channel_shuffle", {"groups": 2}, (VOLUME,)),
    Case("pixel_unshuffle", {"scale": 2}, at={"H": 6, "W": 4}),
    Case("pixel_unshuffle", {"scale": 3}, (("N", 2, "H", "W"),), at={"H": 6, "W": 3}),
)

REFUSED = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S216", Case("slice", {"start": 4}), Case("slice", {"start": 3})),
    ("S216", Case("slice", {"start": 2, "stop": 5}), Case("slice", {"start": 2, "stop": 4})),
    ("S216", Case("slice", {"start": 2, "stop": 2}), Case("slice", {"start": 2, "stop": 3})),
    ("S216", Case("slice", {"start": -5}), Case("slice", {"start": -4})),
    ("S204", Case("slice", {"stop": 1, "axis": 4}), Case("slice", {"stop": 1, "axis": 3})),
    ("S204", Case("slice", {"stop": 1, "axis": -4}), Case("slice", {"stop": 1, "axis": -3})),
    ("S203", Case("split", {"parts": 3, "part": 0}), Case("split", {"parts": 4, "part": 0})),
    ("S216", Case("split", {"parts": [1, 2], "part": 0}), Case("split", {"parts": [1, 3], "part": 0})),
    ("S204", Case("split", {"parts": 2, "part": 0, "axis": 2}, (ROW,)), Case("split", {"parts": 2, "part": 0, "axis": 2}, (("N", 2, 4, 4),))),
    ("S203", Case("channel_shuffle", {"groups": 3}), Case("channel_shuffle", {"groups": 4})),
    ("S204", Case("permute", {"order": [2, 1]}), Case("permute", {"order": [2, 1, 3]})),
    ("S203", Case("pixel_shuffle", {"scale": 2}, (("N", 6, 2, 2),)), Case("pixel_shuffle", {"scale": 2}, (("N", 8, 2, 2),))),
    ("S204", Case("pixel_shuffle", {"scale": 1}, (ROW,)), Case("pixel_shuffle", {"scale": 1}, (MAP,))),
    ("S203", Case("pixel_unshuffle", {"scale": 2}, (("N", 1, 4, 5),)), Case("pixel_unshuffle", {"scale": 2}, (("N", 1, 4, 6),))),
    ("S204", Case("pixel_unshuffle", {"scale": 1}, (ROW,)), Case("pixel_unshuffle", {"scale": 1}, (MAP,))),
)
# fmt: on

ORACLES = {
    "slice": lambda inputs, settings, _arrays: naive.slice_of(inputs[0], **settings),
    "split": lambda inputs, settings, _arrays: naive.split(inputs[0], **settings),
    "permute": lambda inputs, settings, _arrays: naive.permute(inputs[0], **settings),
    "channel_shuffle": lambda inputs, settings, _arrays: naive.channel_shuffle(inputs[0], **settings),
    "pixel_shuffle": lambda inputs, settings, _arrays: naive.pixel_shuffle(inputs[0], **settings),
    "pixel_unshuffle": lambda inputs, settings, _arrays: naive.pixel_unshuffle(inputs[0], **settings),
}

FAMILY = Family(CASES, REFUSED, ORACLES)
