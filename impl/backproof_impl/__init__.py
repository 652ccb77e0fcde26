"""Convolution and backpropagation in Numba.

    import numpy as np
    from backproof_impl import backward, forward

    x = np.ones((1, 1, 4, 4))
    w = np.ones((2, 1, 3, 3))
    b = np.zeros(2)
    y = forward(x, w, b, stride=2, padding=1)           # (1, 2, 2, 2)
    dx, dw, db = backward(np.ones_like(y), x, w, b, stride=2, padding=1)

Where to read: `geometry` (which pixel every tap reads), `kernels.convolution` (the three sums as plain loops),
`convolution` (the public functions and their options), `pooling`, `activations`, `loss`, `chain` (the deltas), `dense`,
`layers`, `network`.  How the sums are fast: `kernels.tile` (the loop), `kernels.correlation`, `kernels.weight_gradient`
and `kernels.dots` (what is made of it), `kernels.depthwise`, `windows`, `tables` and `sums` (what they read),
`depthwise` and `phases` (special layers), `kernels.choice`, `plans`.
"""

import importlib.metadata as _metadata

from .activations import ACTIVATIONS as ACTIVATIONS
from .chain import delta as delta
from .chain import error as error
from .chain import output_delta as output_delta
from .convolution import backward as backward
from .convolution import bias_gradient as bias_gradient
from .convolution import forward as forward
from .convolution import input_gradient as input_gradient
from .convolution import weight_gradient as weight_gradient
from .dense import dense as dense
from .dense import dense_backward as dense_backward
from .dense import flatten as flatten
from .dense import flatten_gradient as flatten_gradient
from .kernels.processor import description as _description
from .layers import Activation as Activation
from .layers import Convolution as Convolution
from .layers import Dense as Dense
from .layers import Flatten as Flatten
from .layers import Layer as Layer
from .layers import Pooling as Pooling
from .loss import half_squared_error as half_squared_error
from .loss import half_squared_error_gradient as half_squared_error_gradient
from .network import Network as Network
from .pooling import average_pool as average_pool
from .pooling import average_pool_gradient as average_pool_gradient
from .pooling import max_pool as max_pool
from .pooling import max_pool_gradient as max_pool_gradient
from .pooling import sum_pool as sum_pool
from .pooling import sum_pool_gradient as sum_pool_gradient
from .winograd_error import winograd_error_bound as winograd_error_bound


def _version() -> str:
    try:
        return _metadata.version("backproof")
    except _metadata.PackageNotFoundError:  # run from its source, without being installed
        return "not installed"


#: What reports say: the version, and the kernels that this processor has.
VERSION = f"{_version()}, {_description()}"
#: Functions keep nothing between calls, and kernels write to what their caller has just made.
THREAD_SAFE = True
