"""Algorithms that Backproof verifies as targets of their own: they round, and declare how much."""
