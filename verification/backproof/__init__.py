"""Backproof verifies convolution layers and their backpropagation."""
