"""Known defects of PyTorch on the CPU: calls that the adapter `pytorch` does not make.

To add one: a script in `examples/defects` that shows it, and a predicate that is true exactly where it occurs.
"""

from __future__ import annotations

from backproof.contract import Padding, Pair, PoolGeometry
from backproof.targets.declarations import CallDescription, KnownDefect


def pads_natively(kernel_size: Pair, padding: Padding) -> bool:
    """Whether the adapter leaves a pooling's padding to the library: symmetric, at most half the kernel."""
    return all(a == b and 2 * a <= taps for taps, (a, b) in zip(kernel_size, padding, strict=True))


def _window_in_padding(size: int, taps: int, stride: int, sides: Pair, dilation: int, outputs: int) -> bool:
    """Whether along one axis every tap of some window lies outside `[0, size)`."""
    return any(
        not any(0 <= i * stride + tap * dilation - sides[0] < size for tap in range(taps)) for i in range(outputs)
    )


def _dilated_window_in_padding(call: CallDescription) -> bool:
    g = call.geometry
    if not isinstance(g, PoolGeometry) or call.function != "max_pool_gradient":
        return False
    if not pads_natively(g.kernel_size, g.padding):
        return False
    axes = zip(g.size, g.kernel_size, g.stride, g.padding, g.dilation, g.output_size, strict=True)
    return any(_window_in_padding(*axis) for axis in axes)


KNOWN_DEFECTS = (
    KnownDefect(
        "L092",
        "max_pool2d: a dilated window wholly in padding has an index out of range; its gradient corrupts the heap",
        "examples/defects/torch_max_pool_all_padding.py",
        _dilated_window_in_padding,
    ),
)
