"""The numerical oracle: exact functions generated from the equations, and from nothing else."""

from __future__ import annotations

from backproof_spec.oracle.build import Oracle, build
from backproof_spec.oracle.emit import LOWEST, Ties
from backproof_spec.oracle.layers import convolution, convolution_gradients, pooling, pooling_gradient
from backproof_spec.oracle.projection import Projection, chance, term_counts

__all__ = [
    "LOWEST",
    "Oracle",
    "Projection",
    "Ties",
    "build",
    "chance",
    "convolution",
    "convolution_gradients",
    "pooling",
    "pooling_gradient",
    "term_counts",
]
