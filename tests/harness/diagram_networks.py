"""Networks that the tests of diagrams draw, and the names of their cards."""

from collections.abc import Callable, Mapping

from planner import Network, layer
from planner.diagrams.folding import fold
from planner.diagrams.source import diagram_of


def lenet(size: int | str = 32, name: str = "lenet5") -> Network:
    return Network(
        name=name,
        input={"image": ("N", 1, size, size)},
        layers=[
            layer("conv", name="c1", filters=6, kernel=5, act="tanh"),
            layer("avgpool", name="s2", size=2),
            layer("conv", name="c3", filters=16, kernel=5, act="tanh"),
            layer("avgpool", name="s4", size=2),
            layer("conv", name="c5", filters=120, kernel=5, act="tanh"),
            layer("flatten"),
            layer("dense", name="f6", units=84, act="tanh"),
            layer("dense", name="out", units=10),
        ],
    )


def residual(repeats: tuple[int, ...] = (2, 2), size: int | str = 64, change: dict[str, int] | None = None) -> Network:
    """Return a residual network; `change` gives some named convolutions another dilation and padding."""
    layers = [layer("conv", name="stem", filters=16, kernel=3, pad=1, norm="batch", act="relu")]
    previous, channels = "stem", 16
    for stage, (count, filters) in enumerate(zip(repeats, (16, 32, 64), strict=False), start=1):
        for repeat in range(1, count + 1):
            path = f"stage{stage}.{repeat}"
            stride = 2 if repeat == 1 and stage > 1 else 1
            spread = (change or {}).get(path, 1)
            layers.append(
                layer("conv", name=f"{path}.a", from_=previous, filters=filters, kernel=3, stride=stride, pad=spread,
                      dilation=spread, norm="batch", act="relu")
            )  # fmt: skip
            layers.append(layer("conv", name=f"{path}.b", filters=filters, kernel=3, pad=1, norm="batch"))
            shortcut = previous
            if filters != channels:
                shortcut = f"{path}.proj"
                layers.append(layer("conv", name=shortcut, from_=previous, filters=filters, kernel=1, stride=stride))
            layers.append(layer("add", name=f"{path}.sum", from_=(f"{path}.b", shortcut), act="relu"))
            previous, channels = f"{path}.sum", filters
    layers += [layer("gap"), layer("flatten"), layer("dense", units=10)]
    return Network(name="residual", input={"image": ("N", 3, size, size)}, layers=layers)


def inception() -> Network:
    return Network(
        name="inception-like",
        input={"image": ("N", 3, 64, 64)},
        layers=[
            layer("conv", name="stem", filters=16, kernel=3, pad=1, act="relu"),
            layer("conv", name="mixed.one", from_="stem", filters=8, kernel=1, act="relu"),
            layer("conv", name="mixed.three_reduce", from_="stem", filters=8, kernel=1, act="relu"),
            layer("conv", name="mixed.three", filters=16, kernel=3, pad=1, act="relu"),
            layer("maxpool", name="mixed.pool", from_="stem", size=3, stride=1, pad=1),
            layer("conv", name="mixed.pool_project", filters=8, kernel=1, act="relu"),
            layer("concat", name="mixed.join", from_=("mixed.one", "mixed.three", "mixed.pool_project")),
            layer("gap"),
        ],
    )


def two_inputs() -> Network:
    return Network(
        name="two inputs",
        input={"photo": ("N", 3, "H", "W"), "depth": ("N", 1, "H", "W")},
        layers=[
            layer("conv", name="photo1", from_="photo", filters=32, kernel=3, pad=1, act="relu"),
            layer("conv", name="depth1", from_="depth", filters=16, kernel=3, pad=1, act="relu"),
            layer("conv", name="depth2", filters=16, kernel=3, pad=1),
            layer("add", name="depth_sum", from_=("depth1", "depth2")),
            layer("concat", name="both", from_=("photo1", "depth_sum")),
            layer("add", name="twice", from_=("both", "both")),
            layer("gap"),
            layer("flatten"),
            layer("dense", name="classes", units=10),
            layer("dense", name="angle", from_="flatten1", units=1),
        ],
        output=["classes", "angle"],
    )


NETWORKS: Mapping[str, Callable[[], Network]] = {
    "lenet5": lenet,
    "lenet5-symbolic": lambda: lenet("H"),
    "lenet5-broken": lambda: lenet(28),
    "residual": residual,
    "residual-symbolic": lambda: residual(size="H"),
    "inception": inception,
    "two-inputs": two_inputs,
}


def card_names(network: Network, **settings: object) -> list[str]:
    """Return the names of the cards of a folded diagram, in order."""
    return [card.node.name for card in fold(diagram_of(network), **settings).cards]  # type: ignore[arg-type]
