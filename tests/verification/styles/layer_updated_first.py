"""The weights are updated before dx is computed from them."""

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
        places = [(i, j, d_L_d_out[:, i, j]) for i, j in np.ndindex(d_L_d_out.shape[1:])]
        d_image = np.zeros_like(self.image)
        d_filters = np.zeros_like(self.filters)
        for i, j, part in places:
            d_filters += part[:, None, None, None] * self.image[:, i : i + k, j : j + k]
        self.filters -= learn_rate * d_filters
        self.biases -= learn_rate * d_L_d_out.sum((1, 2))
        for i, j, part in places:
            d_image[:, i : i + k, j : j + k] += (part[:, None, None, None] * self.filters).sum(0)
        return d_image
