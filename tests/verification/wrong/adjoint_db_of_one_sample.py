"""The bias gradient of an operator of its own (a convolution of twice the image) is that of the first sample."""

import right

SPECIFICATION = "none"


def forward(x, w, b, *, stride, padding, dilation):
    return right.forward(2 * x, w, b, stride=stride, padding=padding, dilation=dilation)


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, _ = right.backward(dy, 2 * x, w, b, stride=stride, padding=padding, dilation=dilation)
    return 2 * dx, dw, dy[0].sum((1, 2))
