"""A forward on tensors, and nothing else; right."""

import torch


def forward(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, stride=1, padding=0):
    return torch.nn.functional.conv2d(x, w, b, stride=stride, padding=padding)
