"""Networks made by calling layers on tensors, and in a row: the same network, the same findings."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from planner import Entry, GraphError, Network, Tensor, constructors, layer
from planner.constructors import add, concat, conv, dense, flatten, gap, maxpool, prelu, relu, unpool
from planner.network.functional import ancestors

SHAPE = ("N", 3, "H", "W")


def image(name: str = "image") -> Tensor:
    """Return a colour image of any size as an input."""
    return constructors.input(name, SHAPE)


def found(inputs: Any, outputs: Any) -> list[tuple[str, str]]:
    """Return the code and the message of everything that is wrong with a network."""
    with pytest.raises(GraphError) as caught:
        Network.functional("n", inputs, outputs)
    return [(finding.code, finding.message) for finding in caught.value.findings]


def test_a_functional_network_is_the_one_that_names_describe() -> None:
    x = image()
    y = conv(name="c1", filters=8, kernel=3, pad=1, norm="batch", act="relu")(x)
    z = add(name="sum")(y, conv(filters=8, kernel=1)(x))
    made = Network.functional("n", x, dense(name="out", units=10)(flatten()(gap()(z))))
    written = Network(
        "n",
        {"image": SHAPE},
        [
            layer("conv", name="c1", filters=8, kernel=3, pad=1, norm="batch", act="relu"),
            layer("conv", filters=8, kernel=1, from_="image"),
            layer("add", name="sum", from_=["c1", "conv1"]),
            layer("gap"),
            layer("flatten"),
            layer("dense", name="out", units=10),
        ],
    )
    assert made == written
    assert made.check().output_shapes == written.check().output_shapes


@pytest.mark.parametrize("call", [lambda x, y: add()(x, y), lambda x, y: add()([x, y]), lambda x, y: add()((x, y))])
def test_several_tensors_are_given_one_by_one_or_as_a_list(call: Any) -> None:
    x = image()
    net = Network.functional("n", x, call(relu()(x), x))
    assert net.by_name["add1"].inputs == ("relu1", "image")


def test_calling_a_layer_again_shares_its_weights() -> None:
    left, right = image("left"), image("right")
    tower = conv(name="c1", filters=4, kernel=3, norm="batch", act="relu")
    net = Network.functional("siamese", [left, right], concat(name="both")(tower(left), tower(right)))
    assert [(node.name, node.owner) for node in net.nodes if node.name.startswith("c1_2")] == [
        ("c1_2", "c1"),
        ("c1_2.norm", "c1.norm"),
        ("c1_2.act", "c1.act"),
    ]
    once = Network.functional("one", left, tower(left)).check().parameter_count
    assert net.check().parameter_count == once


def test_an_unnamed_layer_called_again_is_numbered_on() -> None:
    x = image()
    shared = conv(filters=3, kernel=3, pad=1)
    net = Network.functional("n", x, shared(shared(shared(x))))
    assert [(node.name, node.inputs, node.owner) for node in net.nodes[1:]] == [
        ("conv1", ("image",), ""),
        ("conv2", ("conv1",), "conv1"),
        ("conv3", ("conv2",), "conv1"),
    ]


def test_equal_layers_have_weights_of_their_own() -> None:
    x = image()
    first, second = conv(filters=3, kernel=3), conv(filters=3, kernel=3)
    assert first == second
    net = Network.functional("n", x, second(first(x)))
    assert {node.owner for node in net.nodes} == {""}


@pytest.mark.parametrize(
    ("made", "owners"),
    [
        (relu(), ["", ""]),
        (maxpool(size=2), ["", ""]),
        (prelu(), ["", "prelu1"]),
        (relu(norm="batch"), ["", "", "relu1", "relu1.norm"]),
        (maxpool(size=2, act="prelu"), ["", "", "maxpool1", "maxpool1.act"]),
        (maxpool(size=2, act={"prelu": {"initial": 0.1}}), ["", "", "maxpool1", "maxpool1.act"]),
    ],
    ids=lambda value: value.kind if isinstance(value, Entry) else "",
)
def test_a_layer_without_weights_is_repeated_when_it_is_called_again(made: Entry, owners: list[str]) -> None:
    x = image()
    net = Network.functional("n", x, made(made(x)))
    assert [node.owner for node in net.nodes[1:]] == owners
    net.check()


def test_an_unpooling_may_name_the_tensor_of_its_max_pooling() -> None:
    x = image()
    pooled = maxpool(size=2)(relu()(x))
    net = Network.functional("n", x, unpool(pool=pooled)(conv(filters=3, kernel=1)(pooled)))
    assert net.by_name["unpool1"].inputs == ("conv1", "maxpool1.indices", "relu1")


def test_outputs_have_the_names_of_their_layers_or_their_own() -> None:
    x = image()
    a, b = relu(name="a")(x), conv(name="b", filters=1, kernel=1, act="tanh")(x)
    assert Network.functional("n", x, [a, b]).outputs == {"a": "a", "b": "b.act"}
    assert Network.functional("n", x, {"mask": b, "a": a}).outputs == {"mask": "b.act", "a": "a"}
    assert Network.functional("n", x, {"mask": b, "a": a}, train={"loss": {"mask": "mse", "a": "mse"}}).train


def test_what_no_output_needs_is_left_out() -> None:
    x = image()
    kept = relu(name="kept")(x)
    relu(name="dropped")(x)
    assert [node.name for node in Network.functional("n", x, kept).nodes] == ["image", "kept"]


def test_a_network_may_end_in_the_middle_of_another() -> None:
    x = image()
    first = conv(filters=4, kernel=3)(x)
    whole = Network.functional("whole", x, relu()(first))
    half = Network.functional("half", x, first)
    assert half.nodes == whole.nodes[:2]


def test_layers_are_numbered_in_the_order_in_which_they_were_called() -> None:
    x = image()
    first, second = relu()(x), relu()(x)
    net = Network.functional("n", x, concat()(second, first))
    assert net.by_name["concat1"].inputs == ("relu2", "relu1")


def test_a_numbered_name_avoids_those_that_are_given() -> None:
    x = image()
    shared = conv(name="c", filters=3, kernel=1)
    end = relu(name="c_2")(shared(relu()(shared(relu(name="relu1")(x)))))
    names = [node.name for node in Network.functional("n", x, end).nodes]
    assert names == ["image", "relu1", "c", "relu2", "c_3", "c_2"]


def test_deep_networks_are_no_problem() -> None:
    x = tensor = image()
    for _ in range(3000):
        tensor = relu()(tensor)
    assert len(ancestors([tensor])) == 3001
    assert Network.functional("n", x, tensor).nodes[-1].name == "relu3000"


def test_an_input_that_is_not_listed_is_named() -> None:
    x, mask = image(), constructors.input("mask", ("N", 1, "H", "W"))
    total = add(name="sum")(x, mask)
    assert found(x, total) == [("N108", "`sum` reads input `mask`, which `inputs` does not list")]
    with pytest.raises(GraphError, match=r"write  inputs=\[image, mask\]"):
        Network.functional("n", x, total)
    assert found(x, mask) == [
        ("N108", "an output is input `mask`, which `inputs` does not list"),
        ("N106", "no output depends on input `image`"),
    ]


def test_tensors_of_two_graphs_with_inputs_of_one_name_are_told_apart() -> None:
    x, other = image(), image()
    message = "`add` reads an input named `image`, but not the one that `inputs` lists"
    assert found(x, add()(relu()(x), other)) == [("N108", message)]


def test_every_mistake_is_found_at_once() -> None:
    x, other = image(), image("other")
    bad: Any = 5
    first = conv(name="c", filters=0, kernel=3)(x)
    second = relu(name="c")(layer("convv")(relu(name=bad)(other)))
    assert found(x, add()(first, second)) == [
        ("N108", "`5` reads input `other`, which `inputs` does not list"),
        ("N107", "`name` must be printable text of up to 100 characters, got 5"),
        ("N104", "there are two layers named `c`"),
        ("N107", "`c`: `filters` must be at least 1, got 0"),
        ("N102", "there is no layer kind `convv`"),
    ]


def test_inputs_are_made_as_inputs_and_have_names_of_their_own() -> None:
    x = image()
    y = relu()(x)
    assert ("N107", "`inputs` lists the output of relu, which is not an input") in found([x, y], y)
    assert ("N104", "`inputs` lists two inputs named `image`") in found([x, image()], y)
    assert ("N106", "no output depends on input `mask`") in found([x, image("mask")], y)
    bad: Any = 5
    z = constructors.input(bad, SHAPE)
    assert found(z, relu()(z)) == [("N107", "input: `name` must be printable text of up to 100 characters, got 5")]
    w = constructors.input("x", ("N", -1, 4))
    assert [code for code, _ in found(w, relu()(w))] == ["N107"]


@pytest.mark.parametrize(("inputs", "outputs"), [([], "y"), ("y", []), ("image", "y"), ("y", "image"), (None, "y")])
def test_what_is_no_tensor_is_refused(inputs: Any, outputs: Any) -> None:
    tensor = relu()(image())
    given = [tensor if value == "y" else value for value in (inputs, outputs)]
    ((code, message),) = found(*given)
    assert code == "N107"
    assert message.startswith(f"`{'outputs' if inputs == 'y' else 'inputs'}` takes tensors of a network")


@pytest.mark.parametrize("given", ["x", 5, None, [], layer("relu"), [image(), "x"]])
def test_a_layer_is_called_on_tensors_only(given: Any) -> None:
    with pytest.raises(GraphError, match=r"relu is called on .* which is not a tensor of a network"):
        relu()(given)


def test_a_layer_that_names_what_it_reads_is_not_called() -> None:
    with pytest.raises(GraphError, match="add has `from_` and is called on a tensor"):
        add(from_=["a", "b"])(image())


def test_a_wrong_number_of_tensors_is_a_finding() -> None:
    x = image()
    assert [code for code, _ in found(x, relu()(x, x))] == ["N109"]


def test_a_tensor_shows_what_made_it() -> None:
    x = image()
    assert repr(x) == "<Tensor: input `image`>"
    assert repr(add(name="sum")(conv(filters=1, kernel=1)(x), x)) == "<Tensor: add `sum` of conv, image>"


def test_tensors_are_equal_only_to_themselves() -> None:
    x = image()
    made = relu()
    assert made(x) != made(x)
    assert len({x, x, made(x)}) == 2


@pytest.mark.parametrize("twice", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])  # noqa: S301
def test_a_copy_of_tensors_is_the_same_network(twice: Any) -> None:
    x = image()
    shared = conv(name="c", filters=3, kernel=1)
    pair = x, shared(shared(x))
    assert Network.functional("n", *twice(pair)) == Network.functional("n", *pair)


def test_a_sequential_network_is_the_one_without_names() -> None:
    layers = [conv(filters=8, kernel=3, act="relu"), gap(), flatten(), dense(name="digit", units=10)]
    train = {"optimizer": {"sgd": {"lr": 0.1}}}
    written = Network("tiny", {"image": SHAPE}, layers, {"digit": ("N", 10)}, train)
    made = Network.sequential("tiny", image=SHAPE, layers=layers, output={"digit": ("N", 10)}, train=train)
    assert made == written
    assert Network.sequential("tiny", image=SHAPE, layers=iter(layers)).outputs == {"digit": "digit"}


def test_an_input_of_a_sequential_network_may_be_called_name() -> None:
    assert set(Network.sequential("n", name=SHAPE, layers=[relu()]).inputs) == {"name"}


@pytest.mark.parametrize(
    "given",
    [
        {"image": SHAPE, "layers": [conv(filters=0, kernel=3), layer("convv")]},
        {"image": 5, "layers": [relu()]},
        {"layers": [relu()]},
        {"image": SHAPE, "layers": relu()},
        {"image": SHAPE, "mask": SHAPE, "layers": [relu()]},
        {"image": SHAPE, "layers": [relu()], "output": 5},
    ],
)
def test_a_sequential_network_has_the_same_findings(given: dict[str, Any]) -> None:
    rest = {key: given[key] for key in ("layers", "output") if key in given}
    inputs = {key: value for key, value in given.items() if key not in rest}
    with pytest.raises(GraphError) as expected:
        Network("n", inputs, **rest)
    with pytest.raises(GraphError) as caught:
        Network.sequential("n", **given)
    assert caught.value.findings == expected.value.findings
