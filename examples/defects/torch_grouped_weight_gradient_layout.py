"""PyTorch CPU: the weight gradient of a grouped conv2d reads x in the wrong memory order.

Seen in 2.13.0; dw only, y and dx are right.  Where: the fallback path (always float64; float32 where oneDNN is not
chosen: one thread, 1x1 kernel, stride 1, N < 16), dilation 1, groups > 1, one group of w channels-last, and x
contiguous in channels-last order except for the stride of an axis of size 1.  NumPy gives stride 0 to such an axis in
`x[:, :, None, :]`.
Likely cause: x counts as contiguous but `suggest_memory_format()` of x says NCHW, so each group of x is copied to NCHW;
the weight gradient takes its format from w and unfolds that copy as if it were NHWC.  No upstream thread found.
Exit status: 1 while the defect is present, 0 once it is fixed.
"""

import sys

import torch


def main() -> int:
    C, outputs, W, k, groups = 4, 2, 3, 2, 2
    Cg, OW = C // groups, W - k + 1
    row = (torch.arange(C * W) % 7 - 3).reshape(1, W, C).double()
    x = torch.as_strided(row, (1, C, 1, W), (W * C, 1, 0, C))  # what row.T[None, :, None, :] is in NumPy
    w = (
        torch.ones(outputs, Cg, 1, k, dtype=torch.float64)
        .contiguous(memory_format=torch.channels_last)
        .requires_grad_()
    )
    dy = (torch.arange(outputs * OW) + 1).reshape(1, outputs, 1, OW).double()
    xi, dyi = x.int().tolist(), dy.int().tolist()

    expected = [
        [
            [
                sum(dyi[0][o][0][j] * xi[0][o // (outputs // groups) * Cg + c][0][j + v] for j in range(OW))
                for v in range(k)
            ]
            for c in range(Cg)
        ]
        for o in range(outputs)
    ]
    (dw,) = torch.autograd.grad(torch.nn.functional.conv2d(x, w, groups=groups), [w], grad_outputs=dy)
    got = dw[:, :, 0, :].tolist()
    (fresh,) = torch.autograd.grad(
        torch.nn.functional.conv2d(x.clone(memory_format=torch.contiguous_format), w, groups=groups), [w], dy
    )

    print("torch", torch.__version__)
    print(f"x {tuple(x.shape)} strides {x.stride()}, w {tuple(w.shape)} strides {w.stride()}, groups {groups}, float64")
    print("dw expected (exact)", expected)
    print("dw got             ", got)
    print("dw with contiguous x", fresh[:, :, 0, :].tolist())
    return int(got != expected)


if __name__ == "__main__":
    sys.exit(main())
