"""A plan as an ONNX graph, for the tools that read one: layer by layer, with weights or with places for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from planner import Plan
from planner.plan.plan import BoundPlan
from tests.benchmarks.windows import Window

OPSET, FORMAT = 17, 8
"""Versions of the operators and of the file that every reader of the last years knows."""

Arrays = Mapping[str, np.ndarray[Any, Any]]


def graph(plan: Plan | BoundPlan, arrays: Arrays | None = None) -> Any:
    """Return the network as an ONNX model; free sizes keep their names.

    Parameters
    ----------
    plan : Plan or BoundPlan
    arrays : mapping of str to array, optional
        Parameters and running statistics by ``node.name``; without them they are inputs of the graph.
    """
    from onnx import TensorProto, helper, numpy_helper

    def value(name: str, shape: Any) -> Any:
        texts = [str(size) for size in shape]
        sizes = [int(text) if text.isdigit() else text if text.isidentifier() else None for text in texts]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes)

    inputs, weights, steps = [value(name, shape) for name, shape in plan.input_shapes.items()], [], []
    for node in plan.nodes:
        if node.kind == "input":
            continue
        names = list(node.inputs)
        for array in (*node.parameters.values(), *node.buffers.values()):
            name = f"{node.name}.{array.name}"
            names.append(name)
            if arrays is None:
                inputs.append(value(name, array.shape))
            else:
                weights.append(numpy_helper.from_array(np.ascontiguousarray(arrays[name]), name))
        kind, settings = operator(node.kind, node.layer)
        if kind == "Clip":  # whose limits are inputs
            limits = {f"{node.name}.low": 0.0, f"{node.name}.high": 6.0}
            weights += [numpy_helper.from_array(np.float32(limit), name) for name, limit in limits.items()]
            names += limits
        steps.append(helper.make_node(kind, names, [node.name], name=node.name, **settings))
    outputs = [value(name, plan.output_shapes[public]) for public, name in plan.outputs.items()]
    made = helper.make_graph(steps, plan.name, inputs, outputs, weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=FORMAT)


def operator(kind: str, layer: Any) -> tuple[str, dict[str, Any]]:
    """Return the ONNX operator that a layer is in evaluation, and its attributes.

    Source: the operators' pages, onnx.ai/onnx/operators.
    """
    if kind in ("conv", "maxpool", "avgpool"):
        window = Window.of(layer)
        (top, bottom), (left, right) = window.rows, window.columns
        settings: dict[str, Any] = {"kernel_shape": [*window.kernel], "strides": [*window.stride]}
        settings["pads"] = [top, left, bottom, right]
        if kind == "conv":
            return "Conv", {**settings, "dilations": [*window.dilation], "group": int(layer.groups)}
        settings["ceil_mode"] = int(layer.rounding == "ceil")
        return ("MaxPool", settings) if kind == "maxpool" else ("AveragePool", {**settings, "count_include_pad": 1})
    if kind == "batchnorm":
        return "BatchNormalization", {"epsilon": layer.eps}
    if kind == "dense":
        return "Gemm", {"transB": 1}
    simple = {
        "relu": "Relu", "relu6": "Clip", "tanh": "Tanh", "add": "Add", "gap": "GlobalAveragePool",
        "flatten": "Flatten", "dropout": "Identity",
    }  # fmt: skip
    return simple[kind], {}
