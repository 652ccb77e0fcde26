"""The target `winograd`: `algorithm="winograd"`, which may be as far off as is derived."""

from __future__ import annotations

from functools import partial

from .. import VERSION as VERSION
from .. import convolution
from ..winograd_error import error_growth
from . import KERNEL_SIZE as KERNEL_SIZE
from . import SIGNATURE as SIGNATURE

ALGORITHM = "indirect"
ERROR_GROWTH = error_growth("winograd")
THREAD_SAFE = True

forward = partial(convolution.forward, algorithm="winograd")
backward = partial(convolution.backward, algorithm="winograd")
input_gradient = partial(convolution.input_gradient, algorithm="winograd")
