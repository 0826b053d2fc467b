"""Losses: they turn the outputs of a network and the targets into one number and its gradient.

Arrays are batch-last, (classes, N) or (classes, H, W, N). A loss is bound once to the arrays of a training program.
Its steps write the gradient in place and allocate nothing that grows with the batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.findings import Finding, PlannerError

Array = NDArray[Any]

BLOCK = 4096
"""Number of positions indexed at once, so that the indices need little memory for any batch."""

NUMBERS = np.arange(BLOCK, dtype=np.intp)


class TargetError(PlannerError):
    """Targets that the loss does not accept (R503)."""


class BatchMetrics(NamedTuple):
    """Metrics of one batch: the mean loss, and how many of the classified positions are correct.

    `classified` is 0 if the targets are numbers rather than classes.
    """

    loss: float
    correct: int
    classified: int


class Loss(ABC):
    """A loss that is bound to one output of a training program.

    Parameters
    ----------
    output : array (classes, ..., N), contiguous
        Read in each step.
    grad_output : array of the same shape, contiguous, or None
        Receives the gradient of the mean loss. None allocates an array for it, as in evaluation.
    workspace : 1-D array of the same dtype, or None
        At least ``planner.training.settings.loss_workspace`` elements; contents are undefined before and after.

    Attributes
    ----------
    targets : array
        Fill this before each :meth:`step`, batch last, with labels (..., N) or numbers (classes, ..., N).
    """

    targets: Array

    def __init__(self, output: Array, grad_output: Array | None = None, workspace: Array | None = None) -> None:
        classes = output.shape[0]
        self._output = _view(output, classes, -1)
        grad = np.empty_like(output) if grad_output is None else grad_output
        self._grad = _view(grad, classes, -1)
        self._flat = _view(grad, -1)
        self._shape = output.shape
        self._positions = int(self._output.shape[1])
        words = -(-self._positions * np.dtype(np.intp).itemsize // output.itemsize)
        if workspace is None:
            workspace = np.empty(words + 2 * self._positions, output.dtype)
        self._index = workspace[:words].view(np.intp)
        self._first = workspace[words : words + self._positions]
        self._second = workspace[words + self._positions : words + 2 * self._positions]

    @abstractmethod
    def step(self) -> BatchMetrics:
        """Write the gradient of the mean loss over the batch and return its metrics; overwrites `targets`."""

    def _flatten_labels(self) -> None:
        """Convert each label to the flat index of its output, in memory order."""
        np.multiply(self._index, self._positions, out=self._index)
        for start in range(0, self._positions, BLOCK):
            part = self._index[start : start + BLOCK]
            np.add(part, NUMBERS[: part.size], out=part)
            if start:
                np.add(part, start, out=part)

    def _count_largest(self) -> None:
        """Write each position's largest output to `_first`, and the number of classes that share it to `_second`."""
        np.max(self._output, axis=0, out=self._first)
        np.equal(self._output, self._first, out=self._grad)
        np.sum(self._grad, axis=0, out=self._second)

    def _count_correct(self) -> int:
        """Return the number of positions where only the label has the largest output.

        `_first` holds the output of the label minus the largest one, which is 0 only if the two are equal; `_second`
        is overwritten.
        """
        np.subtract(self._second, 1.0, out=self._second)
        # Not a sum: added to the number of other classes, a difference of one rounding step would be lost.
        np.logical_or(self._first, self._second, out=self._second)
        return self._positions - int(np.count_nonzero(self._second))


class CrossEntropy(Loss):
    """Mean over the positions of ``-log(softmax(logits)[label])``; labels are integers below `classes`.

    The largest logit of each position is subtracted first, so that no exponential overflows. A position is correct if
    only its label has the largest logit: a network with constant outputs does not count as correct.

    References
    ----------
    torch.nn.CrossEntropyLoss documentation (mean reduction).

    Examples
    --------
    >>> loss = CrossEntropy(np.array([[2.0, 0.0], [0.0, 0.0]]), grad := np.empty((2, 2)))
    >>> loss.targets[:] = [0, 1]
    >>> metrics = loss.step()
    >>> round(metrics.loss, 4), grad.round(3).tolist()
    (0.41, [[-0.06, 0.25], [0.06, -0.25]])
    """

    def __init__(self, output: Array, grad_output: Array | None = None, workspace: Array | None = None) -> None:
        super().__init__(output, grad_output, workspace)
        self.targets = _view(self._index, *self._shape[1:])

    def step(self) -> BatchMetrics:
        first, second, grad, count = self._first, self._second, self._grad, self._positions
        self._flatten_labels()
        flat = self._flat
        self._count_largest()
        np.subtract(self._output, first, out=grad)
        np.take(flat, self._index, out=first, mode="clip")
        total = -float(np.sum(first, dtype=np.float64))
        correct = self._count_correct()
        np.exp(grad, out=grad)
        np.sum(grad, axis=0, out=first)
        np.divide(grad, first, out=grad)
        np.log(first, out=first)
        total += float(np.sum(first, dtype=np.float64))
        np.take(flat, self._index, out=second, mode="clip")
        np.subtract(second, 1.0, out=second)
        np.put(flat, self._index, second, mode="clip")
        np.multiply(grad, 1.0 / count, out=grad)
        return BatchMetrics(total / count, correct, count)


class MeanSquaredError(Loss):
    """Mean of ``(output - target)**2`` over all numbers.

    With `labels`, targets are integers and represent one-hot rows: 1 at the label, 0 elsewhere.

    References
    ----------
    torch.nn.MSELoss documentation (mean reduction).

    Examples
    --------
    >>> loss = MeanSquaredError(np.array([[1.0, 3.0]]), grad := np.empty((1, 2)))
    >>> loss.targets[:] = [[0.0, 1.0]]
    >>> loss.step().loss, grad.tolist()
    (2.5, [[1.0, 2.0]])
    """

    def __init__(
        self,
        output: Array,
        grad_output: Array | None = None,
        workspace: Array | None = None,
        *,
        labels: bool = False,
    ) -> None:
        super().__init__(output, grad_output, workspace)
        self._labels = labels
        places = _view(self._index, *self._shape[1:])
        self.targets = places if labels else _view(self._grad, *self._shape)

    def step(self) -> BatchMetrics:
        grad, correct, count = self._grad, 0, 0
        flat = self._flat
        if self._labels:
            self._flatten_labels()
            self._count_largest()
            np.subtract(self._output, self._first, out=grad)
            np.take(flat, self._index, out=self._first, mode="clip")
            correct, count = self._count_correct(), self._positions
            grad.fill(0.0)
            np.put(flat, self._index, 1.0, mode="clip")
        np.subtract(self._output, grad, out=grad)
        total = float(np.dot(flat, flat))
        np.multiply(grad, 2.0 / grad.size, out=grad)
        return BatchMetrics(total / grad.size, correct, count)


def bind(
    name: str,
    targets: Array,
    output: Array,
    grad_output: Array | None = None,
    workspace: Array | None = None,
) -> Loss:
    """Return the loss `name` for checked targets (see :func:`checked`), bound to the arrays of a program.

    Targets with as many axes as the output are numbers; labels have one axis less.
    """
    if name == "cross_entropy":
        return CrossEntropy(output, grad_output, workspace)
    return MeanSquaredError(output, grad_output, workspace, labels=targets.ndim < output.ndim)


def checked(name: str, targets: object, shape: tuple[int, ...], output: str = "out") -> Array:
    """Check the targets of a whole data set and return them as the loss needs them: labels as intp, numbers unchanged.

    For ``mse``, targets with the shape of the output are numbers, even if they are integers. The same holds for targets
    of a single output, with or without its axis. Integers without the axis of the classes are labels.

    Parameters
    ----------
    name : str
        ``cross_entropy`` or ``mse``.
    targets : array
        (N,) or (N, H, W) labels, or for ``mse`` numbers of the output's shape.
    shape : tuple of int
        The output's shape without the batch: (classes,) or (classes, H, W).
    output : str
        The name of the output, for messages.

    Raises
    ------
    TargetError
        R503: a wrong shape, a wrong kind of number, or a label outside 0 .. classes - 1.

    Examples
    --------
    >>> checked("cross_entropy", [3, 10], (10,))
    Traceback (most recent call last):
    ...
    runtime.training.losses.TargetError: error[R503]: the labels range from 3 to 10, but `out` has 10 classes, 0 to 9; \
subtract 1 from the labels if they count from 1
    """
    given = np.asarray(targets)
    classes, places = shape[0], tuple(shape[1:])
    if name == "mse" and given.dtype.kind in "iufb":
        if given.shape[1:] == tuple(shape):
            return given
        if classes == 1 and given.ndim and given.shape[1:] == places:
            return np.expand_dims(given, 1)
    if given.dtype.kind in "iub":
        wide = (*places, 1)
        if given.shape[1:] == wide or (given.shape[1:] == (1,) and not places):
            given = given.reshape(given.shape[0], *places)
        if given.shape[1:] == places:
            return _labels(given, classes, output)
    raise TargetError([_misfit(name, given, shape, output)])


def _view(array: Array, *shape: int) -> Array:
    view = array.reshape(shape)
    if array.size and not np.shares_memory(view, array):
        raise ValueError(f"a loss needs contiguous arrays, got strides {array.strides}")
    return view


def _labels(labels: Array, classes: int, output: str) -> Array:
    if labels.size:
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= classes:
            fixes: tuple[str, ...] = ()
            if low >= 1 and high == classes:
                fixes = ("subtract 1 from the labels if they count from 1",)
            elif low >= 0:
                fixes = (f"give the network {high + 1} outputs",)
            message = f"the labels range from {low} to {high}, but `{output}` has {classes} classes, 0 to {classes - 1}"
            raise TargetError([Finding("R503", message, fixes=fixes)])
    return np.ascontiguousarray(labels, dtype=np.intp)


def _misfit(name: str, given: Array, shape: tuple[int, ...], output: str) -> Finding:
    places = "".join(f", {size}" for size in shape[1:])
    wanted = f"integers of shape (N{places or ','})"
    if name == "mse":
        numbers = f"numbers of shape (N, {', '.join(map(str, shape))})"
        wanted = numbers if shape[0] == 1 else f"{wanted} or {numbers}"
    fixes: tuple[str, ...] = ()
    if name == "cross_entropy" and given.shape[1:] == tuple(shape):
        fixes = ("give the class of each image: labels.argmax(axis=1)",)
    elif given.dtype.kind == "f" and given.shape[1:] == tuple(shape[1:]):
        fixes = ("convert the labels: labels.astype(int)",)
    message = f"`{name}` takes {wanted} for `{output}`, got {given.dtype} of shape {given.shape}"
    return Finding("R503", message, fixes=fixes)
