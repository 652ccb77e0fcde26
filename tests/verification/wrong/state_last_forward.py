"""The gradients are those at the image that forward saw last, whatever image backward is handed."""

import right

ORIENTATION = "convolution"
seen = {}


def forward(x, w, b, *, stride, padding, dilation):
    seen[x.shape, x.dtype] = x.copy()
    return right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)


def backward(dy, x, w, b, *, stride, padding, dilation):
    image = seen.get((x.shape, x.dtype), x)
    return right.backward(dy, image, w, b, stride=stride, padding=padding, dilation=dilation)
