"""PyTorch CPU: conv2d with bias crashes where every output column lies wholly in the padding.

Seen in 2.13.0 (oneDNN 3.12.0) on an AVX-512 CPU, float32, forward: segmentation fault.  Where: oneDNN chosen,
channels-last x or w, bias, no tap of any output column inside x, and the number of columns left (or right) of x's reach
differs between the kernel column 0 and an imaginary kernel column -1, which dilation > 1 easily brings about.
Cause: oneDNN prepares the bias kernels for column `kw_f - 1` = -1, asks for another one and follows a null pointer.
Upstream: oneDNN#5942, fixed by oneDNN#5944 (3.13, 3.14); pytorch#195394.  The call runs in a child process.
Exit status: 1 while the defect is present, 0 once it is fixed.
"""

import subprocess
import sys

import torch

CALL = """
import torch
x = torch.ones(2, 2, 1, 1)
x = torch.as_strided(x, (2, 2, 1, 1), (2, 1, 2, 2))  # channels-last
w, b = torch.ones(1, 2, 1, 1), torch.tensor([3.0])
y = torch.nn.functional.conv2d(x, w, b, stride=(1, 2), padding=(0, 1), dilation=(1, 2))
print(y.int().flatten().tolist())
"""


def main() -> int:
    # Output column j reads x at column 2*j - 1: -1 and 1, both outside a width of 1, so only the bias remains.
    expected = [3 if not 0 <= 2 * j - 1 < 1 else None for _ in range(2) for j in range(2)]
    child = subprocess.run([sys.executable, "-c", CALL], capture_output=True, text=True, check=False)
    got = child.stdout.strip() if child.returncode == 0 else f"child ended with status {child.returncode}"

    print("torch", torch.__version__)
    print("x (2, 2, 1, 1) channels-last float32, w (1, 2, 1, 1), bias 3")
    print("stride (1, 2), padding (0, 1), dilation (1, 2)")
    print("y expected (exact)", expected)
    print("y got             ", got)
    return int(got != str(expected))


if __name__ == "__main__":
    sys.exit(main())
