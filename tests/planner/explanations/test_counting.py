"""Other tools' counts, reproduced: against numbers measured with them, and against PyTorch where it is installed."""

from __future__ import annotations

from typing import Any

import pytest

import planner
from planner import Network, layer
from planner.explanations.counting import CONVENTIONS, TOOLS, Tool, sentence, tally
from tests.harness import build
from tests.harness.cases import CASES, Case
from tests.harness.places import EXAMPLES

# Measured with torchinfo 1.8.0, thop 0.1.1.post2209072238, fvcore 0.1.5.post20221221 and PyTorch 2.13.0, in
# evaluation mode, one module each: (kind, settings, input shape, torchinfo, thop, fvcore, torch).
MEASURED: list[tuple[str, dict[str, Any], tuple[int, ...], int, int, int, int]] = [
    ("conv", {"filters": 6, "kernel": 5}, (2, 3, 12, 10), 43776, 43200, 43200, 86400),
    ("conv", {"filters": 6, "kernel": 5, "bias": False}, (2, 3, 12, 10), 43200, 43200, 43200, 86400),
    ("conv", {"filters": 8, "kernel": 3, "stride": 2, "pad": 1}, (1, 4, 9, 11), 8880, 8640, 8640, 17280),
    ("conv", {"filters": 8, "kernel": 3, "groups": 2}, (2, 4, 9, 9), 14896, 14112, 14112, 28224),
    ("conv", {"filters": 8, "kernel": 3, "groups": 2, "bias": False}, (2, 4, 9, 9), 14112, 14112, 14112, 28224),
    ("conv", {"filters": 8, "kernel": 3, "groups": 8, "bias": False}, (1, 8, 9, 9), 3528, 3528, 3528, 7056),
    ("conv", {"filters": 8, "kernel": 3, "dilation": 2}, (1, 4, 9, 9), 7400, 7200, 7200, 14400),
    (
        "convtranspose",
        {"filters": 6, "kernel": 3, "stride": 2, "pad": 1, "output_pad": 1},
        (2, 4, 5, 7),
        62160,
        60480,
        15120,
        30240,
    ),
    ("convtranspose", {"filters": 6, "kernel": 2, "stride": 2, "bias": False}, (2, 4, 5, 7), 26880, 26880, 6720, 13440),
    ("convtranspose", {"filters": 6, "kernel": 3, "stride": 2, "groups": 2}, (2, 4, 5, 7), 37620, 35640, 7560, 15120),
    ("dense", {"units": 4}, (3, 10), 132, 120, 120, 240),
    ("dense", {"units": 4, "bias": False}, (3, 10), 120, 120, 120, 240),
    ("batchnorm", {}, (1, 8, 10, 10), 16, 3200, 1600, 0),
    ("batchnorm", {}, (3, 8, 10, 10), 48, 9600, 4800, 0),
    ("batchnorm", {"affine": False}, (2, 8, 10, 10), 0, 3200, 1600, 0),
    ("batchnorm", {}, (3, 8), 48, 96, 48, 0),
    ("layernorm", {}, (2, 4, 6, 5), 16, 960, 1200, 0),
    ("layernorm", {"over": "all"}, (2, 4, 6, 5), 480, 960, 1200, 0),
    ("layernorm", {"over": "all", "affine": False}, (2, 4, 6, 5), 0, 480, 960, 0),
    ("groupnorm", {"groups": 2}, (2, 4, 6, 5), 16, 0, 1200, 0),
    ("groupnorm", {"groups": 2, "affine": False}, (2, 4, 6, 5), 0, 0, 960, 0),
    ("instancenorm", {}, (2, 4, 6, 5), 0, 480, 960, 0),
    ("instancenorm", {"affine": True}, (2, 4, 6, 5), 16, 960, 1200, 0),
    ("instancenorm", {"running": True}, (2, 4, 6, 5), 0, 480, 960, 0),
    ("instancenorm", {"running": True, "affine": True}, (2, 4, 6, 5), 16, 960, 1200, 0),
    ("lrn", {"size": 3}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("adaptive_avgpool", {"size": [3, 5]}, (2, 4, 6, 5), 0, 360, 240, 0),
    ("adaptive_avgpool", {"size": [4, 9]}, (2, 4, 6, 5), 0, 528, 240, 0),
    ("adaptive_maxpool", {"size": 3}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("lppool", {"size": 2}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("avgpool", {"size": 2, "divisor": 3}, (2, 4, 6, 5), 0, 48, 0, 0),
    ("resize", {"scale": 2}, (2, 4, 6, 5), 0, 960, 960, 0),
    ("resize", {"scale": 2, "mode": "bilinear"}, (2, 4, 6, 5), 0, 10560, 3840, 0),
    ("resize", {"scale": 1.5}, (2, 4, 6, 4), 0, 432, 432, 0),
    ("resize", {"scale": 1.5, "mode": "bilinear"}, (2, 4, 6, 4), 0, 4752, 1728, 0),
    ("pad", {"pad": 1, "mode": "reflect"}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("maxpool", {"size": 2}, (2, 4, 8, 8), 0, 0, 0, 0),
    ("avgpool", {"size": 2}, (2, 4, 8, 8), 0, 128, 0, 0),
    ("avgpool", {"size": 3, "stride": 2, "pad": 1}, (2, 4, 8, 8), 0, 128, 0, 0),
    ("sumpool", {"size": 2}, (2, 4, 8, 8), 0, 0, 0, 0),
    ("gap", {}, (2, 4, 6, 5), 0, 248, 240, 0),
    ("gmp", {}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("gsp", {}, (2, 4, 6, 5), 0, 0, 0, 0),
    *[
        (kind, {}, (2, 4, 6, 5), 0, 0, 0, 0)
        for kind in (
            "relu",
            "relu6",
            "leaky_relu",
            "elu",
            "tanh",
            "sigmoid",
            "silu",
            "gelu",
            "softplus",
            "selu",
            "hard_sigmoid",
            "hard_swish",
            "mish",
        )
    ],
    ("prelu", {}, (2, 4, 6, 5), 2, 240, 0, 0),
    ("prelu", {"per_channel": True}, (2, 4, 6, 5), 8, 240, 0, 0),
    ("layer_scale", {}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("shift", {}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("softmax", {}, (2, 4, 6, 5), 0, 660, 0, 0),
    ("softmax", {}, (3, 10), 0, 87, 0, 0),
    ("log_softmax", {}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("dropout", {}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("dropout2d", {}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("permute", {"order": [2, 3, 1]}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("squeeze", {"axis": 1}, (2, 1, 6, 5), 0, 0, 0, 0),
    ("rescale", {"scale": 2, "shift": 1}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("flatten", {}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("add", {"from_": ["x", "x"]}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("subtract", {"from_": ["x", "x"]}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("multiply", {"from_": ["x", "x"]}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("maximum", {"from_": ["x", "x"]}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("concat", {"from_": ["x", "x"]}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("slice", {"start": 1, "stop": 3}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("split", {"parts": 2, "part": 1}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("channel_shuffle", {"groups": 2}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("pixel_shuffle", {"scale": 2}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("pixel_unshuffle", {"scale": 2}, (2, 4, 6, 4), 0, 0, 0, 0),
    ("upsample", {"scale": 2}, (2, 4, 6, 5), 0, 960, 960, 0),
    ("pad", {"pad": 1}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("crop", {"size": 2}, (2, 4, 6, 5), 0, 0, 0, 0),
    ("reshape", {"shape": [2, 10, 6]}, (2, 4, 6, 5), 0, 0, 0, 0),
]

# whole networks, each layer a module: (file, sizes, torchinfo, thop, fvcore, torch)
NETWORKS = [
    ("lenet5", {"N": 1}, 423038, 418096, 416520, 833040),
    ("lenet5", {"N": 4}, 1692152, 1672384, 1666080, 3332160),
    ("resnet18", {"N": 1, "H": 224, "W": 224}, 1814083944, 1824033792, 1819065856, 3628146688),
    ("resnet18", {"N": 2, "H": 96, "W": 64}, 445182672, 447601664, 446384128, 890322944),
]
MEASURED_TOOLS: tuple[Tool, ...] = ("torchinfo", "thop", "fvcore", "torch")


def one(kind: str, settings: dict[str, Any], shape: tuple[int | str, ...]) -> planner.Plan:
    return Network(name="n", input={"x": shape}, layers=[layer(kind, name="it", **settings)]).check()


@pytest.mark.parametrize(("kind", "settings", "shape", "torchinfo", "thop", "fvcore", "torch"), MEASURED)
def test_a_layer_counts_what_each_tool_was_measured_to_say(
    kind: str, settings: dict[str, Any], shape: tuple[int, ...], torchinfo: int, thop: int, fvcore: int, torch: int
) -> None:
    totals = tally(one(kind, settings, shape)).totals
    assert [totals[tool] for tool in MEASURED_TOOLS] == [torchinfo, thop, fvcore, torch]
    assert totals["flop"] == 2 * totals["mac"]


@pytest.mark.parametrize(("name", "sizes", "torchinfo", "thop", "fvcore", "torch"), NETWORKS)
def test_a_network_counts_what_each_tool_was_measured_to_say(
    name: str, sizes: dict[str, int], torchinfo: int, thop: int, fvcore: int, torch: int
) -> None:
    plan = planner.load(EXAMPLES / f"{name}.yaml").check()
    totals = tally(plan, at=sizes).totals
    assert [totals[tool] for tool in MEASURED_TOOLS] == [torchinfo, thop, fvcore, torch]
    assert totals["mac"] == plan.bind(dtype="float32", **sizes).macs


@pytest.mark.parametrize("tool", TOOLS)
def test_layers_add_up_and_differences_explain_every_operation(tool: Tool) -> None:
    plan = planner.load(EXAMPLES / "resnet18.yaml").check()
    found = tally(plan, at={"N": 3, "H": 65, "W": 33})
    assert sum(row.counts[tool] for row in found.rows) == found.totals[tool]
    explained = CONVENTIONS[tool].each * found.totals["mac"] + sum(d.more for d in found.differences[tool])
    assert explained == found.totals[tool]


def test_formulas_give_at_a_size_what_is_counted_at_that_size() -> None:
    plan = planner.load(EXAMPLES / "resnet18.yaml").check()
    free, sizes = tally(plan), {"N": 2, "H": 64, "W": 96}
    bound = tally(plan, at=sizes)
    for tool in TOOLS:
        assert planner.symbols.substitute(free.totals[tool], sizes) == bound.totals[tool]


def test_the_sentence_names_the_layers_that_make_the_difference() -> None:
    found = tally(planner.load(EXAMPLES / "lenet5.yaml").check(), at={"N": 1})
    text = sentence(found, "thop")
    assert text.startswith("thop: 418,096, which is the 416,520 MACs and 1,576 more: avgpool +1,576")
    assert sentence(found, "torch") == "torch: 833,040, 2 for each of 416,520 MACs and nothing else"
    assert "bias" in sentence(found, "torchinfo")


def test_only_the_layers_asked_for_are_counted() -> None:
    found = tally(planner.load(EXAMPLES / "lenet5.yaml").check(), ["thop"], {"N": 1}, only=["s2"])
    assert [row.name for row in found.rows] == ["s2"]
    assert found.totals == {"thop": 1176}


ALONE = [case for case in CASES if case.kind != "input" and case.partner is None]
"""Cases of layers that need no other layer beside them."""


@pytest.mark.other_frameworks
@pytest.mark.parametrize("case", ALONE, ids=lambda case: case.id)
def test_pytorch_s_own_counter_says_the_same_where_it_is_installed(case: Case) -> None:
    torch = pytest.importorskip("torch", exc_type=ImportError)
    from torch.utils.flop_counter import FlopCounterMode

    from tests.harness.torch_judge import FUNCTIONS, NoOpinionError

    inputs = build.inputs_of(case)
    layers = build.entries(case, list(inputs))
    bound = Network(name="n", input=inputs, layers=layers).check().bind(dtype="float32", **case.sizes)
    node = bound.by_name[build.TESTED]
    arrays = {array.name: torch.zeros(array.shape) for array in (*node.parameters.values(), *node.buffers.values())}
    given = [torch.zeros(bound.by_name[name].output_shape) for name in inputs]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        try:
            FUNCTIONS[case.kind](given, case.defined(case.sizes), arrays, False)
        except NoOpinionError:
            pytest.skip("torch has no such function")
    assert tally(bound.plan, ["torch"], case.sizes).totals == {"torch": counter.get_total_flops()}
