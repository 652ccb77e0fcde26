"""PyTorch CPU: conv2d accepts a channels-last x and w, then its weight gradient raises.

Seen in 2.13.0: "slow_conv2d: grad_weight must be contiguous".  Where: the fallback path (always float64; float32
where oneDNN is not chosen, for instance N = 1, groups = 1 and a small kernel), dilation 1, channels-last x, and w
contiguous in channels-last order except for the stride of an axis of size 1 (of the kernel or of the output channels),
with more than one channel and more than one tap.  NumPy gives stride 0 to such an axis in `w[:, :, :, None]`.
Likely cause: w counts as channels-last contiguous, but `suggest_memory_format()` of w says NCHW, so dw is allocated as
NCHW; the weight gradient then demands the format of x.  Upstream: pytorch/vision#6001 (same message, closed).
Exit status: 1 while the defect is present, 0 once it is fixed.
"""

import sys

import torch


def main() -> int:
    C, H, k = 2, 3, 2
    x = (torch.arange(C * H) % 7 - 3).reshape(1, C, H, 1).double().expand(1, C, H, 2)
    x = x.contiguous(memory_format=torch.channels_last)
    w = torch.empty(2, k, C, 1, dtype=torch.float64).permute(0, 2, 1, 3).fill_(1).requires_grad_()
    y = torch.nn.functional.conv2d(x, w)
    xi = x.int().tolist()

    rows, columns = range(H - k + 1), range(2)
    expected = [[[sum(xi[0][c][i + u][j] for i in rows for j in columns) for u in range(k)] for c in range(C)]] * 2
    try:
        (dw,) = torch.autograd.grad(y, [w], grad_outputs=torch.ones_like(y))
        got = dw[:, :, :, 0].tolist()
    except RuntimeError as error:
        got = f"RuntimeError: {error}"

    print("torch", torch.__version__)
    print(f"x {tuple(x.shape)} strides {x.stride()}, w {tuple(w.shape)} strides {w.stride()}, float64, dy = 1")
    print("dw expected (exact)", expected)
    print("dw got             ", got)
    return int(got != expected)


if __name__ == "__main__":
    sys.exit(main())
