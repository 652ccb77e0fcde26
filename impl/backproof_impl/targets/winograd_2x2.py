"""The target `winograd-2x2`: `algorithm="winograd-2x2"`, which may be as far off as is derived."""

from __future__ import annotations

from functools import partial

from .. import VERSION as VERSION
from .. import convolution
from ..winograd_error import error_growth
from . import KERNEL_SIZE as KERNEL_SIZE
from . import SIGNATURE as SIGNATURE

ALGORITHM = "indirect"
ERROR_GROWTH = error_growth("winograd-2x2")
THREAD_SAFE = True

forward = partial(convolution.forward, algorithm="winograd-2x2")
backward = partial(convolution.backward, algorithm="winograd-2x2")
input_gradient = partial(convolution.input_gradient, algorithm="winograd-2x2")
