"""A torch.autograd.Function whose own backward forgets to turn the kernel round for dx."""

import torch


class Correlate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return torch.nn.functional.conv2d(x, w)

    @staticmethod
    def backward(ctx, grad_output):
        x, w = ctx.saved_tensors
        kh, kw = w.shape[2:]
        full = torch.nn.functional.pad(grad_output, (kw - 1, kw - 1, kh - 1, kh - 1))
        dx = torch.nn.functional.conv2d(full, w.transpose(0, 1))
        dw = torch.nn.functional.conv2d(x.transpose(0, 1), grad_output.transpose(0, 1)).transpose(0, 1)
        return dx, dw
