"""Tensors; the bias is detached, so that autograd never reaches it."""

import torch


def forward(x, w, b, stride=1):
    return torch.nn.functional.conv2d(x, w, None, stride=stride) + b.detach()[:, None, None]
