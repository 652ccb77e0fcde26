"""PyTorch CPU: the weight gradient of a strided 1x1 conv2d writes outside its workspace.

Seen in 2.13.0 (oneDNN 3.12.0), float32: crash, "double free", or corruption that shows in a later call; x itself has
been seen modified.  Where: oneDNN chosen, channels-last x or w, groups 1, 1x1 kernel, no padding, a stride above 1 that
divides H and W, fewer than 16 input channels (upstream: 8 without AVX-512), dw wanted.  Whether it shows depends on the
number of threads and on how N*OH*OW is split among them; 8 channels with two threads crash here every time.
Cause: oneDNN books H*W*C elements per thread but addresses 16 per output pixel.  Upstream: oneDNN#6035 (open).
The calls run in a child process.  Exit status: 1 while the defect is present, 0 once it is fixed.
"""

import subprocess
import sys

import torch

CALL = """
import torch
torch.set_num_threads(2)
N, C, O, H, W = 33, 8, 2, 16, 4
x = (torch.arange(N * C * H * W) % 7 - 3).reshape(N, C, H, W).float().contiguous(memory_format=torch.channels_last)
w = torch.ones(O, C, 1, 1, requires_grad=True)
for _ in range(20):
    y = torch.nn.functional.conv2d(x, w, stride=(1, 2))
    (dw,) = torch.autograd.grad(y, [w], grad_outputs=torch.ones_like(y))
print(dw.int().flatten().tolist())
"""


def main() -> int:
    N, C, outputs, H, W = 33, 8, 2, 16, 4
    value = [index % 7 - 3 for index in range(N * C * H * W)]
    per_channel = [
        sum(value[((n * C + c) * H + i) * W + j] for n in range(N) for i in range(H) for j in range(0, W, 2))
        for c in range(C)
    ]
    expected = str(per_channel * outputs)
    child = subprocess.run([sys.executable, "-c", CALL], capture_output=True, text=True, check=False)
    got = child.stdout.strip() if child.returncode == 0 else f"child ended with status {child.returncode}"

    print("torch", torch.__version__)
    print(
        f"x {(N, C, H, W)} channels-last float32, w {(outputs, C, 1, 1)}, stride (1, 2), dy = 1, two threads, 20 calls"
    )
    print("dw expected (exact)", expected)
    print("dw got             ", got)
    return int(got != expected)


if __name__ == "__main__":
    sys.exit(main())
