"""Planned training memory beside PyTorch's own accounting, for the networks of the published figures.

``python -m tests.benchmarks.memory --batch 32`` prints one line a network. PyTorch's side is
`torch.distributed._tools.MemTracker` under `FakeTensorMode`: what live tensors take, without allocating them. Both
sides are built from the same planned nodes and train with SGD and momentum.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from planner import load
from planner.layers.spatial import along
from planner.plan.plan import BoundPlan
from tests.benchmarks.windows import Window

NAMES = ("resnet18", "resnet50", "vgg16_bn")


def module_of(bound: BoundPlan) -> Any:
    """Return the network as a PyTorch module that works in place where torchvision does."""
    from torch import nn

    made: dict[str, nn.Module] = {}
    for node in bound.nodes:
        layer: Any = node.layer
        match node.kind:
            case "conv":
                channels, (filters, grouped, *kernel) = node.input_shapes[0][1], node.parameters["weight"].shape
                window = Window.of(layer)
                made[node.name] = nn.Conv2d(
                    channels,
                    filters,
                    tuple(kernel),
                    window.stride,
                    window.pad,
                    groups=channels // grouped,
                    bias=len(node.parameters) > 1,
                )
            case "batchnorm":
                made[node.name] = nn.BatchNorm2d(node.output_shape[1])
            case "relu":
                made[node.name] = nn.ReLU(inplace=True)
            case "maxpool":
                window = Window.of(layer)
                made[node.name] = nn.MaxPool2d(window.kernel, window.stride, window.pad)
            case "adaptive_avgpool":
                made[node.name] = nn.AdaptiveAvgPool2d(along(layer.size, 2))
            case "gap":
                made[node.name] = nn.AdaptiveAvgPool2d(1)
            case "flatten":
                made[node.name] = nn.Flatten()
            case "dropout":
                made[node.name] = nn.Dropout(layer.rate)
            case "dense":
                made[node.name] = nn.Linear(node.input_shapes[0][1], node.output_shape[1])
            case "input" | "add":
                pass
            case other:
                raise SystemExit(f"no PyTorch module for {other}")

    last = {name: index for index, node in enumerate(bound.nodes) for name in node.inputs}

    class Walk(nn.Module):  # type: ignore[misc]  # PyTorch is not there when types are checked
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleDict({name.replace(".", "/"): module for name, module in made.items()})

        def forward(self, x: Any) -> Any:
            values = {bound.nodes[0].name: x}
            del x
            y: Any = None
            for index, node in enumerate(bound.nodes[1:], 1):
                read = [values[name] for name in node.inputs]
                y = read[0] + read[1] if node.kind == "add" else self.layers[node.name.replace(".", "/")](read[0])
                values[node.name] = y
                del read
                for name in {name for name in node.inputs if last[name] == index}:
                    del values[name]
            return y

    return Walk()


def torch_peak(bound: BoundPlan) -> int:
    """Return the most bytes that live at once as PyTorch counts them, in two steps: the second has momentum."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker

    with FakeTensorMode():
        model = module_of(bound)
        if sum(p.numel() for p in model.parameter_count()) != bound.parameter_count:
            raise SystemExit(f"{bound.name}: the two sides are not the same network")
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, foreach=False)
        x = torch.zeros(next(iter(bound.input_shapes.values())))
        target = torch.zeros(bound.batch, dtype=torch.long)
        tracker = MemTracker()
        tracker.track_external(model, optimizer, x, target)
        with tracker:
            for _ in range(2):
                loss = torch.nn.functional.cross_entropy(model(x), target)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                del loss
                tracker.reset_mod_stats()  # it would refuse a second step; the peak of the run stays
        peak = tracker.get_tracker_snapshot("peak")
    return int(max(sum(size for kind, size in device.items() if str(kind) == "Total") for device in peak.values()))


def main() -> None:
    """Print planned and counted bytes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = []
    for name in NAMES:
        plan = load(f"zoo:{name}").check()
        sizes = {size: chosen.batch if size == "N" else 224 for size in plan.free}
        bound = plan.bind(dtype="float32", **sizes)
        planned, counted = bound.memory.training_bytes, torch_peak(bound)
        found.append({"network": name, "batch": chosen.batch, "planned_bytes": planned, "pytorch_bytes": counted})
        if not chosen.json:
            ratio = planned / counted
            print(f"{name:10} planned {planned / 2**20:9,.1f} MiB  PyTorch {counted / 2**20:9,.1f} MiB  {ratio:.2f}")
    if chosen.json:
        json.dump(found, sys.stdout, indent=2)
        print()


if __name__ == "__main__":
    main()
