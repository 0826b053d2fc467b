"""Who we are timed beside, by name, and whether they are installed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import runtime
from planner.plan.plan import BoundPlan


@dataclass(frozen=True)
class Rival:
    """Another way to run a network.

    Attributes
    ----------
    module : str
        Below this package: its `infer` and, where it can train, its `step` take a plan and our weights.
    packages : mapping of str to str
        What must be installed, by the name it is imported under.
    """

    module: str
    packages: Mapping[str, str]

    def missing(self) -> list[str]:
        """Return the packages that are not installed.

        Examples
        --------
        >>> Rival("pytorch", {"nowhere_to_be_found": "nowhere"}).missing()
        ['nowhere']
        """
        return [package for name, package in self.packages.items() if find_spec(name) is None]

    def versions(self) -> str:
        """Return its packages with their versions."""
        return ", ".join(f"{package} {version(package)}" for package in self.packages.values())

    def side(self, work: str, bound: BoundPlan, model: runtime.Model) -> Any:
        """Return its `step` or `infer`, with the weights our model has now; None where it cannot train.

        Beside a pass of our fused model (`fused`) stands its `infer`: it fuses by itself or not at all.
        """
        work = "infer" if work == "fused" else work
        module = import_module(f"tests.benchmarks.{self.module}")
        make = getattr(module, work, None)
        if make is None:
            return None
        # Running statistics are of use for a pass alone: a step measures its own.
        return make(bound, {**model.parameters, **(model.buffers if work == "infer" else {})})


RIVALS: Mapping[str, Rival] = {
    "PyTorch": Rival("pytorch", {"torch": "torch"}),
    "onnxruntime": Rival("onnxruntime", {"onnx": "onnx", "onnxruntime": "onnxruntime"}),
    "ONNX reference": Rival("reference", {"onnx": "onnx"}),
    "autograd": Rival("autograd", {"autograd": "autograd"}),
    "numpy-ml": Rival("numpyml", {"numpy_ml": "numpy-ml"}),
}
