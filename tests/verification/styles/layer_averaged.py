"""A layer class that leaves its gradients in attributes; the weight gradient is divided by N."""

import numpy as np


class Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.stride, self.padding = stride, padding
        self.weights = (
            np.random.default_rng().standard_normal((out_channels, in_channels, kernel_size, kernel_size)) * 0.1
        )
        self.bias = np.zeros((out_channels, 1))
        self.grad_weights = np.zeros_like(self.weights)
        self.grad_bias = np.zeros_like(self.bias)

    def windows(self, padded):
        s, k = self.stride, self.weights.shape[2]
        every = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(2, 3))
        return every[:, :, ::s, ::s]

    def forward(self, inputs):
        p, k = self.padding, self.weights.shape[2]
        if min(inputs.shape[2:]) + 2 * p < k:
            raise ValueError(f"an image of {inputs.shape[2:]} is smaller than the kernel of {k} x {k}")
        self.inputs = inputs
        self.padded = np.pad(inputs, ((0, 0), (0, 0), (p, p), (p, p)))
        out = np.einsum("nchwuv,ocuv->nohw", self.windows(self.padded), self.weights)
        return out + self.bias.reshape(1, -1, 1, 1)

    def backward(self, dout):
        s, p, k = self.stride, self.padding, self.weights.shape[2]
        H, W = self.inputs.shape[2:]
        self.grad_weights += np.einsum("nohw,nchwuv->ocuv", dout, self.windows(self.padded)) / len(dout)
        self.grad_bias += dout.sum((0, 2, 3))[:, None]
        dpadded = np.zeros_like(self.padded)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                part = np.einsum("no,ocuv->ncuv", dout[:, :, i, j], self.weights)
                dpadded[:, :, i * s : i * s + k, j * s : j * s + k] += part
        return dpadded[:, :, p : p + H, p : p + W]
