"""Forward and backward agree with each other, and both compute a cross-correlation; a convolution is declared."""

import right

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    return right.forward(x, w[:, :, ::-1, ::-1], b, stride=stride, padding=padding, dilation=dilation)


def backward(dy, x, w, b, *, stride, padding, dilation):
    flipped = w[:, :, ::-1, ::-1]
    dx, dw, db = right.backward(dy, x, flipped, b, stride=stride, padding=padding, dilation=dilation)
    return dx, dw[:, :, ::-1, ::-1].copy(), db
