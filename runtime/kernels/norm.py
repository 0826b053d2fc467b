"""Batch normalisation on (C, H, W, N) or (features, N); statistics are computed over contiguous memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.layers.norm import BatchNorm
from planner.layers.tiling.workspace import WIDE, norm_step, pieces
from runtime.kernels.base import Array, Kernel, flat, kernel


@dataclass(frozen=True, slots=True)
class Piece:
    """Views of some channels: (channels, numbers), or (channels, 1) for one number per channel."""

    x: Array
    y: Array
    mean: Array
    inverse: Array
    scale: Array
    shift: Array
    product: Array
    total: Array
    weight: Array | None
    bias: Array | None
    grad: Array | None
    grad_input: Array | None
    grad_weight: Array | None
    grad_bias: Array | None
    centred: Array


@kernel(BatchNorm)
class BatchNormKernel(Kernel[BatchNorm]):
    """Batch normalisation; the variance is computed from the centred numbers, to avoid cancellation.

    With d = x - mean, r = 1/sqrt(var + eps) and weight w, the backward pass is
    ``w r (g - mean(g) - d r^2 mean(g d))`` (arXiv:1502.03167, section 3).
    """

    def prepare(self) -> None:
        arrays, training = self.arrays, self.training
        channels = arrays.output.shape[0]
        self.count = arrays.output.size // channels
        workspace, back = self.workspace(), self.backward_workspace()
        self.scale, self.shift = workspace.take(channels, 1), workspace.take(channels, 1)
        rows = channels if self.differentiates else 0
        product, total = back.take(rows, 1), back.take(rows, 1)
        self.running_mean = flat(arrays.buffers["running_mean"], channels, 1)
        self.running_var = flat(arrays.buffers["running_var"], channels, 1)
        self.mean = flat(arrays.saved["mean"], channels, 1) if training else self.running_mean
        self.inverse = flat(arrays.saved["inverse"], channels, 1) if training else self.running_var
        step = norm_step(channels, self.count, WIDE)
        centred = back.take(step if self.differentiates else 0, self.count)
        whole = [
            None if array is None else flat(array, channels, -1)
            for array in (
                arrays.parameters.get("weight"),
                arrays.parameters.get("bias"),
                arrays.grad_output if self.differentiates else None,
                arrays.grad_inputs[0] if self.differentiates else None,
                arrays.grad_parameters.get("weight") if self.differentiates else None,
                arrays.grad_parameters.get("bias") if self.differentiates else None,
            )
        ]
        x, y = flat(arrays.inputs[0], channels, -1), flat(arrays.output, channels, -1)
        self.pieces = []
        for span in (slice(*each) for each in pieces(channels, step)):
            given = (None if array is None else array[span] for array in whole)
            weight, bias, grad, grad_input, grad_weight, grad_bias = given
            self.pieces.append(
                Piece(
                    x=x[span],
                    y=y[span],
                    mean=self.mean[span],
                    inverse=self.inverse[span],
                    scale=self.scale[span],
                    shift=self.shift[span],
                    product=product[span],
                    total=total[span],
                    weight=weight,
                    bias=bias,
                    grad=grad,
                    grad_input=grad_input,
                    grad_weight=grad_weight,
                    grad_bias=grad_bias,
                    centred=centred[: span.stop - span.start],
                )
            )

    def forward(self) -> None:
        for piece in self.pieces:
            if self.training:
                self._centre(piece)
                self._normalise(piece)
            else:
                self._apply_running(piece)
        if not self.training or self.count == 1:
            # one number has no variance, and its mean alone must not change the running statistics
            return
        # `shift` holds the biased variances here
        self._update_running(self.running_mean, self.mean, 1.0)
        self._update_running(self.running_var, self.shift, self.count / (self.count - 1))

    def _apply_running(self, piece: Piece) -> None:
        scale, shift = piece.scale, piece.shift
        np.add(piece.inverse, self.layer.eps, out=scale)
        np.sqrt(scale, out=scale)
        np.divide(1, scale, out=scale)
        if piece.weight is not None:
            np.multiply(scale, piece.weight, out=scale)
        np.multiply(piece.mean, scale, out=shift)
        np.negative(shift, out=shift)
        if piece.bias is not None:
            np.add(shift, piece.bias, out=shift)
        np.multiply(piece.x, scale, out=piece.y)
        np.add(piece.y, shift, out=piece.y)

    def _centre(self, piece: Piece) -> None:
        """Write the centred numbers to the output, the mean to `mean` and the variance to `shift`."""
        np.add.reduce(piece.x, axis=1, keepdims=True, out=piece.mean)
        np.divide(piece.mean, self.count, out=piece.mean)
        np.subtract(piece.x, piece.mean, out=piece.y)
        _products(piece.y, piece.y, piece.shift)
        np.divide(piece.shift, self.count, out=piece.shift)

    def _normalise(self, piece: Piece) -> None:
        """Compute the output from the centred numbers, and write 1/sqrt(var + eps) to `inverse`."""
        inverse, scale, y = piece.inverse, piece.inverse, piece.y
        np.add(piece.shift, self.layer.eps, out=inverse)
        np.sqrt(inverse, out=inverse)
        np.divide(1, inverse, out=inverse)
        if piece.weight is not None:
            scale = np.multiply(inverse, piece.weight, out=piece.scale)
        np.multiply(y, scale, out=y)
        if piece.bias is not None:
            np.add(y, piece.bias, out=y)

    def _update_running(self, running: Array, batch: Array, factor: float) -> None:
        np.multiply(running, 1 - self.layer.momentum, out=running)
        np.multiply(batch, self.layer.momentum * factor, out=self.scale)
        np.add(running, self.scale, out=running)

    def backward(self) -> None:
        for piece in self.pieces:
            assert piece.grad is not None, "training programs have gradients"
            total, product, centred = piece.total, piece.product, piece.centred
            np.subtract(piece.x, piece.mean, out=centred)
            np.add.reduce(piece.grad, axis=1, keepdims=True, out=total)
            _products(centred, piece.grad, product)
            np.multiply(product, piece.inverse, out=product)
            if piece.grad_weight is not None and piece.grad_bias is not None:
                np.copyto(piece.grad_weight, product)
                np.copyto(piece.grad_bias, total)
            if piece.grad_input is not None:
                self._grad_input(piece, piece.grad, piece.grad_input)

    def _grad_input(self, piece: Piece, grad: Array, target: Array) -> None:
        """Finish the gradient of the input; `total` is the sum of g, `product` that of g times the normalised input."""
        total, product, centred, inverse = piece.total, piece.product, piece.centred, piece.inverse
        np.multiply(product, inverse, out=product)
        np.divide(product, -self.count, out=product)
        np.multiply(centred, product, out=centred)
        np.divide(total, self.count, out=total)
        np.add(grad, centred, out=target)
        np.subtract(target, total, out=target)
        if piece.weight is not None:
            inverse = np.multiply(inverse, piece.weight, out=product)
        np.multiply(target, inverse, out=target)


def _products(left: Array, right: Array, out: Array) -> None:
    """Write the dot product of each pair of rows to `out`, without a temporary array as large as a row."""
    np.matmul(left[:, None, :], right[:, :, None], out=out[:, :, None])
