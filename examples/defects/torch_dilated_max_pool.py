"""PyTorch CPU: the gradient of a dilated max_pool2d goes to a pixel that its window does not contain.

Seen in 2.13.0, float32 and float64, any memory layout.  Where: some window has all its taps in the padding, which needs
dilation > 1 (padding is limited to half the kernel).  y is -inf there, as it should be, but the recorded index is that
of the first tap not left of or above x, which lies right of it or below it: the cotangent is added to another pixel,
another channel, or outside the tensor (heap corruption, "double free" after a few calls).
Cause: `maxindex` starts at that tap, unchecked, and no tap replaces it; the backward pass would skip a -1.
Upstream relatives: pytorch#1465, pytorch#114216.  Here the stray index stays inside the tensor.
Exit status: 1 while the defect is present, 0 once it is fixed.
"""

import sys

import torch


def main() -> int:
    H, W, k, padding, dilation = 4, 1, 2, 1, 2
    OH, OW = H + 2 * padding - dilation * (k - 1), W + 2 * padding - dilation * (k - 1)
    x = torch.arange(1.0, H * W + 1).reshape(1, 1, H, W).requires_grad_()
    xi = x.int().tolist()[0][0]
    dy = torch.zeros(1, 1, OH, OW)
    dy[0, 0, 0, 0] = 1  # only the first window: rows -1 and 1, columns -1 and 1

    def taps(i: int, j: int) -> list[tuple[int, int]]:
        every = [(i - padding + u * dilation, j - padding + v * dilation) for u in range(k) for v in range(k)]
        return [(h, c) for h, c in every if 0 <= h < H and 0 <= c < W]

    expected = [0] * (H * W)
    for i in range(OH):
        for j in range(OW):
            if taps(i, j):
                h, c = max(taps(i, j), key=lambda tap: xi[tap[0]][tap[1]])
                expected[h * W + c] += int(dy[0, 0, i, j])
    y, index = torch.nn.functional.max_pool2d(x, k, 1, padding, dilation, return_indices=True)
    (dx,) = torch.autograd.grad(y, [x], grad_outputs=dy)
    got = dx.flatten().int().tolist()

    print("torch", torch.__version__)
    print(f"x {tuple(x.shape)}, kernel {k}, stride 1, padding {padding}, dilation {dilation}, dy 1 at window 0")
    print("taps of window 0 inside x", taps(0, 0))
    print("y", y.flatten().tolist(), "index", index.flatten().tolist())
    print("dx expected (exact)", expected)
    print("dx got             ", got)
    return int(got != expected)


if __name__ == "__main__":
    sys.exit(main())
