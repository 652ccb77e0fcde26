"""A layer class for one sample (C, H, W) whose backward applies the gradients itself; right."""

import numpy as np

LAYOUT = "CHW"


class Convolution:
    def __init__(self, channels, num_filters, filter_size=3):
        self.filters = np.random.default_rng().standard_normal((num_filters, channels, filter_size, filter_size))
        self.biases = np.zeros(num_filters)

    def forward(self, image):
        self.image, k = image, self.filters.shape[2]
        (_, H, W), count = image.shape, len(self.filters)
        if k > H or k > W:
            raise ValueError(f"an image of {H} x {W} is smaller than the kernel of {k} x {k}")
        out = np.zeros((count, H - k + 1, W - k + 1), image.dtype)
        for i in range(H - k + 1):
            for j in range(W - k + 1):
                out[:, i, j] = (self.filters * image[:, i : i + k, j : j + k]).sum((1, 2, 3)) + self.biases
        return out

    def backward(self, d_L_d_out, learn_rate):
        k = self.filters.shape[2]
        d_filters, d_image = np.zeros_like(self.filters), np.zeros_like(self.image)
        for i in range(d_L_d_out.shape[1]):
            for j in range(d_L_d_out.shape[2]):
                part = d_L_d_out[:, i, j][:, None, None, None]
                d_filters += part * self.image[:, i : i + k, j : j + k]
                d_image[:, i : i + k, j : j + k] += (part * self.filters).sum(0)
        self.filters -= learn_rate * d_filters
        self.biases -= learn_rate * d_L_d_out.sum((1, 2))
        return d_image
