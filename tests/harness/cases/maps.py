"""Conformance cases of layers that make maps larger or smaller without weights, and what judges them."""

from __future__ import annotations

from tests.harness import naive
from tests.harness.cases.case import LINE, MAP, ROW, VOLUME, Case, Family

# fmt: off
CASES = (
    Case("upsample", {"scale": 2}),
    Case("upsample", {"scale": [3, 1]}),
    Case("upsample", {"scale": "S"}, at={"S": 2}),
    Case("upsample", {"scale": 3}, (LINE,)),
    Case("upsample", {"scale": [1, 2, 3]}, (VOLUME,)),
    Case("resize", {"scale": 2}),
    Case("resize", {"size": 7}, (LINE,)),
    Case("resize", {"size": [9, 4, 3]}, (VOLUME,)),
    Case("resize", {"scale": 2, "mode": "bilinear"}, (LINE,)),
    Case("resize", {"size": [3, 12, 5], "mode": "bilinear"}, (VOLUME,)),
    Case("resize", {"size": [9, 4, 20], "mode": "bilinear", "align_corners": True}, (VOLUME,)),
    Case("resize", {"size": [13, 5]}),
    Case("resize", {"scale": 1.5}),
    Case("resize", {"scale": [0.5, 2]}),
    Case("resize", {"scale": 2.5, "mode": "bilinear"}),
    Case("resize", {"scale": [0.75, 1.5], "mode": "bilinear"}),
    Case("resize", {"scale": 0.6, "mode": "bilinear", "align_corners": True}),
    Case("resize", inputs=(MAP, ("N", 2, "G", "V")), at={"G": 6, "V": 11}),
    Case("resize", {"scale": [2, 3], "mode": "bilinear"}),
    Case("resize", {"scale": "S", "mode": "bilinear", "align_corners": True}, at={"S": 2}),
    Case("resize", {"size": [13, 5], "mode": "bilinear"}),
    Case("resize", {"size": [1, 20], "mode": "bilinear", "align_corners": True}),
    Case("resize", {"size": "F", "mode": "bilinear"}, at={"F": 4}),
    Case("resize", {"mode": "bilinear"}, (MAP, ("N", 2, "G", "V")), at={"G": 6, "V": 11}),
    Case("pad", {"pad": 1}),
    Case("pad", {"pad": [0, 1, 2, 3]}),
    Case("pad", {"pad": "P"}, at={"P": 2}),
    Case("pad", {"pad": 1, "value": -1.5}),
    Case("pad", {"pad": 1, "mode": "reflect"}),
    Case("pad", {"pad": [0, 8, 7, 3], "mode": "reflect"}),
    Case("pad", {"pad": "P", "mode": "reflect"}, at={"P": 2}),
    Case("pad", {"pad": 2, "mode": "replicate"}),
    Case("pad", {"pad": [0, 11, 3, 1], "mode": "replicate"}),
    Case("pad", {"pad": [2, 1], "value": 2.5}, (LINE,)),
    Case("pad", {"pad": [3, 1], "mode": "reflect"}, (LINE,)),
    Case("pad", {"pad": [1, 0, 2]}, (VOLUME,)),
    Case("pad", {"pad": [1, 2, 0, 3, 1, 1], "mode": "reflect"}, (VOLUME,)),
    Case("pad", {"pad": [1, 6, 0, 2, 3, 1], "mode": "replicate"}, (VOLUME,)),
    Case("crop", {"size": 6}, (LINE,)),
    Case("crop", {"size": [2, 4, 3]}, (VOLUME,)),
    Case("crop", inputs=(VOLUME, ("N", 2, "B", "G", "V")), at={"B": 3, "G": 6, "V": 5}),
    Case("crop", inputs=(MAP, ("N", 2, "G", "V")), at={"G": 6, "V": 5}),
    Case("crop", inputs=(MAP, MAP)),
    Case("crop", {"size": [4, 5]}),
    Case("crop", {"size": "F"}, at={"F": 3}),
)

REFUSED = (
    # rule that is broken, case that breaks it, nearest case that does not
    ("S204", Case("upsample", {"scale": 2}, (ROW,)), Case("upsample", {"scale": 2})),
    ("S201", Case("resize", {"scale": 0.25}, (("N", 4, 3, 9),)), Case("resize", {"scale": 0.25}, (("N", 4, 4, 9),))),
    ("S204", Case("resize", {"scale": 2}, (ROW,)), Case("resize", {"scale": 2})),
    ("N109", Case("resize", {"scale": 2}, (MAP, MAP)), Case("resize", {"scale": 2})),
    ("N109", Case("resize"), Case("resize", inputs=(MAP, MAP))),
    ("S220", Case("upsample", {"scale": [2, 2]}, (LINE,)), Case("upsample", {"scale": 2}, (LINE,))),
    ("S220", Case("resize", {"scale": [2, 2]}, (LINE,)), Case("resize", {"scale": [2]}, (LINE,))),
    ("S202", Case("resize", inputs=(MAP, LINE)), Case("resize", inputs=(MAP, MAP))),
    ("S202", Case("crop", inputs=(LINE, MAP)), Case("crop", inputs=(LINE, LINE))),
    ("S220", Case("crop", {"size": [2, 2, 2]}), Case("crop", {"size": [2, 2]})),
    ("S220", Case("pad", {"pad": [1, 1, 1]}), Case("pad", {"pad": [1, 1]})),
    ("S204", Case("pad", {"pad": 1}, (ROW,)), Case("pad", {"pad": 1})),
    ("S206", Case("pad", {"pad": [0, 5, 0, 0], "mode": "reflect"}, (("N", 4, 5, 6),)),
             Case("pad", {"pad": [0, 4, 5, 0], "mode": "reflect"}, (("N", 4, 5, 6),))),
    ("S201", Case("crop", inputs=(("N", 4, 5, 5), ("N", 4, 6, 5))), Case("crop", inputs=(("N", 4, 5, 5), ("N", 4, 5, 5)))),
    ("S201", Case("crop", {"size": [3, 6]}, (("N", 4, 5, 5),)), Case("crop", {"size": [3, 5]}, (("N", 4, 5, 5),))),
    ("N109", Case("crop", {"size": 2}, (MAP, MAP)), Case("crop", {"size": 2})),
    ("N109", Case("crop"), Case("crop", inputs=(MAP, MAP))),
    ("S204", Case("crop", inputs=(MAP, ROW)), Case("crop", inputs=(MAP, MAP))),
)
# fmt: on

ORACLES = {
    "upsample": lambda inputs, settings, _arrays: naive.upsample(inputs[0], **settings),
    "resize": lambda inputs, settings, _arrays: naive.resize(*inputs, **settings),
    "pad": lambda inputs, settings, _arrays: naive.bordered(inputs[0], **settings),
    "crop": lambda inputs, settings, _arrays: naive.crop(*inputs, **settings),
}

FAMILY = Family(CASES, REFUSED, ORACLES)
