"""PyTorch CPU: grouped conv2d misreads channels-last weights that have a spatial axis of size 1.

Seen in 2.13.0 (oneDNN 3.12.0), float32: y and dx are wrong, dw is right.  Where: oneDNN chosen, groups > 1, more
than one channel per group, channels-last x or w, a kernel (k, 1) or (1, k) with k > 1, and w contiguous in
channels-last order except that the axis of size 1 has another stride than the dense one.  Such strides are legal:
NumPy gives stride 0 to `w[:, :, :, None]`, and a permuted (O, kh, C/groups, 1) array has stride 1 there.
Likely cause: `contiguous(channels_last)` ignores axes of size 1 and returns w as it is, then the grouped oneDNN
descriptor is derived from the raw strides, which no longer look like NHWC, so w is read as if it were OIHW.
No upstream thread found; pytorch#82060 and pytorch#78611 are older relatives.
Exit status: 1 while the defect is present, 0 once it is fixed.
"""

import sys

import torch


def main() -> int:
    C, outputs, H, k, groups = 4, 2, 3, 2, 2
    Cg = C // groups
    x = (torch.arange(C * H) % 7 - 3).reshape(1, C, H, 1).float().contiguous(memory_format=torch.channels_last)
    dense = (torch.arange(outputs * Cg * k) % 5 - 2).reshape(outputs, Cg, k, 1).float()
    w = torch.empty(outputs, k, Cg, 1).permute(0, 2, 1, 3).copy_(dense)
    xi, wi = x.int().tolist(), w.int().tolist()

    expected = [
        [
            sum(
                xi[0][o // (outputs // groups) * Cg + c][i + u][0] * wi[o][c][u][0] for c in range(Cg) for u in range(k)
            )
            for i in range(H - k + 1)
        ]
        for o in range(outputs)
    ]
    got = torch.nn.functional.conv2d(x, w, groups=groups)[0, :, :, 0].tolist()

    print("torch", torch.__version__)
    print(f"x {tuple(x.shape)} strides {x.stride()}, w {tuple(w.shape)} strides {w.stride()}, groups {groups}, float32")
    print("expected (exact)", expected)
    print("got             ", got)
    print(
        "the same values with w strides",
        dense.stride(),
        torch.nn.functional.conv2d(x, dense, groups=groups)[0, :, :, 0].tolist(),
    )
    return int(got != expected)


if __name__ == "__main__":
    sys.exit(main())
