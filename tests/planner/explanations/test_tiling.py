"""Tiles: what is put together from them is what the network makes of the whole image, number for number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner
from planner import Entry, Network, SizeError, layer
from planner.explanations.tiling import AxisTiling, Tiling, tiling
from runtime import Model
from tests.harness.places import EXAMPLES


def network(*layers: Entry, channels: int = 2) -> Network:
    return Network(name="n", input={"image": ("N", channels, "H", "W")}, layers=layers)


def conv(name: str, kernel: int = 3, **more: Any) -> Entry:
    return layer("conv", name=name, filters=2, kernel=kernel, **more)


NETWORKS = {
    "one convolution": network(conv("c", 5, pad=2)),
    "no padding": network(conv("c", 4), layer("maxpool", name="p", size=2), conv("d")),
    "strides": network(conv("c", stride=2, pad=1, act="relu"), conv("d", stride=2, pad=1), conv("e", pad=1)),
    "same padding": network(conv("c", 4, pad="same"), conv("d", 3, stride=2, pad="same"), conv("e", 5, pad="same")),
    "ceil mode": network(
        conv("c", pad=1), layer("maxpool", name="p", size=3, stride=2, rounding="ceil"), conv("d", pad=1)
    ),
    "averages over padding": network(layer("avgpool", name="a", size=3, stride=1, pad=1), conv("c", pad=1)),
    "dilation and groups": network(conv("c", dilation=3, pad=3), conv("d", groups=2, pad=1), channels=2),
    "residual": network(
        conv("a", pad=1, norm="batch", act="relu"),
        conv("b", pad=1),
        layer("add", name="s", from_=["b", "image"]),
        conv("c", stride=2, pad=1),
        layer("conv", name="d", filters=2, kernel=1, stride=2, from_="s"),
        layer("add", name="t", from_=["c", "d"]),
    ),
    "hourglass": network(
        conv("a", pad=1),
        layer("maxpool", name="p", size=2),
        conv("b", pad=1),
        layer("upsample", name="u", scale=2),
        layer("concat", name="j", from_=["u", "a"]),
        conv("c", pad=1),
    ),
    "positions of maxima": network(
        conv("a", pad=1),
        layer("maxpool", name="p", size=2),
        conv("b", pad=1),
        layer("maxpool", name="q", size=2, stride=3),
        layer("unpool", name="v", pool="q"),
        conv("c", pad=1),
        layer("unpool", name="u", pool="p"),
        conv("d", pad=1),
    ),
    "unpadded hourglass": network(
        conv("a"),
        layer("maxpool", name="p", size=2),
        conv("b"),
        layer("convtranspose", name="u", filters=2, kernel=2, stride=2),
        layer("crop", name="k", from_=["a", "u"]),
        layer("concat", name="j", from_=["k", "u"]),
        conv("c"),
    ),
    "overlapping transposed": network(
        conv("a", stride=2, pad=1),
        layer("convtranspose", name="u", filters=2, kernel=4, stride=2, pad=1, act="relu"),
        conv("b", pad=1),
    ),
    "larger than the image": network(layer("upsample", name="u", scale=3), conv("a", pad=1)),
    "zeros around": network(layer("pad", name="z", pad=[2, 1, 0, 3]), conv("a", stride=2), layer("softmax", name="s")),
}


def whole(net: Network, image: np.ndarray[Any, np.dtype[np.float64]]) -> Model:
    plan = net.check()
    return Model(plan.bind(dtype="float64", N=1, H=image.shape[2], W=image.shape[3]), seed=0)


def stitched(net: Network, found: Tiling, image: np.ndarray[Any, np.dtype[np.float64]], tiles: tuple[int, int]) -> Any:
    """Return the output put together from tiles that models of their own size compute."""
    result, models = None, dict[tuple[int, int], Model]()
    output = whole(net, image)
    high, wide = (axis.pieces(image.shape[2 + i], tiles[i]) for i, axis in enumerate(found.axes))
    for row in high:
        for column in wide:
            part = image[:, :, row.start : row.stop, column.start : column.stop]
            model = models.setdefault((part.shape[2], part.shape[3]), whole(net, part))
            for name, array in output.parameters.items():
                model.parameters[name][:] = array
            kept = model(np.ascontiguousarray(part))[:, :, row.first : row.last, column.first : column.last]
            if result is None:
                result = np.full(output(image).shape, np.nan)
            rows, columns = row.last - row.first, column.last - column.first
            result[:, :, row.at : row.at + rows, column.at : column.at + columns] = kept
    return output(image), result


@pytest.mark.parametrize("name", NETWORKS)
def test_tiles_put_together_are_the_whole_image(name: str) -> None:
    net = NETWORKS[name]
    found = tiling(net)
    high, wide = found.axes
    tiles = (high.sizes.next(16) or 0, wide.sizes.next(20) or 0)
    sizes = [axis.accepted.next(size) or 0 for axis, size in zip(found.axes, (67, 54), strict=True)]
    sizes = [size - (size - tile) % axis.step for size, tile, axis in zip(sizes, tiles, found.axes, strict=True)]
    image = np.random.default_rng(3).normal(size=(1, 2, *sizes))
    expected, actual = stitched(net, found, image, tiles)
    assert len(high.pieces(sizes[0], tiles[0])) > 1
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


@given(st.data())
@settings(max_examples=25)
def test_any_tile_that_is_not_refused_gives_the_whole_image(data: st.DataObject) -> None:
    net = NETWORKS[data.draw(st.sampled_from(sorted(NETWORKS)))]
    found = tiling(net)
    sizes = [data.draw(st.integers(30, 60)) for _ in range(2)]
    tiles = data.draw(st.integers(12, 40)), data.draw(st.integers(12, 40))
    image = np.random.default_rng(5).normal(size=(1, 2, *sizes))
    try:
        expected, actual = stitched(net, found, image, tiles)
    except SizeError:
        return
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


def test_pieces_give_every_output_once_and_stay_inside_the_image() -> None:
    axis: AxisTiling = tiling(NETWORKS["hourglass"]).axes[0]
    for image in range(20, 80):
        for tile in range(12, 60, 4):
            try:
                pieces = axis.pieces(image, tile)
            except SizeError:
                continue
            filled = [at for piece in pieces for at in range(piece.at, piece.at + piece.last - piece.first)]
            assert filled == list(range(axis.outputs(image)))
            assert all(0 <= piece.start < piece.stop <= image for piece in pieces)
            assert all(piece.stop - piece.start <= tile for piece in pieces)


def test_the_sizes_that_waste_least_are_those_that_need_the_least_overlap() -> None:
    axis = tiling(NETWORKS["unpadded hourglass"]).axes[0]
    assert axis.sizes.minimum is not None
    assert axis.advance(axis.sizes.minimum) == axis.step == 2
    assert axis.overlap == axis.before + axis.after


def test_the_unpadded_u_net_s_tiles_are_the_sizes_that_lose_nothing() -> None:
    high, wide = tiling(planner.load(EXAMPLES / "unet.yaml")).axes
    assert high.sizes.text("H") == wide.sizes.text("H") == "H = 16k + 12, H >= 204"
    assert (high.step, int(high.stride), high.before, high.after) == (16, 1, 92, 96)
    # the paper's 572 -> 388: 384 of the 388 are on the grid of the whole image
    assert (high.outputs(572), high.advance(572)) == (388, 384)


def test_a_part_of_a_network_with_a_classifier_can_be_tiled() -> None:
    net = planner.load(EXAMPLES / "lenet5.yaml")
    with pytest.raises(SizeError, match="`flatten1` sees the whole feature map"):
        tiling(net)
    axis = tiling(net, "s4").axes[0]
    assert (axis.step, int(axis.stride), axis.overlap) == (4, 4, 12)


def test_refusals_name_the_reason_and_a_way_out() -> None:
    net = NETWORKS["strides"]
    axis = tiling(net).axes[0]
    with pytest.raises(SizeError) as refused:
        axis.pieces(64, 3)
    assert refused.value.findings[0].fixes
    two = Network(
        name="n",
        input={"a": ("N", 1, "H", "W"), "b": ("N", 1, "H", "W")},
        layers=[layer("add", name="s", from_=["a", "b"])],
    )
    with pytest.raises(SizeError, match="depends on 2 inputs"):
        tiling(two)
    symbolic = Network(name="n", input={"x": ("N", "C", "H", "W")}, layers=[layer("conv", filters="K", kernel=3)])
    with pytest.raises(SizeError, match="`C`, `K`"):
        tiling(symbolic)
    assert tiling(symbolic, at={"C": 3, "K": 4}).axes[0].overlap == 2
