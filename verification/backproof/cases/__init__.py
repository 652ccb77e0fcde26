"""What implementations are tried on: shapes, data and memory layouts.

Shape is the search space: data drawn as in `data` finds any wrong coefficient at the shape at hand almost surely, but
many mistakes exist only at a few shapes.  So shapes are built from *levels* that mean something (an output size, a
remainder, a padding relative to the kernel), from which the image size follows; nothing is drawn and thrown away.
"""
