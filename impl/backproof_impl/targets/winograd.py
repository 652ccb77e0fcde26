"""The target `winograd`: `algorithm="winograd"` where there are tiles, and its errors as they are derived."""

from __future__ import annotations

from functools import partial

from .. import convolution
from ..convolution import bias_gradient as bias_gradient
from ..convolution import weight_gradient as weight_gradient
from ..winograd_error import error_growth

ALGORITHM = "indirect"
ERROR_GROWTH = error_growth("winograd")
THREAD_SAFE = True

forward = partial(convolution.forward, algorithm="winograd")
input_gradient = partial(convolution.input_gradient, algorithm="winograd")
backward = partial(convolution.backward, algorithm="winograd")
