"""PyTorch CPU: conv2d of one channels-last channel onto one output column gives wrong rows.

Seen in 2.13.0 (oneDNN 3.12.0) on an AVX-512 CPU; forward only, float32.  Where: one input channel, channels-last
x or w, oneDNN chosen, stride 1 down and more than 1 across, dilation 1 across, kernel wider than 1, one output
column, two or more output rows, padding smaller than the kernel.  Later rows read the wrong pixels.
ONEDNN_VERBOSE=1 names `brg_conv_fwd:avx512_core`; likely its re-layout for one input channel (`relo_wi`) combined
with blocking over rows.  No upstream thread found; pytorch#82060 is an older relative.
Exit status: 1 while the defect is present, 0 once it is fixed.
"""

import sys

import torch


def main() -> int:
    N, H, W, k, stride = 2, 5, 3, 3, (1, 2)
    OH = H - k + 1
    x = (torch.arange(N * H * W) * 5 % 11 - 5).reshape(N, H, W, 1).permute(0, 3, 1, 2).float()
    w = (torch.arange(k * k) * 3 % 7 - 3).reshape(1, 1, k, k).float().requires_grad_()
    xi, wi = x.int().tolist(), w.int().tolist()

    def pixel(n: int, i: int) -> int:
        return sum(xi[n][0][i + u][v] * wi[0][0][u][v] for u in range(k) for v in range(k))

    expected = [[pixel(n, i) for i in range(OH)] for n in range(N)]
    y = torch.nn.functional.conv2d(x, w, stride=stride)
    plain = torch.as_strided(x, x.shape, (H * W, H * W, W, 1))  # the same values in the same memory
    other = torch.nn.functional.conv2d(plain, w, stride=stride)
    got = y[:, 0, :, 0].tolist()

    print("torch", torch.__version__)
    print(f"x {tuple(x.shape)} strides {x.stride()} float32, w {tuple(w.shape)}, stride {stride}, y {tuple(y.shape)}")
    print("y expected (exact)", expected)
    print("y got             ", got)
    print("y with contiguous x", other[:, 0, :, 0].tolist())
    return int(got != expected)


if __name__ == "__main__":
    sys.exit(main())
