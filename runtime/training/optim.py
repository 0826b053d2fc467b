"""The optimizers over one flat array of parameters: they move weights in place and allocate nothing in a step.

Temporaries live in one block that stays in the cache, of the size ``planner.training.optimizers`` says; what is kept
between steps is as many arrays of the parameters' size as it counts. Nothing here knows layers or shapes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from planner.training import optimizers

Array = NDArray[Any]
S = TypeVar("S", bound=optimizers.Optimizer)


class Optimizer(ABC, Generic[S]):
    """One optimizer bound to the parameters it moves and the gradients it reads.

    Parameters
    ----------
    settings : planner.training.optimizers.Optimizer
    parameters, gradients : 1-D float arrays of one length and dtype, contiguous
        `parameters` is written by :meth:`step`, `gradients` is not changed.
    """

    def __init__(self, settings: S, parameters: Array, gradients: Array) -> None:
        self.settings = settings
        self.parameters, self.gradients = parameters, gradients
        self.state: tuple[Array, ...] = tuple(np.zeros_like(parameters) for _ in range(settings.state_arrays))
        self.steps = 0
        size = optimizers.WORKSPACE_BYTES // parameters.itemsize
        workspace = np.empty(optimizers.workspace_bytes(parameters.nbytes) // parameters.itemsize, parameters.dtype)
        # Views are made once here, so that a step makes no Python objects either.
        self._blocks = [
            (
                parameters[at : at + size],
                gradients[at : at + size],
                workspace[: min(size, parameters.size - at)],
                tuple(array[at : at + size] for array in self.state),
            )
            for at in range(0, parameters.size, size)
        ]

    def step(self, lr: float | None = None) -> None:
        """Update the parameters once, with another learning rate than in the settings if one is given."""
        self.steps += 1
        rate = float(self.settings.lr if lr is None else lr)
        for parameters, gradients, workspace, state in self._blocks:
            self._move(parameters, gradients, workspace, state, rate)

    def restore(self, state: Sequence[Array], steps: int) -> None:
        """Take over the state of an optimizer of the same settings and size that has made `steps` steps."""
        for mine, theirs in zip(self.state, state, strict=True):
            np.copyto(mine, theirs)
        self.steps = steps

    @abstractmethod
    def _move(self, w: Array, g: Array, workspace: Array, state: tuple[Array, ...], lr: float) -> None: ...


class Sgd(Optimizer[optimizers.Sgd]):
    """Stochastic gradient descent as :class:`planner.training.optimizers.Sgd` describes it.

    Examples
    --------
    >>> weights, gradients = np.array([1.0, 2.0]), np.array([0.5, -0.5])
    >>> optimizer = Sgd(optimizers.Sgd(lr=0.1, momentum=0.9), weights, gradients)
    >>> optimizer.step(); optimizer.step()
    >>> weights.round(4).tolist()
    [0.855, 2.145]
    """

    def _move(self, w: Array, g: Array, workspace: Array, state: tuple[Array, ...], lr: float) -> None:
        settings = self.settings
        slope = g
        if settings.weight_decay:
            np.multiply(w, settings.weight_decay, out=workspace)
            np.add(workspace, g, out=workspace)
            slope = workspace
        if settings.momentum:
            (velocity,) = state
            np.multiply(velocity, settings.momentum, out=velocity)
            np.add(velocity, slope, out=velocity)
            if settings.nesterov:
                if slope is workspace:
                    self._lookahead(w, velocity, workspace, lr)
                    return
                np.multiply(velocity, settings.momentum, out=workspace)
                np.add(workspace, g, out=workspace)
                slope = workspace
            else:
                slope = velocity
        np.multiply(slope, lr, out=workspace)
        np.subtract(w, workspace, out=w)

    def _lookahead(self, w: Array, velocity: Array, slope: Array, lr: float) -> None:
        # Two subtractions instead of a second workspace block.
        np.multiply(slope, lr, out=slope)
        np.subtract(w, slope, out=w)
        np.multiply(velocity, lr * self.settings.momentum, out=slope)
        np.subtract(w, slope, out=w)


class Adam(Optimizer[optimizers.Adam]):
    """Adam as :class:`planner.training.optimizers.Adam` or, with decoupled decay, its AdamW describe it.

    Examples
    --------
    >>> weights, gradients = np.array([1.0, 2.0]), np.array([0.5, -0.5])
    >>> Adam(optimizers.Adam(lr=0.1), weights, gradients).step()
    >>> weights.round(4).tolist()
    [0.9, 2.1]
    """

    def _move(self, w: Array, g: Array, workspace: Array, state: tuple[Array, ...], lr: float) -> None:
        settings = self.settings
        mean, square = state
        beta1, beta2 = settings.betas
        decoupled = isinstance(settings, optimizers.AdamW)
        if decoupled and settings.weight_decay:
            np.multiply(w, 1.0 - lr * settings.weight_decay, out=w)
        np.multiply(mean, beta1, out=mean)
        np.multiply(square, beta2, out=square)
        # The slope is computed twice rather than kept: there is one workspace block.
        self._slope(w, g, workspace, decoupled)
        np.multiply(workspace, 1.0 - beta1, out=workspace)
        np.add(mean, workspace, out=mean)
        self._slope(w, g, workspace, decoupled)
        np.multiply(workspace, workspace, out=workspace)
        np.multiply(workspace, 1.0 - beta2, out=workspace)
        np.add(square, workspace, out=square)
        np.sqrt(square, out=workspace)
        np.multiply(workspace, 1.0 / math.sqrt(1.0 - beta2**self.steps), out=workspace)
        np.add(workspace, settings.eps, out=workspace)
        np.divide(mean, workspace, out=workspace)
        np.multiply(workspace, lr / (1.0 - beta1**self.steps), out=workspace)
        np.subtract(w, workspace, out=w)

    def _slope(self, w: Array, g: Array, workspace: Array, decoupled: bool) -> None:
        if decoupled or not self.settings.weight_decay:
            np.copyto(workspace, g)
        else:
            np.multiply(w, self.settings.weight_decay, out=workspace)
            np.add(workspace, g, out=workspace)


def optimizer(settings: optimizers.Optimizer, parameters: Array, gradients: Array) -> Sgd | Adam:
    """Return the optimizer for these settings, bound to its arrays.

    Examples
    --------
    >>> weights = np.zeros(3)
    >>> type(optimizer(optimizers.AdamW(), weights, np.ones(3))).__name__
    'Adam'
    """
    match settings:
        case optimizers.Sgd():
            return Sgd(settings, parameters, gradients)
        case optimizers.Adam():
            return Adam(settings, parameters, gradients)
        case _:
            raise TypeError(f"no optimizer runs {type(settings).__name__}")
