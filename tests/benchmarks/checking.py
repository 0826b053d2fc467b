"""How long checking takes, for all sizes at once, beside what other tools take for less: in turns, in one run.

``python -m tests.benchmarks.checking [--repeat 7] [--largest 10000]`` prints medians with the fastest and the slowest
time. Ours is a network object to a plan with its exact domain and the sizes at which nothing is lost, nothing
remembered from the run before; ``read`` is the text of the spec to the network object. torch.export gets the same
network with dynamic batch, height and width, onnxruntime's symbolic_shape_infer its ONNX graph with the same three
named, torchinfo one size; each only where it is installed. Last, the processor time of whole processes from start to
end, beside a process that only imports sympy; ``--largest 0`` prints these alone.
"""

from __future__ import annotations

import argparse
import gc
import logging
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import planner.domain.affine
import planner.symbols.notation
import planner.symbols.sizes
from planner import Network, Plan, diagnose
from planner.spec import read
from tests.benchmarks.graph import graph
from tests.benchmarks.race import CLOCKS
from tests.benchmarks.windows import Window
from tests.harness.places import ROOT

LENGTHS = (10, 100, 1_000, 10_000)
STARTS = (
    "--help",
    "zoo",
    "zoo resnet50",
    "init resnet50",
    "schema",
    "check examples/lenet5.yaml",
    "check examples/resnet18.yaml",
    "show examples/lenet5.yaml",
)
"""Commands of which whole processes are timed, beside one that imports sympy and does nothing."""

HEAD = "spec: 1\nname: {name}\ninput: {{image: [N, 3, H, W]}}\n"
STEM = """layers:
  - conv:    {name: stem, filters: 64, kernel: 7, stride: 2, pad: 3, bias: false, norm: batch, act: relu}
  - maxpool: {size: 3, stride: 2, pad: 1}
"""
END = """  - gap
  - flatten
  - dense:   {name: classes, units: 1000}
output: {classes: [N, 1000]}
"""
BASIC = """blocks:
  unit:
    params: {c: int, stride: 1}
    layers:
      - conv: {name: a, from: in, filters: $c, kernel: 3, stride: $stride, pad: 1, bias: false, norm: batch, act: relu}
      - conv: {name: b, filters: $c, kernel: 3, pad: 1, bias: false, norm: batch}
      - conv: {name: proj, from: in, filters: $c, kernel: 1, stride: $stride, bias: false, norm: batch,
               if: "stride != 1 or in.channels != c"}
      - add:  {from: [b, proj], act: relu}
"""
BOTTLENECK = """blocks:
  unit:
    params: {c: int, stride: 1}
    layers:
      - conv: {name: a, from: in, filters: $c, kernel: 1, bias: false, norm: batch, act: relu}
      - conv: {name: b, filters: $c, kernel: 3, stride: $stride, pad: 1, bias: false, norm: batch, act: relu}
      - conv: {name: d, filters: 4*$c, kernel: 1, bias: false, norm: batch}
      - conv: {name: proj, from: in, filters: 4*$c, kernel: 1, stride: $stride, bias: false, norm: batch,
               if: "stride != 1 or in.channels != 4*c"}
      - add:  {from: [d, proj], act: relu}
"""


def resnet(name: str, unit: str, repeats: tuple[int, int, int, int]) -> str:
    """Return the spec of a residual network for any image size.

    Source: He et al., arXiv:1512.03385, table 1.

    Examples
    --------
    >>> network, findings = read(resnet("resnet50", BOTTLENECK, (3, 4, 6, 3)), "resnet50.yaml")
    >>> network.check().parameters, network.check().domain["H"].text("H")
    (25557032, 'H >= 1')
    """
    stages = ""
    for index, (repeat, channels) in enumerate(zip(repeats, (64, 128, 256, 512), strict=True)):
        stride = "" if index == 0 else f", stride: [{', '.join(['2'] + ['1'] * (repeat - 1))}]"
        stages += f"  - block:   {{use: unit, name: stage{index + 1}, c: {channels}{stride}, repeat: {repeat}}}\n"
    return HEAD.format(name=name) + unit + STEM + stages + END


def chain(length: int) -> str:
    """Return the spec of so many layers in a row, with a pooling after every third of the first twelve.

    Examples
    --------
    >>> network, findings = read(chain(100), "chain.yaml")
    >>> len(network.nodes), network.check().domain["H"].text("H")
    (101, 'H >= 16')
    """
    kinds = ["conv: {filters: 8, kernel: 3, pad: 1}", "relu", "conv: {filters: 8, kernel: 3, pad: 1}"]
    layers = [
        "maxpool: {size: 2}" if index < 12 and index % 3 == 2 else kinds[index % len(kinds)] for index in range(length)
    ]
    return HEAD.format(name=f"chain{length}") + "layers:\n" + "".join(f"  - {item}\n" for item in layers)


SPECS: Mapping[str, Callable[[], str]] = {
    "ResNet-18": lambda: resnet("resnet18", BASIC, (2, 2, 2, 2)),
    "ResNet-50": lambda: resnet("resnet50", BOTTLENECK, (3, 4, 6, 3)),
    "ResNet-152": lambda: resnet("resnet152", BOTTLENECK, (3, 8, 36, 3)),
    **{f"{length:,} layers": lambda length=length: chain(length) for length in LENGTHS},  # type: ignore[misc]  # a default argument
}


@dataclass
class Row:
    """Times of one network by what took them, in seconds."""

    name: str
    network: Network
    text: str
    clock: Callable[[], float] = time.perf_counter
    times: dict[str, list[float]] = field(default_factory=dict)

    def take(self, what: str, work: Callable[[], object]) -> None:
        gc.collect()
        start = self.clock()
        work()
        self.times.setdefault(what, []).append(self.clock() - start)


def forget() -> None:
    """Empty every cache between two measurements: a command starts with none of them filled."""
    for module in (planner.domain.affine, planner.symbols.sizes, planner.symbols.notation):
        for value in vars(module).values():
            if hasattr(value, "cache_clear") and value is not planner.symbols.sizes.symbol:
                value.cache_clear()


def whole(network: Network) -> Plan:
    """Return the plan, its domain and the sizes at which nothing is lost computed."""
    plan = diagnose(network).plan
    if plan is None:
        raise ValueError(network.name)
    assert plan.domain["H"] and len(plan.lossless)
    return plan


def module_of(plan: Plan) -> Any:
    """Return the network as a PyTorch module, made from the plan layer by layer."""
    import torch
    from torch import nn

    def made(node: Any) -> nn.Module:
        layer: Any = node.layer
        channels = int(node.input_shapes[0][1]) if node.input_shapes else 0
        if node.kind == "conv":
            window = Window.of(layer)
            settings = window.kernel, window.stride, window.pad
            return nn.Conv2d(channels, int(layer.filters), *settings, bias=layer.bias)
        if node.kind == "maxpool":
            window = Window.of(layer)
            return nn.MaxPool2d(window.kernel, window.stride, window.pad)
        if node.kind == "dense":
            return nn.Linear(channels, int(layer.units))
        simple = {"relu": nn.ReLU, "gap": lambda: nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten}
        return nn.BatchNorm2d(channels) if node.kind == "batchnorm" else simple[node.kind]()

    class Made(nn.Module):  # type: ignore[misc]  # torch is not followed, see pyproject.toml
        def __init__(self) -> None:
            super().__init__()
            self.parts = nn.ModuleDict(
                {str(i): made(n) for i, n in enumerate(plan.nodes) if n.kind not in ("input", "add")}
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            known = {plan.nodes[0].name: x}
            for index, node in enumerate(plan.nodes[1:], start=1):
                inputs = [known[name] for name in node.inputs]
                known[node.name] = inputs[0] + inputs[1] if node.kind == "add" else self.parts[str(index)](inputs[0])
            return known[plan.nodes[-1].name]

    with torch.device("meta"):
        return Made().eval()


def others(plan: Plan) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what other tools do with a network, for those that are installed."""
    if find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)
        module = module_of(plan)
        image = torch.empty(2, 3, 224, 224, device="meta")
        dynamic = {0: torch.export.Dim.AUTO, 2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
        yield "torch.export", lambda: torch.export.export(module, (image,), dynamic_shapes=(dynamic,))
        if find_spec("torchinfo") is not None:
            import torchinfo

            yield "torchinfo", lambda: torchinfo.summary(module, input_data=image, device="meta", verbose=0)
    if find_spec("onnxruntime") is not None and find_spec("onnx") is not None:
        from onnxruntime.tools.symbolic_shape_infer import (
            SymbolicShapeInference,
        )

        model = graph(plan)
        yield "onnxruntime", lambda: SymbolicShapeInference.infer_shapes(model, auto_merge=True)


def measure(repeat: int, largest: int, most_others: int, clock: Callable[[], float]) -> Iterator[Row]:
    """Yield one row a network, the tools having taken turns."""
    for name, text in SPECS.items():
        spec = text()
        network, findings = read(spec, f"{name}.yaml")
        assert network is not None and not findings, findings
        if len(network.nodes) > largest + 1:
            continue
        row = Row(name, network, spec, clock)
        beside = list(others(whole(network))) if len(network.nodes) <= most_others else []
        for _ in range(repeat if len(network.nodes) <= 2000 else min(repeat, 3)):
            forget()
            row.take("read", partial(read, spec, "net.yaml"))
            forget()
            row.take("check", partial(whole, network))
            for tool, work in list(beside):
                try:
                    row.take(tool, work)
                except (AssertionError, RuntimeError, ValueError, RecursionError) as error:
                    sys.stdout.write(f"# {name}: {tool} stops with {type(error).__name__}: {str(error)[:80]}\n")
                    beside = [pair for pair in beside if pair[0] != tool]
                    row.times.pop(tool, None)
        yield row


def start_up(repeat: int) -> Mapping[str, list[float]]:
    """Return the processor seconds of whole processes by what they do, which took turns.

    The first run of each is not counted: it may have to compile what it imports.
    """
    commands = {"import sympy": ["-c", "import sympy"]}
    commands |= {f"shapeplan {words}": ["-m", "planner.cli", *words.split()] for words in STARTS}
    found: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(repeat + 1):
        for name, arguments in commands.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if turn:
                found[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return found


def spread(times: list[float]) -> str:
    """Return median, and fastest to slowest, in milliseconds.

    Examples
    --------
    >>> spread([0.003, 0.001, 0.002])
    '2.0 (1.0-3.0)'
    """
    middle, low, high = (value * 1e3 for value in (statistics.median(times), min(times), max(times)))
    digits = 1 if middle < 100 else 0
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--largest", type=int, default=max(LENGTHS), help="layers of the largest network")
    parser.add_argument("--most-others", type=int, default=700, help="layers of the largest network for other tools")
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall", help="cpu: where others use the machine too")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    columns = ["read", "check", "torch.export", "onnxruntime", "torchinfo"]
    versions = [f"{tool} {version(tool)}" for tool in ("torch", "onnxruntime", "torchinfo") if find_spec(tool)]
    known = ", ".join([f"Python {sys.version.split()[0]}", *versions])
    sys.stdout.write(f"# {options.clock} milliseconds: median (fastest-slowest); {known}\n")
    sys.stdout.write(f"{'':<14} {'nodes':>6}" + "".join(f" {column:>22}" for column in columns) + "  export / check\n")
    for row in measure(options.repeat, options.largest, options.most_others, CLOCKS[options.clock]):
        cells = [spread(row.times[column]) if column in row.times else "-" for column in columns]
        ratio = ""
        if "torch.export" in row.times:
            ratio = f"{statistics.median(row.times['torch.export']) / statistics.median(row.times['check']):.0f}x"
        line = f"{row.name:<14} {len(row.network.nodes):>6}" + "".join(f" {cell:>22}" for cell in cells)
        sys.stdout.write(f"{line}  {ratio}\n")
        sys.stdout.flush()
    if sys.dont_write_bytecode:
        sys.stdout.write("# PYTHONDONTWRITEBYTECODE is set: each start compiles the planner anew\n")
    starts = start_up(options.repeat)
    reference = statistics.median(starts["import sympy"])
    sys.stdout.write(f"\n{'# whole processes, cpu milliseconds':<38} {'':>22}  / import sympy\n")
    for name, times in starts.items():
        sys.stdout.write(f"{name:<38} {spread(times):>22}  {statistics.median(times) / reference:.2f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
