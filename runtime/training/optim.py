"""Optimizers over one flat array of parameters: they update it in place and allocate nothing in a step.

Temporaries use one block that stays in the cache; ``planner.training.optimizers`` defines its size, and the number of
state arrays, each as large as the parameters. Nothing here depends on layers or shapes.
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
    """An optimizer that is bound to the parameters it updates and the gradients it reads.

    Parameters
    ----------
    settings : planner.training.optimizers.Optimizer
    parameters, gradients : 1-D float arrays of one length and dtype, contiguous
        :meth:`step` writes `parameters` and does not change `gradients`.
    """

    def __init__(self, settings: S, parameters: Array, gradients: Array) -> None:
        self.settings = settings
        self.parameters, self.gradients = parameters, gradients
        self.state: tuple[Array, ...] = tuple(np.zeros_like(parameters) for _ in range(settings.state_arrays))
        self.steps = 0
        size = optimizers.WORKSPACE_BYTES // parameters.itemsize
        workspace = np.empty(optimizers.workspace_bytes(parameters.nbytes) // parameters.itemsize, parameters.dtype)
        # Views are created once, here, so that a step creates no Python objects.
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
        """Update the parameters once; `lr` replaces the learning rate of the settings."""
        self.steps += 1
        rate = float(self.settings.lr if lr is None else lr)
        for parameters, gradients, workspace, state in self._blocks:
            self._update(parameters, gradients, workspace, state, rate)

    def restore(self, state: Sequence[Array], steps: int) -> None:
        """Restore the state of an optimizer with the same settings and size after `steps` steps."""
        for own, saved in zip(self.state, state, strict=True):
            np.copyto(own, saved)
        self.steps = steps

    @abstractmethod
    def _update(self, w: Array, g: Array, workspace: Array, state: tuple[Array, ...], lr: float) -> None: ...


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

    def _update(self, w: Array, g: Array, workspace: Array, state: tuple[Array, ...], lr: float) -> None:
        settings = self.settings
        gradient = g
        if settings.weight_decay:
            np.multiply(w, settings.weight_decay, out=workspace)
            np.add(workspace, g, out=workspace)
            gradient = workspace
        if settings.momentum:
            (velocity,) = state
            np.multiply(velocity, settings.momentum, out=velocity)
            np.add(velocity, gradient, out=velocity)
            if settings.nesterov:
                if gradient is workspace:
                    self._lookahead(w, velocity, workspace, lr)
                    return
                np.multiply(velocity, settings.momentum, out=workspace)
                np.add(workspace, g, out=workspace)
                gradient = workspace
            else:
                gradient = velocity
        np.multiply(gradient, lr, out=workspace)
        np.subtract(w, workspace, out=w)

    def _lookahead(self, w: Array, velocity: Array, gradient: Array, lr: float) -> None:
        # Two subtractions instead of a second workspace block.
        np.multiply(gradient, lr, out=gradient)
        np.subtract(w, gradient, out=w)
        np.multiply(velocity, lr * self.settings.momentum, out=gradient)
        np.subtract(w, gradient, out=w)


class Adam(Optimizer[optimizers.Adam]):
    """Adam as :class:`planner.training.optimizers.Adam` describes it, or AdamW, with decoupled weight decay.

    Examples
    --------
    >>> weights, gradients = np.array([1.0, 2.0]), np.array([0.5, -0.5])
    >>> Adam(optimizers.Adam(lr=0.1), weights, gradients).step()
    >>> weights.round(4).tolist()
    [0.9, 2.1]
    """

    def _update(self, w: Array, g: Array, workspace: Array, state: tuple[Array, ...], lr: float) -> None:
        settings = self.settings
        mean, square = state
        beta1, beta2 = settings.betas
        decoupled = isinstance(settings, optimizers.AdamW)
        if decoupled and settings.weight_decay:
            np.multiply(w, 1.0 - lr * settings.weight_decay, out=w)
        np.multiply(mean, beta1, out=mean)
        np.multiply(square, beta2, out=square)
        # The gradient with weight decay is computed twice rather than kept: there is only one workspace block.
        self._decayed_gradient(w, g, workspace, decoupled)
        np.multiply(workspace, 1.0 - beta1, out=workspace)
        np.add(mean, workspace, out=mean)
        self._decayed_gradient(w, g, workspace, decoupled)
        np.multiply(workspace, workspace, out=workspace)
        np.multiply(workspace, 1.0 - beta2, out=workspace)
        np.add(square, workspace, out=square)
        np.sqrt(square, out=workspace)
        np.multiply(workspace, 1.0 / math.sqrt(1.0 - beta2**self.steps), out=workspace)
        np.add(workspace, settings.eps, out=workspace)
        np.divide(mean, workspace, out=workspace)
        np.multiply(workspace, lr / (1.0 - beta1**self.steps), out=workspace)
        np.subtract(w, workspace, out=w)

    def _decayed_gradient(self, w: Array, g: Array, workspace: Array, decoupled: bool) -> None:
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
            raise TypeError(f"no optimizer for {type(settings).__name__}")
