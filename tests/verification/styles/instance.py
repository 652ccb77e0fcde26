"""An instance, whose options are fixed; right."""

from layer_attributes import Conv2D

conv = Conv2D(3, 2, 2, stride=2, padding=1)
