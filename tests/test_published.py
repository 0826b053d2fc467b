"""Published figures of well-known networks, built here with the Python API and planned symbolically.

Parameters and multiply-accumulates: weight metadata of torchvision 0.27 (`num_params`, `_ops`, `min_size`),
MACs to the last digit from PyTorch's FlopCounterMode / 2. Receptive fields of VGG-16: the table of
google-research/receptive_field; of the ResNets: longest-path arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import planner
import planner.symbols as sy
from planner import Entry, Network, Plan, layer

VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Filters and number of convolutions of each stage (arXiv:1409.1556, table 1, D)."""

MOBILENET_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, filters, repetitions and first stride (arXiv:1801.04381, table 2)."""

FIRES = ((16, 64), (16, 64), (32, 128), None, (32, 128), (48, 192), (48, 192), (64, 256), None, (64, 256))
"""Filters that squeeze and that expand, None for a pooling (arXiv:1602.07360, table 1)."""

DENSENET121 = (6, 12, 24, 16)
"""Layers of each dense block (arXiv:1608.06993, table 1)."""


def conv(
    name: str,
    filters: int,
    kernel: int,
    source: str | None = None,
    act: str | None = "relu",
    stride: int = 1,
    groups: int = 1,
) -> Entry:
    """Return a convolution that keeps the size at stride 1, with batch norm behind it."""
    return layer(
        "conv",
        name=name,
        from_=source,
        filters=filters,
        kernel=kernel,
        stride=stride,
        pad=kernel // 2,
        groups=groups,
        bias=False,
        norm="batch",
        act=act,
    )


def vgg16_maps(norm: str | None = None) -> Iterator[Entry]:
    for stage, (filters, depth) in enumerate(VGG16, start=1):
        for index in range(1, depth + 1):
            yield layer("conv", name=f"conv{stage}_{index}", filters=filters, kernel=3, pad=1, norm=norm, act="relu")
        yield layer("maxpool", name=f"pool{stage}", size=2)


def vgg16_bn() -> Iterator[Entry]:
    yield from vgg16_maps("batch")
    yield layer("flatten")
    yield layer("dense", units=4096, act="relu")
    yield layer("dense", units=4096, act="relu")
    yield layer("dense", units=1000)


def classifier(units: int = 1000) -> Iterator[Entry]:
    yield layer("gap", name="pooled")
    yield layer("flatten")
    yield layer("dense", units=units)


def resnet(depths: tuple[int, ...], bottleneck: bool) -> Iterator[Entry]:
    yield conv("stem", 64, 7, stride=2)
    yield layer("maxpool", name="pool", size=3, stride=2, pad=1)
    source, channels = "pool", 64
    for stage, depth in enumerate(depths):
        width = 64 * 2**stage
        for index in range(depth):
            name, stride = f"s{stage}_{index}", 2 if stage and not index else 1
            if bottleneck:
                wide = 4 * width
                yield conv(f"{name}_a", width, 1, source)
                yield conv(f"{name}_b", width, 3, stride=stride)
                yield conv(f"{name}_c", wide, 1, act=None)
            else:
                wide = width
                yield conv(f"{name}_a", width, 3, source, stride=stride)
                yield conv(f"{name}_c", wide, 3, act=None)
            if stride != 1 or channels != wide:
                yield conv(f"{name}_skip", wide, 1, source, act=None, stride=stride)
                source = f"{name}_skip"
            yield layer("add", name=name, from_=(f"{name}_c", source), act="relu")
            source, channels = name, wide
    yield from classifier()


def squeezenet() -> Iterator[Entry]:
    yield layer("conv", filters=96, kernel=7, stride=2, act="relu")
    yield layer("maxpool", size=3, stride=2, rounding="ceil")
    for index, fire in enumerate(FIRES):
        if fire is None:
            yield layer("maxpool", size=3, stride=2, rounding="ceil")
            continue
        squeeze, expand = fire
        yield layer("conv", name=f"f{index}", filters=squeeze, kernel=1, act="relu")
        yield layer("conv", name=f"f{index}_1", filters=expand, kernel=1, act="relu", from_=f"f{index}")
        yield layer("conv", name=f"f{index}_3", filters=expand, kernel=3, pad=1, act="relu", from_=f"f{index}")
        yield layer("concat", from_=(f"f{index}_1", f"f{index}_3"))
    yield layer("dropout")
    yield layer("conv", filters=1000, kernel=1, act="relu")
    yield layer("gap", name="pooled")
    yield layer("flatten")


def mobilenet_v2() -> Iterator[Entry]:
    yield conv("stem", 32, 3, stride=2, act="relu6")
    source, channels, block = "stem", 32, 0
    for expansion, filters, depth, first in MOBILENET_V2:
        for index in range(depth):
            name, stride, wide = f"b{block}", 1 if index else first, expansion * channels
            before = source
            if expansion > 1:
                yield conv(f"{name}_wide", wide, 1, source, act="relu6")
                before = f"{name}_wide"
            yield conv(f"{name}_deep", wide, 3, before, act="relu6", stride=stride, groups=wide)
            yield conv(f"{name}_flat", filters, 1, act=None)
            if stride == 1 and channels == filters:
                yield layer("add", name=name, from_=(source, f"{name}_flat"))
                source = name
            else:
                source = f"{name}_flat"
            channels, block = filters, block + 1
    yield conv("head", 1280, 1, source, act="relu6")
    yield layer("gap", name="pooled")
    yield layer("flatten")
    yield layer("dropout", rate=0.2)
    yield layer("dense", units=1000)


def densenet121() -> Iterator[Entry]:
    yield conv("stem", 64, 7, stride=2)
    yield layer("maxpool", name="pool", size=3, stride=2, pad=1)
    source, channels = "pool", 64
    for stage, depth in enumerate(DENSENET121):
        parts = [source]
        for index in range(depth):
            name = f"d{stage}_{index}"
            if len(parts) > 1:
                yield layer("concat", name=f"{name}_all", from_=parts)
            yield layer("batchnorm", name=f"{name}_n", from_=f"{name}_all" if len(parts) > 1 else source)
            yield layer("relu")
            yield conv(f"{name}_a", 128, 1)
            yield layer("conv", name=name, filters=32, kernel=3, pad=1, bias=False)
            parts.append(name)
            channels += 32
        yield layer("concat", name=f"d{stage}", from_=parts)
        yield layer("batchnorm", act="relu")
        if stage < 3:
            channels //= 2
            yield layer("conv", filters=channels, kernel=1, bias=False)
            yield layer("avgpool", name=f"t{stage}", size=2)
            source = f"t{stage}"
    yield from classifier()


NETWORKS: dict[str, Callable[[], Iterator[Entry]]] = {
    "vgg16_bn": vgg16_bn,
    "resnet18": lambda: resnet((2, 2, 2, 2), bottleneck=False),
    "resnet50": lambda: resnet((3, 4, 6, 3), bottleneck=True),
    "squeezenet1_0": squeezenet,
    "mobilenet_v2": mobilenet_v2,
    "densenet121": densenet121,
}


@cache
def plan_of(name: str) -> Plan:
    # How wide the first dense layer of VGG is depends on the image; torchvision counts it at 224.
    shape = ("N", 3, 224, 224) if name == "vgg16_bn" else ("N", 3, "H", "W")
    return Network(name=name, input={"image": shape}, layers=NETWORKS[name]()).check()


@pytest.mark.parametrize(
    ("name", "parameters", "macs"),
    [
        ("vgg16_bn", 138_365_992, 15_470_264_320),
        ("resnet18", 11_689_512, 1_814_073_344),
        ("resnet50", 25_557_032, 4_089_184_256),
        ("squeezenet1_0", 1_248_424, 818_924_576),
        ("mobilenet_v2", 3_504_872, 300_774_272),
        ("densenet121", 7_978_856, 2_834_161_664),
    ],
)
def test_parameters_and_multiply_accumulates_agree_with_torchvision(name: str, parameters: int, macs: int) -> None:
    plan = plan_of(name)
    assert plan.parameters == parameters
    assert sy.evaluate(plan.macs, {"N": 1, "H": 224, "W": 224}) == macs


@pytest.mark.parametrize(
    ("name", "smallest"),
    [("resnet18", 1), ("resnet50", 1), ("squeezenet1_0", 21), ("mobilenet_v2", 1), ("densenet121", 29)],
)
def test_the_smallest_input_agrees_with_torchvision(name: str, smallest: int) -> None:
    plan = plan_of(name)
    assert [plan.accepts(N=1, H=size, W=size) for size in range(1, 41)] == [size >= smallest for size in range(1, 41)]


def test_the_example_spec_of_resnet18_is_the_published_network() -> None:
    plan = planner.load(str(Path(__file__).parents[1] / "examples" / "resnet18.yaml")).check()
    assert plan.parameters == 11_689_512
    assert sy.evaluate(plan.macs, {"N": 1, "H": 224, "W": 224}) == 1_814_073_344
    assert plan.accepts(N=1, H=1, W=1)


def test_the_example_spec_of_inception_v3_needs_75_rows() -> None:
    plan = planner.load(str(Path(__file__).parents[1] / "examples" / "inception_v3.yaml")).check()
    assert [size for size in range(1, 200) if plan.accepts(N=1, H=size, W=size)] == [*range(75, 200)]


def alexnet_maps() -> Iterator[Entry]:
    """Yield the convolutions and poolings of AlexNet as in torchvision; what follows takes a map of any size."""
    yield layer("conv", filters=64, kernel=11, stride=4, pad=2, act="relu")
    yield layer("maxpool", size=3, stride=2)
    yield layer("conv", filters=192, kernel=5, pad=2, act="relu")
    yield layer("maxpool", size=3, stride=2)
    yield layer("conv", filters=384, kernel=3, pad=1, act="relu")
    yield layer("conv", filters=256, kernel=3, pad=1, act="relu")
    yield layer("conv", filters=256, kernel=3, pad=1, act="relu")
    yield layer("maxpool", size=3, stride=2)


def vgg11_maps() -> Iterator[Entry]:
    """Yield the convolutions and poolings of VGG-11."""
    for filters, depth in ((64, 1), (128, 1), (256, 2), (512, 2), (512, 2)):
        for _ in range(depth):
            yield layer("conv", filters=filters, kernel=3, pad=1, act="relu")
        yield layer("maxpool", size=2)


@pytest.mark.parametrize(("maps", "smallest"), [(alexnet_maps, 63), (vgg11_maps, 32), (vgg16_maps, 32)])
def test_the_maps_of_alexnet_and_vgg_need_as_many_rows_as_in_torchvision(
    maps: Callable[[], Iterator[Entry]], smallest: int
) -> None:
    plan = Network(name="maps", input={"image": ("N", 3, "H", "W")}, layers=maps()).check()
    assert [size for size in range(1, 100) if plan.accepts(N=1, H=size, W=size)] == [*range(smallest, 100)]


@pytest.mark.parametrize(
    ("name", "size", "stride", "padding"),
    [
        ("conv1_1", 3, 1, 1),
        ("pool1", 6, 2, 2),
        ("pool2", 16, 4, 6),
        ("pool3", 44, 8, 18),
        ("pool4", 100, 16, 42),
        ("conv5_1", 132, 16, 58),
        ("pool5", 212, 32, 90),
    ],
)
def test_receptive_fields_of_vgg16_agree_with_the_table(name: str, size: int, stride: int, padding: int) -> None:
    plan = Network(name="vgg16", input={"image": ("N", 3, "H", "W")}, layers=vgg16_maps()).check()
    field = plan.by_name[name].receptive_field
    assert field is not None
    assert (field.size, field.jump, field.start) == ((size, size), (stride, stride), (-padding, -padding))


@pytest.mark.parametrize(("name", "size"), [("resnet18", 435), ("resnet50", 427)])
def test_receptive_fields_of_resnets_are_those_of_their_longest_path(name: str, size: int) -> None:
    plan = plan_of(name)
    (last_map,) = plan.by_name["pooled"].inputs
    field = plan.by_name[last_map].receptive_field
    assert field is not None
    assert (field.size, field.jump) == ((size, size), (32, 32))
