"""Every equation, in the post's order; `EQUATIONS[id]` finds one."""

from __future__ import annotations

from backproof_spec.equations import backpropagation, definitions, feedforward, general, pooling
from backproof_spec.model import Equation

EQUATIONS: dict[str, Equation] = {
    equation.id: equation
    for equation in (
        definitions.CONVOLUTION,
        definitions.CROSS_CORRELATION,
        feedforward.single_input(),
        feedforward.complete_input(),
        feedforward.output(),
        feedforward.error(),
        backpropagation.weight_gradient(),
        backpropagation.weight_gradient_rot180(),
        backpropagation.deltas(),
        backpropagation.output_delta(),
        backpropagation.bias_gradient(),
        general.FORWARD,
        pooling.SUM,
        pooling.AVERAGE,
        pooling.MAXIMUM,
        pooling.UPSCALING,
    )
}
