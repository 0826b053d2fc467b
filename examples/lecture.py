"""Convolutional networks in seven steps, from one window on a 7x7 image to a network that learns.

Run it with ``python examples/lecture.py``. Every printed number is computed twice: planned as a formula
before anything runs, and then by running the network. The script stops with an error if the two differ.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

import planner.symbols as sy
import shapeplan
from shapeplan import Entry, Plan

Array = npt.NDArray[np.float32]

IMAGE = np.array(
    [
        [1, 1, 1, 0, 0, 1],
        [0, 1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 1],
        [1, 0, 0, 1, 0, 0],
        [0, 0, 1, 1, 1, 1],
        [0, 1, 1, 0, 0, 0],
    ]
)
"""An image of 6x6 black or white dots."""

FILTER = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
"""A filter that finds a saltire: four corners and the middle."""

MAP = np.array([[4, 3, 4, 3], [2, 4, 2, 3], [2, 2, 5, 4], [2, 3, 2, 2]])
"""The result of the filter on the image."""


def title(number: int, text: str) -> None:
    """Print the heading of a step."""
    print(f"\n{number}. {text}\n{'-' * (len(text) + 3)}")


def picture(numbers: npt.NDArray[np.floating | np.integer], indent: str = "    ") -> str:
    """Return a map of numbers as lines of text."""
    return "\n".join(indent + " ".join(f"{value:5g}" for value in row) for row in numbers)


def plan(size: tuple[int | str, ...], layers: Iterable[Entry]) -> Plan:
    """Return the checked plan of a few layers on an image of the given size."""
    return shapeplan.Network(name="lecture", input={"image": size}, layers=layers).check()


def run(layers: Iterable[Entry], image: npt.NDArray[np.integer], **weights: npt.NDArray[np.integer]) -> Array:
    """Return the output of layers for one image with one channel, with some of their weights given."""
    bound = plan(("N", 1, "H", "W"), layers).bind(N=1, H=image.shape[0], W=image.shape[1])
    model = shapeplan.Model(bound, seed=0)
    for name, values in weights.items():
        model.parameters[f"{name}.weight"][...] = values
    found: Array = model(image[None, None].astype(np.float32))[0, 0]
    return found


def step_1_how_many_places_a_window_has() -> None:
    """Show a 7x7 image, a 3x3 filter, and three strides, one of which does not fit."""
    title(1, "How many positions does a 3x3 window have on a 7x7 image?")
    formula = plan((1, 1, "N", "N"), [shapeplan.conv(name="c", filters=1, kernel="F", stride="S")])
    height = formula.output_shapes["c"][2]
    print(f"  As a formula, for any image N, filter F and stride S:  {sy.text(height)}\n")
    for stride in (1, 2):
        entry = shapeplan.conv(name="c", filters=1, kernel=3, stride=stride, rounding="exact")
        *_, high, wide = plan((1, 1, 7, 7), [entry]).output_shapes["c"]
        print(f"  stride {stride}:  (7 - 3)/{stride} + 1 = {high}    ->  {high} x {wide}")
        assert (high, wide) == ((5, 5), (3, 3))[stride - 1]
        assert sy.evaluate(height, {"N": 7, "F": 3, "S": stride}) == high

    third = shapeplan.conv(name="c", filters=1, kernel=3, stride=3, rounding="exact")
    try:
        plan((1, 1, 7, 7), [third])
    except shapeplan.ShapeError as refusal:
        (finding,) = {found.code: found for found in refusal.findings}.values()
        print("  stride 3:  (7 - 3)/3 + 1 = 7/3  ->  does not fit. The planner reports:")
        print(f"             {finding.message}")
        assert finding.code == "S208"
    else:
        raise AssertionError("stride 3 was accepted")
    dropping = plan((1, 1, 7, 7), [shapeplan.conv(name="c", filters=1, kernel=3, stride=3)])
    print("  Most libraries round down silently. shapeplan can round down too, with a warning:")
    print(f"             {dropping.warnings[0].message}")
    assert dropping.output_shapes["c"] == (1, 1, 2, 2)


def step_2_six_filters_on_a_colour_image() -> None:
    """Apply six 5x5x3 filters to a 32x32x3 image: the output is 28x28x6, and there are 456 numbers to learn."""
    title(2, "Six 5x5x3 filters on a 32x32 colour image")
    checked = plan(("N", 3, 32, 32), [shapeplan.conv(name="c1", filters=6, kernel=5)])
    shape = checked.output_shapes["c1"]
    print("  side          (32 - 5)/1 + 1 = 28")
    print(f"  output        {sy.shape_text(shape)}   (N images, channels, rows, columns)")
    print(f"  parameters    6 x (5 x 5 x 3 + 1) = 6 x 76 = {checked.parameter_count}")
    assert tuple(shape[1:]) == (6, 28, 28)
    assert checked.parameter_count == 456

    model = shapeplan.Model(checked.bind(N=1), seed=1)
    image = np.random.default_rng(2).standard_normal((1, 3, 32, 32)).astype(np.float32)
    y = model(image)
    weight, bias = model.parameters["c1.weight"], model.parameters["c1.bias"]
    bias[...] = np.arange(6) / 10
    y = model(image)
    patch, taps = image[0, :, 10:15, 20:25].ravel(), weight[4].ravel()
    by_hand = float(np.dot(patch, taps) + bias[4])
    print(f"  one number    filter 4 at row 10, column 20: a dot product of {patch.size} numbers, plus bias")
    print(f"                by hand {by_hand:+.5f}, by the network {float(y[0, 4, 10, 20]):+.5f}")
    assert patch.size == taps.size == 75
    assert abs(by_hand - float(y[0, 4, 10, 20])) < 1e-5


def step_3_a_filter_at_work() -> None:
    """Run the saltire filter on the 6x6 image of dots."""
    title(3, "Applying a filter")
    print("  image:\n" + picture(IMAGE))
    print("  filter:\n" + picture(FILTER))
    found = run([shapeplan.conv(name="c", filters=1, kernel=3, bias=False)], IMAGE, c=FILTER)
    print("  number of dots under the filter in each 3x3 window,  (6 - 3)/1 + 1 = 4:\n" + picture(found))
    corner = IMAGE[:3, :3]
    under = " + ".join(str(dot) for dot, tap in zip(corner.flat, FILTER.flat, strict=True) if tap)
    print(f"  the first: {under} = {MAP[0, 0]}")
    best = np.unravel_index(found.argmax(), found.shape)
    print(f"  the best match, {found.max():g} of 5, starts at row {best[0]}, column {best[1]}: a complete saltire")
    assert (found == MAP).all()
    assert (IMAGE[best[0] : best[0] + 3, best[1] : best[1] + 3][FILTER == 1] == 1).all()


def step_4_pooling() -> None:
    """Pool 2x2 windows that do not overlap: maximum, mean and sum; then the whole map at once."""
    title(4, "Pooling: a map in fewer numbers")
    print("  windows of 2x2 at stride 2:  (4 - 2)/2 + 1 = 2")
    quarters = {"maxpool": [[4, 4], [3, 5]], "avgpool": [[3.25, 3], [2.25, 3.25]], "sumpool": [[13, 12], [9, 13]]}
    for kind, expected in quarters.items():
        pooled = run([shapeplan.layer(kind, name="p", size=2)], MAP)
        print(f"  {kind}:\n" + picture(pooled))
        assert (pooled == np.array(expected)).all()
    print("  the whole map in one number:")
    for kind, number, words in (("gmp", 5, "the largest"), ("gap", 47 / 16, "47/16"), ("gsp", 47, "the sum")):
        pooled = run([shapeplan.layer(kind, name="p")], MAP)
        print(f"    {kind}  {pooled.item():g}  ({words})")
        assert pooled.item() == number
    print("  pooling has no parameters:", plan(("N", 1, 4, 4), [shapeplan.maxpool(size=2)]).parameter_count)


def cascade() -> list[Entry]:
    """Return convolution and pooling, twice; then fully connected layers; then a classifier."""
    return [
        shapeplan.conv(name="c1", filters=6, kernel=5, act="relu"),
        shapeplan.maxpool(name="p1", size=2),
        shapeplan.conv(name="c2", filters=16, kernel=5, act="relu"),
        shapeplan.maxpool(name="p2", size=2),
        shapeplan.flatten(name="row"),
        shapeplan.dense(name="f1", units=120, act="relu"),
        shapeplan.dense(name="f2", units=84, act="relu"),
        shapeplan.dense(name="scores", units=10),
        shapeplan.softmax(name="classes"),
    ]


def step_5_a_cascade_ends_in_a_classifier() -> None:
    """Show that small windows one after another see more and more of the image."""
    title(5, "A cascade of convolution and pooling, then a classifier")
    checked = plan(("N", 3, 32, 32), cascade())
    print(f"  {'layer':<8}{'output':<18}{'parameters':>10}{'MACs':>10}   sees")
    for node in checked.nodes:
        if node.role:
            continue  # an activation, shown with its layer
        field = node.receptive_field
        sees = f"{field.size[0]} x {field.size[1]}" if field is not None else ""
        macs = sy.text(sy.substitute(node.macs, {"N": 1}))
        output = sy.shape_text(node.output_shape[1:])
        print(f"  {node.name:<8}{output:<18}{sy.text(node.parameter_count):>10}{macs:>10}   {sees}")
    shapes = {node.name: tuple(node.output_shape[1:]) for node in checked.nodes}
    assert [shapes[name] for name in ("c1", "p1", "c2", "p2", "row")] == [
        (6, 28, 28),
        (6, 14, 14),
        (16, 10, 10),
        (16, 5, 5),
        (400,),
    ]
    by_hand = 6 * (75 + 1) + 16 * (150 + 1) + 120 * (400 + 1) + 84 * (120 + 1) + 10 * (84 + 1)
    print(f"  total: {checked.parameter_count:,} parameters = 6x76 + 16x151 + 120x401 + 84x121 + 10x85")
    assert checked.parameter_count == by_hand == 62_006

    model = shapeplan.Model(checked.bind(N=4), seed=0)
    images = np.random.default_rng(0).standard_normal((4, 3, 32, 32)).astype(np.float32)
    probabilities = np.array(model(images))
    print("  four random images, before any training: ten probabilities each, which add up to")
    print("   ", " ".join(f"{total:.6f}" for total in probabilities.sum(axis=1)))
    assert probabilities.shape == (4, 10)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert (probabilities > 0).all()


def step_6_which_images_fit() -> None:
    """Plan the same cascade for images of any size: the accepted sizes are a formula, too."""
    title(6, "Which images fit?")
    checked = plan(("N", 3, "H", "W"), cascade())
    print(f"  the cascade accepts  {checked.domain.text()}")
    print(f"  and gives the first dense layer  {sy.text(checked.by_name['row'].output_shape[1])}  numbers")
    for size in (15, 16, 32):
        print(f"    {size} x {size}: {'fits' if checked.accepts(N=1, H=size, W=size) else 'does not fit'}")
    assert [checked.accepts(N=1, H=size, W=size) for size in (15, 16, 32)] == [False, True, True]
    assert sy.evaluate(checked.by_name["row"].output_shape[1], {"N": 1, "H": 32, "W": 32}) == 400


def step_7_a_filter_that_is_learnt() -> None:
    """Learn the filter by gradient descent, from images and answers alone."""
    title(7, "Learning the filter")
    entry = shapeplan.conv(name="c", filters=1, kernel=3, bias=False)
    bound = plan((32, 1, 6, 6), [entry]).bind()
    model = shapeplan.Model(bound, seed=3)
    weight = model.parameters["c.weight"]
    rng = np.random.default_rng(4)
    images = rng.integers(0, 2, (32, 1, 6, 6))
    answers = np.stack([run([entry], image[0], c=FILTER) for image in images])
    print("  before:\n" + picture(weight[0, 0].round(2)))
    for step in range(301):
        wrong = np.array(model(images.astype(np.float32))) - answers[:, None]
        if step % 100 == 0:
            print(f"    after {step:3} steps the mean squared error is {float((wrong**2).mean()):.2e}")
        _, _, grads = model.gradients(images.astype(np.float32), (2 * wrong / wrong.size).astype(np.float32))
        weight -= np.float32(0.2) * grads["c.weight"]
    print("  after:\n" + picture(weight[0, 0].round(2) + 0.0))
    assert np.abs(weight[0, 0] - FILTER).max() < 0.01


def main() -> None:
    """Run all steps."""
    step_1_how_many_places_a_window_has()
    step_2_six_filters_on_a_colour_image()
    step_3_a_filter_at_work()
    step_4_pooling()
    step_5_a_cascade_ends_in_a_classifier()
    step_6_which_images_fit()
    step_7_a_filter_that_is_learnt()
    print("\nNext: shapeplan demo trains such a network on real handwritten digits.")


if __name__ == "__main__":
    main()
