"""SciPy's adapters agree with sums of Python integers; what the library has no mode for, they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backproof.contract import Geometry
from backproof_spec import oracle

pytestmark = pytest.mark.scipy
scipy = pytest.importorskip("scipy", reason="the extra `scipy` is not installed")

from backproof.targets.adapters import scipy_fft, scipy_ndimage, scipy_signal  # noqa: E402 - need scipy
from backproof.targets.adapters.scipy_defects import KNOWN_DEFECTS  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]

#: No padding; mode same; full; one side only; wider than the image.  Even and odd kernels, strides with remainders.
PADDED: list[dict[str, Any]] = [
    {"kernel_size": (3, 2)},
    {"kernel_size": (3, 2), "padding": ((1, 1), (1, 0))},
    {"kernel_size": (3, 2), "padding": ((1, 1), (0, 1)), "stride": (2, 3)},
    {"kernel_size": (2, 3), "padding": ((1, 0), (2, 0)), "groups": 2},
    {"kernel_size": (3, 4), "padding": ((0, 2), (0, 1)), "stride": (3, 1)},
    {"kernel_size": (2, 2), "padding": ((1, 1), (1, 1)), "size": (1, 1)},
    {"kernel_size": (7, 2), "padding": ((6, 5), (1, 1)), "size": (2, 3)},
]


def supported(module: Any, g: Geometry) -> bool:
    if module is scipy_ndimage:
        fits = all(k <= n and a < n for k, n, (a, _) in zip(g.kernel_size, g.size, g.padding, strict=True))
        return fits and all(sum(sides) < k for sides, k in zip(g.padding, g.kernel_size, strict=True))
    return module is scipy_signal or g.padding_mode == "zeros"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("module", [scipy_signal, scipy_fft, scipy_ndimage], ids=lambda module: module.__name__[-7:])
def test_convolution(module: Any, dtype: str) -> None:
    verified = 0
    for options in PADDED:
        for mode in ("zeros", "circular"):
            for orientation in ("convolution", "cross-correlation"):
                sizes = {"batch": 2, "in_channels": 4, "out_channels": 2, "size": (5, 4), **options}
                g = Geometry(**sizes, padding_mode=mode, orientation=orientation)  # type: ignore[arg-type]
                if supported(module, g):
                    agrees(module, g, dtype)
                    verified += 1
    assert verified == {scipy_signal: 28, scipy_fft: 14, scipy_ndimage: 20}[module]


def agrees(module: Any, g: Geometry, dtype: str) -> None:
    rng = np.random.default_rng(g.x_shape)
    x, w, b, dy = (rng.integers(-9, 10, g.shape_of(role)) for role in ("x", "w", "b", "dy"))
    fx, fw, fb, fdy = (array.astype(dtype) for array in (x, w, b, dy))
    unsupported = {"dilation"} | ({"padding_mode"} if module is scipy_fft else set())
    options = {name: value for name, value in g.options().items() if name not in unsupported}
    got = (module.forward(fx, fw, fb, **options), *module.backward(fdy, fx, fw, fb, **options))
    wanted = (oracle.convolution(x, w, b, **g.options()), *oracle.convolution_gradients(dy, x, w, **g.options()))
    for quantity, actual, expected in zip(("y", "dx", "dw", "db"), got, wanted, strict=True):
        assert actual.dtype == dtype
        nearest = np.rint(actual) if module is scipy_fft else actual
        np.testing.assert_array_equal(nearest, expected, err_msg=f"{quantity} at {g}")


# ---- what they refuse


@pytest.mark.parametrize("module", [scipy_signal, scipy_fft, scipy_ndimage])
def test_no_window_fits(module: Any) -> None:
    """Where SciPy's mode valid would exchange the image and the kernel."""
    with pytest.raises(ValueError, match="the kernel spans 2 pixels, more than the 1 of the padded image"):
        module.forward(np.ones((1, 1, 1, 2)), np.ones((1, 1, 2, 2)))


def test_padding_that_no_mode_has() -> None:
    for module in (scipy_signal, scipy_fft):
        with pytest.raises(NotImplementedError, match="padding wider than the kernel less one"):
            module.forward(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), padding=((2, 0), (0, 0)))
    with pytest.raises(NotImplementedError, match="more windows than pixels"):
        scipy_ndimage.forward(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), padding=((1, 1), (0, 0)))


def test_ndimage_has_one_output_per_pixel() -> None:
    x, w, dy = np.ones((1, 1, 1, 3)), np.ones((1, 1, 2, 2)), np.ones((1, 1, 1, 2))
    with pytest.raises(NotImplementedError, match="a kernel or padding larger than the image"):
        scipy_ndimage.backward(dy, x, w, padding=((1, 0), (0, 0)))


# ---- known defects


def test_small_weights_are_refused_and_others_are_right() -> None:
    x = np.full((1, 1, 1, 1), 2.0**60)
    for size in (2.0**-52, -(2.0**-52), 2.0**-80):
        with pytest.raises(NotImplementedError, match="known defect small-weights"):
            scipy_ndimage.forward(x, np.full((1, 1, 1, 1), size))
    for size in (np.nextafter(2.0**-52, 1), -1.5 * 2.0**-52, 0.0):
        y = scipy_ndimage.forward(x, np.full((1, 1, 1, 1), size))
        np.testing.assert_array_equal(y, x * size)


def test_the_program_shows_the_defect_or_its_end() -> None:
    (defect,) = KNOWN_DEFECTS
    done = subprocess.run([sys.executable, ROOT / defect.script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert f"scipy {scipy.__version__}" in done.stdout
    assert done.returncode in (0, 1)
    if scipy.__version__ == "1.17.1":
        assert done.returncode == 1, done.stdout
    assert {path.name for path in (ROOT / "examples" / "defects").glob("scipy_*.py")} == {Path(defect.script).name}
