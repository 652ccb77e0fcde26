"""The target `winograd-2x2`: `algorithm="winograd-2x2"` , whose errors are no larger in practice than direct ones."""

from __future__ import annotations

from functools import partial

from .. import convolution
from ..convolution import bias_gradient as bias_gradient
from ..convolution import weight_gradient as weight_gradient
from ..winograd_error import error_growth

ALGORITHM = "indirect"
ERROR_GROWTH = error_growth("winograd-2x2")
THREAD_SAFE = True

forward = partial(convolution.forward, algorithm="winograd-2x2")
input_gradient = partial(convolution.input_gradient, algorithm="winograd-2x2")
backward = partial(convolution.backward, algorithm="winograd-2x2")
