"""Equality of convolution formulas for all sizes: proved, refuted with the smallest counterexample, or open."""
