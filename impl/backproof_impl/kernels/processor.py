"""What the processor that Numba compiles for offers: the width of its vectors, and how many registers hold one.

    AVX-512                     512 bits, 32 registers
    AVX2 with FMA               256 bits, 16 registers
    NEON (AArch64)              128 bits, 32 registers

Without fused multiply-adds of vectors there are no register tiles, and the plain loops of `convolution` are used.
`BACKPROOF_VECTOR_BITS` in the environment overrides the width: 512, 256 or 128, or 0 for the plain loops.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.core.registry import cpu_target

VARIABLE = "BACKPROOF_VECTOR_BITS"
WIDTHS = (0, 128, 256, 512)


@dataclass(frozen=True, slots=True)
class Processor:
    """`bits` of a vector, or 0 with the `reason` why there are no vector kernels; how many registers there are."""

    bits: int
    registers: int
    reason: str

    def lanes(self, dtype: npt.DTypeLike) -> int:
        """How many numbers of a dtype a vector holds."""
        return self.bits // (8 * np.dtype(dtype).itemsize)


@cache
def processor() -> Processor:
    """The host's, or what the environment variable says; raises ValueError for another width."""
    if _failures:
        return Processor(0, 0, _failures[0])
    host = _host(*_target())
    asked = os.environ.get(VARIABLE)
    if asked is None:
        return host
    if asked not in map(str, WIDTHS):
        raise ValueError(f"{VARIABLE} must be one of {', '.join(map(str, WIDTHS))}, got {asked!r}")
    # vectors wider than the host's work, and are slow: LLVM splits them
    return Processor(int(asked), host.registers, f"{VARIABLE}={asked}")


@cache
def second_level_cache() -> int:
    """Its bytes, as Linux tells them; elsewhere 1 MiB, which most have at least."""
    try:
        size = Path("/sys/devices/system/cpu/cpu0/cache/index2/size").read_text(encoding="ascii").strip()
        return int(size.removesuffix("K")) * 1024
    except (OSError, ValueError):
        return 2**20


def give_up(reason: str) -> None:
    """Use the plain loops from now on, because the vector kernels cannot be compiled."""
    _failures.append(reason)
    processor.cache_clear()


def description() -> str:
    """In words: which kernels this process uses, and why."""
    chosen = processor()
    kernels = f"vector kernels of {chosen.bits} bits" if chosen.bits else "plain loops"
    return f"{kernels} ({chosen.reason})"


_failures: list[str] = []


def _target() -> tuple[str, frozenset[str]]:
    """The triple that Numba compiles for, and its features, as LLVM names them."""
    codegen: Any = cpu_target.target_context.codegen()
    triple, _, features = codegen.magic_tuple()
    return triple, frozenset(feature[1:] for feature in features.split(",") if feature.startswith("+"))


def _host(triple: str, features: frozenset[str]) -> Processor:
    if triple.startswith(("aarch64", "arm64")):
        return Processor(128, 32, "NEON")
    if {"avx512f", "avx512vl", "fma"} <= features:
        return Processor(512, 32, "AVX-512")
    if {"avx2", "fma"} <= features:
        return Processor(256, 16, "AVX2 and FMA")
    return Processor(0, 0, f"no fused multiply-add of vectors on {triple.partition('-')[0]}")
