"""Batch normalisation on (C, H, W, N) or (features, N): statistics run along contiguous memory."""

from __future__ import annotations

import numpy as np

from planner.layers.norm import BatchNorm
from planner.layers.scratch import norm_step, pieces
from runtime.kernels.base import Array, Kernel, flat, kernel


@kernel(BatchNorm)
class BatchNormKernel(Kernel[BatchNorm]):
    """Normalises each channel; the variance is that of the centred numbers, so that nothing cancels.

    With d = x - mean, r = 1/sqrt(var + eps), weight w and m numbers a channel, backward is
    ``w r (g - mean(g) - d r^2 mean(g d))`` (arXiv:1502.03167, section 3).
    """

    def prepare(self) -> None:
        x = self.arrays.inputs[0]
        channels = x.shape[0]
        self.count = x.size // channels
        self.input, self.output = flat(x, channels, self.count), flat(self.arrays.output, channels, self.count)
        weight, bias = self.arrays.parameters.get("weight"), self.arrays.parameters.get("bias")
        self.weight = None if weight is None else weight[:, None]
        self.bias = None if bias is None else bias[:, None]
        scratch = self.scratch()
        self.scale, self.shift = scratch.take(channels, 1), scratch.take(channels, 1)
        self.running_mean = flat(self.arrays.buffers["running_mean"], channels, 1)
        self.running_var = flat(self.arrays.buffers["running_var"], channels, 1)
        if not self.training:
            return
        self.mean = flat(self.arrays.saved["mean"], channels, 1)
        self.inverse = flat(self.arrays.saved["inverse"], channels, 1)
        step = norm_step(channels, self.count)
        self.centred, self.product = scratch.take(step, self.count), scratch.take(step, self.count)
        self.spans = [slice(*span) for span in pieces(channels, step)]
        grad_output, grad_input = self.arrays.grad_output, self.arrays.grad_inputs[0]
        self.grad = self.input if grad_output is None else flat(grad_output, channels, self.count)
        self.grad_input = None if grad_input is None else flat(grad_input, channels, self.count)
        if self.weight is not None and grad_output is not None:
            self.grad_weight = self.arrays.grad_parameters["weight"][:, None]
            self.grad_bias = self.arrays.grad_parameters["bias"][:, None]

    def forward(self) -> None:
        if self.training:
            self._train()
            return
        np.add(self.running_var, self.layer.eps, out=self.scale)
        self._apply_running()

    def _apply_running(self) -> None:
        scale, shift = self.scale, self.shift
        np.sqrt(scale, out=scale)
        np.divide(1, scale, out=scale)
        if self.weight is not None:
            np.multiply(scale, self.weight, out=scale)
        np.multiply(self.running_mean, scale, out=shift)
        np.negative(shift, out=shift)
        if self.bias is not None:
            np.add(shift, self.bias, out=shift)
        np.multiply(self.input, scale, out=self.output)
        np.add(self.output, shift, out=self.output)

    def _train(self) -> None:
        mean, var = self.mean, self.inverse
        for span in self.spans:
            x, y = self.input[span], self.output[span]
            square = self.centred[: x.shape[0]]
            np.add.reduce(x, axis=1, keepdims=True, out=mean[span])
            np.divide(mean[span], self.count, out=mean[span])
            np.subtract(x, mean[span], out=y)
            np.multiply(y, y, out=square)
            np.add.reduce(square, axis=1, keepdims=True, out=var[span])
            np.divide(var[span], self.count, out=var[span])
            self._normalise(span, y)
        if self.count == 1:  # a spread of nothing was not measured, and a mean of one number would move the rest
            return
        # `shift` now holds the biased variances
        unbiased = self.count / (self.count - 1)
        self._move(self.running_mean, mean, 1.0)
        self._move(self.running_var, self.shift, unbiased)

    def _normalise(self, span: slice, y: Array) -> None:
        """Turn centred numbers into the output, and the variance in `inverse` into 1/sqrt(var + eps)."""
        inverse, scale = self.inverse[span], self.scale[span]
        np.copyto(self.shift[span], inverse)
        np.add(inverse, self.layer.eps, out=inverse)
        np.sqrt(inverse, out=inverse)
        np.divide(1, inverse, out=inverse)
        if self.weight is None:
            np.copyto(scale, inverse)
        else:
            np.multiply(inverse, self.weight[span], out=scale)
        np.multiply(y, scale, out=y)
        if self.bias is not None:
            np.add(y, self.bias[span], out=y)

    def _move(self, running: Array, batch: Array, factor: float) -> None:
        np.multiply(running, 1 - self.layer.momentum, out=running)
        np.multiply(batch, self.layer.momentum * factor, out=self.scale)
        np.add(running, self.scale, out=running)

    def backward(self) -> None:
        for span in self.spans:
            x, grad = self.input[span], self.grad[span]
            centred, products = self.centred[: x.shape[0]], self.product[: x.shape[0]]
            total, product = self.shift[span], self.scale[span]
            np.subtract(x, self.mean[span], out=centred)
            np.add.reduce(grad, axis=1, keepdims=True, out=total)
            np.multiply(centred, grad, out=products)
            np.add.reduce(products, axis=1, keepdims=True, out=product)
            np.multiply(product, self.inverse[span], out=product)
            if self.weight is not None:
                np.copyto(self.grad_weight[span], product)
                np.copyto(self.grad_bias[span], total)
            if self.grad_input is not None:
                self._grad_input(span, centred, total, product)

    def _grad_input(self, span: slice, centred: Array, total: Array, product: Array) -> None:
        """Finish the gradient of the input; `total` is the sum of g, `product` that of g times the normalised."""
        assert self.grad_input is not None
        target, inverse = self.grad_input[span], self.inverse[span]
        np.multiply(product, inverse, out=product)
        np.divide(product, -self.count, out=product)
        np.multiply(centred, product, out=centred)
        np.divide(total, self.count, out=total)
        np.add(self.grad[span], centred, out=target)
        np.subtract(target, total, out=target)
        np.multiply(target, inverse, out=target)
        if self.weight is not None:
            np.multiply(target, self.weight[span], out=target)
