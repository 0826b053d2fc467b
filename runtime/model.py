"""The model: a bound plan with its arrays. Users pass and get N, C, H, W.

It holds the parameters, the arena and the programs that run in it. For training see :mod:`runtime.training.train`,
for files :mod:`runtime.weights`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import RLock
from typing import Any, Literal
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from planner.findings import SizeError
from planner.fixes.check import check
from planner.lowering.node import DType
from planner.memory import Arena, plan_arena
from planner.network.fusion import plan_fusion
from planner.plan.plan import BoundPlan
from planner.spec import read as read_spec
from runtime import layout, weights
from runtime.allocation import allocation_guard, empty_outputs
from runtime.fusion import write_fused
from runtime.layout import Given
from runtime.parameters import State
from runtime.program import Program
from runtime.training.train import evaluate, fit, predict

Array = NDArray[Any]
Mode = Literal["inference", "training", "input gradients"]

ALIGNMENT = 64
PROGRAMS_KEPT = 8
"""Number of programs to cache. Programs for other batch sizes are cheap to build."""


class Model:
    """A network that can be trained and run: its parameters, and one arena of exactly the planned size.

    Parameters
    ----------
    bound : BoundPlan
        Returned by :meth:`planner.Plan.bind`. Its batch is the largest number of images computed at once.
    seed : int
        Seed of the initial parameters; the same seed gives the same bits.

    Attributes
    ----------
    bound : BoundPlan
    parameters, buffers : mapping of str to array
        Writable views by ``node.name``: ``model.parameters["c1.weight"][:] = ...``. A convolution's weight is
        (filters, channels / groups, kh, kw).
    flat_parameters, flat_buffers : array, 1-D
        The same memory as one flat array.
    seed : int
    rng : numpy.random.Generator
        Drew the parameters, and serves dropout and shuffling.
    lock : threading.RLock
        Held during a pass or a step: a model has one arena, so threads that use it take turns.

    Raises
    ------
    SizeError
        R513: `bound` is not a bound plan, or its inputs have different batches; R511: there is not enough memory for
        the parameters. Memory for a forward pass or a training step is allocated when the first one runs.

    Examples
    --------
    >>> import planner
    >>> net = planner.Network(name="t", input={"image": ("N", 3, 32, 32)},
    ...                       layers=[planner.layer("conv", name="c1", filters=6, kernel=5)])
    >>> model = Model(net.check().bind(N=8), seed=0)
    >>> model.parameters["c1.weight"].shape
    (6, 3, 5, 5)
    >>> model(np.zeros((2, 3, 32, 32), np.float32)).shape
    (2, 6, 28, 28)
    """

    def __init__(self, bound: BoundPlan, seed: int = 0) -> None:
        _check(bound, seed)
        batches = {name: shape[0] for name, shape in bound.input_shapes.items()}
        if len(set(batches.values())) > 1:
            found = ", ".join(f"`{name}` {count}" for name, count in batches.items())
            message = f"all inputs of a model must have the same batch size, but the plan has {found}"
            raise SizeError.of("R513", message, fixes=("use one name for the first size of every input: N",))
        self.bound, self.seed = bound, int(seed)
        self._state = State(bound, self.seed)
        self._plans: dict[Mode, Arena] = {}
        self._programs: dict[tuple[Mode, int], Program] = {}
        self._memory: NDArray[np.uint8] = np.empty(0, np.uint8)
        self.lock = RLock()
        _MODELS.add(self)

    def __reduce__(self) -> tuple[Callable[..., Model], tuple[object, ...]]:
        """Return what a copy or a pickle is made from: the plan, the arrays and the random numbers, not the arena."""
        arrays = self.flat_parameters.copy(), self.flat_buffers.copy()
        return _rebuilt, (self.bound, self.seed, *arrays, self.rng.bit_generator.state)

    def __repr__(self) -> str:
        return f"Model({self.bound.name}, batch {self.bound.batch}, {self.bound.parameter_count:,} parameters)"

    @property
    def parameters(self) -> Mapping[str, Array]:
        """Trainable arrays by name; writable."""
        return self._state.parameters.views

    @property
    def gradients_by_name(self) -> Mapping[str, Array]:
        """Gradients of the parameters from the last backward pass, by name; views."""
        return self._state.gradients.views

    @property
    def buffers(self) -> Mapping[str, Array]:
        """State arrays that are not trained, such as running statistics, by name; writable."""
        return self._state.buffers.views

    @property
    def flat_parameters(self) -> Array:
        """All parameters as one flat array, in the order of the nodes."""
        return self._state.parameters.flat

    @property
    def flat_gradients(self) -> Array:
        """Gradients of all parameters as one flat array, in the same order."""
        return self._state.gradients.flat

    @property
    def flat_buffers(self) -> Array:
        """All buffers as one flat array, in the order of the nodes."""
        return self._state.buffers.flat

    @property
    def rng(self) -> np.random.Generator:
        """Random generator of the model; set its state to continue a run, never replace it."""
        return self._state.rng

    def __call__(self, x: Given) -> Any:  # array or dict, depending on the plan: a union would burden every caller
        """Compute the outputs in inference mode, (N, ...) in the plan's dtype.

        Parameters
        ----------
        x : array_like or mapping of str to array_like
            (N, C, H, W) or (N, features), any number of images; by name if the network has several inputs.
            Integers, booleans and other floating types are converted as they are.

        Returns
        -------
        array, or dict of str to array
            By public name if the network has several outputs.

        Raises
        ------
        SizeError
            R502: names, shapes or types differ from the plan; R511: there is not enough memory.
        """
        arrays, count = layout.read(x, self.bound.input_shapes)
        found = empty_outputs(self.bound, count)
        for start in range(0, count, self.bound.batch):
            stop = min(start + self.bound.batch, count)
            with self.lock:
                program = self._program("inference", stop - start)
                for name, array in arrays.items():
                    layout.fill(program.inputs[name], array[start:stop])
                program.forward()
                for name, array in found.items():
                    np.copyto(array[start:stop], layout.images(program.outputs[name]))
        return _single(found)

    def gradients(self, x: Given, grad_output: Given) -> tuple[Any, dict[str, Array], dict[str, Array]]:
        """Compute the outputs and gradients of one training step, without changing any parameter.

        The step runs in training mode: dropout is active, and running statistics are updated.

        Parameters
        ----------
        x : array_like or mapping of str to array_like
            As for calling the model, but at most the plan's batch.
        grad_output : array_like or mapping of str to array_like
            Gradient of a scalar with respect to each output, in the shape of that output.

        Returns
        -------
        outputs : array, or dict of str to array
        grad_inputs : dict of str to array
            (N, C, H, W), by input.
        grad_parameters : dict of str to array
            By ``node.name``; copies.

        Raises
        ------
        SizeError
            R502: names, shapes, types or the number of images differ from the plan.

        Examples
        --------
        >>> import planner
        >>> net = planner.Network(name="t", input={"x": ("N", 2)}, layers=[planner.layer("dense", name="d", units=1)])
        >>> model = Model(net.check().bind(N=1))
        >>> model.parameters["d.weight"][:] = [[3, 4]]
        >>> y, grad_inputs, grad_parameters = model.gradients([[1, 2]], [[10]])
        >>> y.tolist(), grad_inputs["x"].tolist(), grad_parameters["d.weight"].tolist()
        ([[11.0]], [[30.0, 40.0]], [[10.0, 20.0]])
        """
        arrays, count = layout.read(x, self.bound.input_shapes)
        grads, grad_count = layout.read(grad_output, self.bound.output_shapes, "gradient of output")
        if count != grad_count:
            message = f"the inputs hold {count} images, but the gradients of the outputs {grad_count}"
            raise SizeError.of("R502", message, fixes=("give one gradient per image",))
        with self.lock:
            program = self._program("input gradients", self._checked_batch(count))
            for name, array in arrays.items():
                layout.fill(program.inputs[name], array)
            program.forward()
            outputs = {name: layout.images(view).copy() for name, view in program.outputs.items()}
            for name, array in grads.items():
                layout.fill(program.grad_outputs[name], array)
            program.backward()
            # an input that no output depends on, or that lends its shape alone, has no gradient in the arena
            grad_inputs = {name: np.zeros_like(array, self.bound.dtype) for name, array in arrays.items()}
            grad_inputs |= {name: layout.images(view).copy() for name, view in program.grad_inputs.items()}
            return _single(outputs), grad_inputs, {name: view.copy() for name, view in self.gradients_by_name.items()}

    def training_program(self, batch: int) -> Program:
        """Return the training program for this many images; repeated calls return the same program.

        It runs in the arena that inference uses too: hold :attr:`lock` from filling its inputs until its gradients are
        used.

        Raises
        ------
        SizeError
            R502: more images than the plan's batch, or none.
        """
        return self._program("training", self._checked_batch(batch))

    def arena(self, *, training: bool = False) -> NDArray[np.uint8]:
        """Return the memory of one mode as bytes, of exactly the planned size.

        Inference and training share the same memory, so that evaluating between two epochs needs no more of it.
        """
        mode: Literal["inference", "training"] = "training" if training else "inference"
        return self._reserve(self._plan(mode), mode)

    fit = fit
    evaluate = evaluate
    predict = predict

    def fused(self) -> Model:
        """Return a model of the fused network, which computes the same outputs at inference up to rounding.

        Batch norm is folded into the weights of the preceding layer; see :func:`planner.fuse`. The new weights are
        computed from the current weights and running statistics; later changes to one model do not affect the other.

        Raises
        ------
        SizeError
            R511: there is not enough memory for its parameters.

        Examples
        --------
        >>> import planner
        >>> net = planner.Network(name="t", input={"x": ("N", 2)}, layers=[
        ...     planner.layer("dense", name="d", units=1, bias=False, norm={"batch": {"eps": 1e-30}})])
        >>> model = Model(net.check().bind(N=1))
        >>> model.parameters["d.weight"][:] = [[3, 4]]
        >>> model.buffers["d.norm.running_mean"][:], model.buffers["d.norm.running_var"][:] = 6, 4
        >>> {name: array.tolist() for name, array in model.fused().parameters.items()}
        {'d.weight': [[1.5, 2.0]], 'd.bias': [-3.0]}
        """
        fusion = plan_fusion(self.bound.plan.network)
        fused = Model(check(fusion.network).bind(dtype=self.bound.dtype, **self.bound.sizes), seed=self.seed)
        old, new = ({**each.parameters, **each.buffers} for each in (self, fused))
        write_fused(fusion, self.bound, old, fused.bound, new)
        return fused

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write parameters, buffers and the spec to a safetensors file, and return its path.

        Raises
        ------
        planner.PlannerError
            R508: the file cannot be written; an existing file of that name is unchanged.
        """
        return weights.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Load a model from a file written by :meth:`save`: rebuild the network from its spec, and set the weights.

        Raises
        ------
        planner.PlannerError
            R508: there is no such file, it is damaged, or it was not written by :meth:`save`; other codes: the spec in
            the file is invalid.
        """
        saved = weights.read(path)
        network, findings = read_spec(saved.spec, f"{os.fspath(path)} (spec)")
        if network is None or findings:
            raise weights.WeightsError(findings)
        dtype: DType = "float64" if saved.dtype == "float64" else "float32"
        model = cls(check(network).bind(dtype=dtype, **saved.sizes))
        weights.restore(model, path, saved)
        return model

    def _checked_batch(self, count: int) -> int:
        if 1 <= count <= self.bound.batch:
            return count
        message = f"a training step of this plan takes 1 to {self.bound.batch} images, got {count}"
        raise SizeError.of("R502", message, fixes=(f"bind the plan with N={max(count, 1)}",))

    def _plan(self, mode: Mode) -> Arena:
        if mode == "inference":
            return self.bound.memory.inference
        if mode == "training":
            return self.bound.memory.training
        if mode not in self._plans:
            self._plans[mode] = plan_arena(self.bound, training=True, input_gradients=True)
        return self._plans[mode]

    def _program(self, mode: Mode, batch: int) -> Program:
        program = self._programs.pop((mode, batch), None)
        if program is None:
            arena = self._plan(mode)
            memory = self._reserve(arena, "inference" if mode == "inference" else "training")
            program = Program(self.bound, self._state, arena, memory, batch=batch)
            while len(self._programs) >= PROGRAMS_KEPT:
                del self._programs[next(iter(self._programs))]
        self._programs[mode, batch] = program  # the most recently used program comes last
        return program

    def _reserve(self, arena: Arena, mode: Literal["inference", "training"]) -> NDArray[np.uint8]:
        """Return memory for an arena: the memory of the largest one so far, or new memory if that is too small."""
        if self._memory.nbytes < arena.bytes:
            self._programs.clear()
            # The smaller memory is released first: both at once would exceed the plan.
            self._memory = np.empty(0, np.uint8)
            images = f"{self.bound.batch:,} image{'s' * (self.bound.batch > 1)}"
            what = f"{'a training step' if mode == 'training' else 'a forward pass'} of {images}"
            with allocation_guard(self.bound, what, arena.bytes, mode):
                self._memory = _aligned(arena.bytes)
        return self._memory[: arena.bytes]


_MODELS: WeakSet[Model] = WeakSet()
"""Every model of this process."""


def _renew_locks() -> None:
    """Give each model a new lock: in a forked process, the thread that held one no longer exists."""
    for model in _MODELS:
        model.lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


def _rebuilt(bound: BoundPlan, seed: int, parameters: Array, buffers: Array, rng: Mapping[str, Any]) -> Model:
    model = Model(bound, seed)
    np.copyto(model.flat_parameters, parameters)
    np.copyto(model.flat_buffers, buffers)
    model.rng.bit_generator.state = rng
    return model


def _check(bound: object, seed: object) -> None:
    """Refuse arguments of a wrong type, which programs without type checks may pass."""
    if not isinstance(bound, BoundPlan):
        message = f"a model takes a bound plan, got {type(bound).__name__}"
        raise SizeError.of("R513", message, fixes=("give net.check().bind(N=..., ...)",))
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise SizeError.of("R513", f"a seed must be a non-negative integer, got {seed!r}", fixes=("seed=0",))


def _aligned(size: int) -> NDArray[np.uint8]:
    """Return uninitialised memory that starts on a cache line."""
    raw = np.empty(size + ALIGNMENT - 1, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size]


def _single(arrays: dict[str, Array]) -> Array | dict[str, Array]:
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays
