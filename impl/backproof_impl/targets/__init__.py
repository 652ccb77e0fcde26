"""Algorithms that Backproof verifies as targets of their own, at the geometries for which they are there.

A target's constants are declarations that Backproof reads; the signatures are those of `convolution` without stride and
dilation.
"""

from __future__ import annotations

KERNEL_SIZE = (3, 3)
_OPTIONS = "*, padding=((0, 0), (0, 0)), groups=1, padding_mode='zeros', orientation='convolution'"
SIGNATURE = {
    "forward": f"x, w, b=None, {_OPTIONS}",
    "backward": f"dy, x, w, b=None, {_OPTIONS}",
    "input_gradient": f"dy, x, w, {_OPTIONS}",
}
