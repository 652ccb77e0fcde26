"""Convolution and backpropagation in Numba."""
