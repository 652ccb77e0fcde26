"""Loops compiled by Numba.  They check nothing: the public functions validate shapes and indices first."""
