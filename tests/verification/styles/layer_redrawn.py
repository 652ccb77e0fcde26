"""forward draws new weights at every call."""

import numpy as np


class Conv:
    def __init__(self, in_channels, out_channels, kernel_size):
        self.shape = (out_channels, in_channels, kernel_size, kernel_size)

    def forward(self, x):
        self.w = np.random.default_rng().standard_normal(self.shape)
        self.b = np.zeros(self.shape[0])
        k = self.shape[2]
        self.windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))
        return np.einsum("nchwuv,ocuv->nohw", self.windows, self.w)

    def backward(self, dout):
        self.dw = np.einsum("nohw,nchwuv->ocuv", dout, self.windows)
        self.db = dout.sum((0, 2, 3))
        return np.zeros((len(dout), self.shape[1], 1, 1))
