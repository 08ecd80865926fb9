"""The one way a kernel of this backend is compiled and launched, and what kernels share.

A program works on one member: the member is an axis of the grid. The partition of a member's elements among
programs depends on its own shape alone, and every sum has a fixed order, so no member's bits depend on another.

No fast-math: divisions round to nearest, products and sums are not contracted, matrices are not multiplied in TF32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import triton
import triton.language as tl

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

__all__ = ["INTERPRETED", "cells", "compiled", "compiled_for_any", "exponential", "launch", "plain", "power_of_two"]

_ALIGNED = 16

INTERPRETED: bool = triton.knobs.runtime.interpret
"""Whether kernels run in Triton's interpreter, on tensors of any device (``TRITON_INTERPRET=1``)."""


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel, or a function of kernels, at its first launch."""
    return triton.jit(function)


def compiled_for_any(*names: str) -> Callable[[Callable[..., Any]], Any]:
    """Compile a kernel once for all values of the named integers: those that the size of a cohort may change.

    A kernel compiled for values divisible by 16 may sum in another order.
    """
    return lambda function: triton.jit(function, do_not_specialize=list(names))


def plain(tensor: Tensor) -> Tensor:
    """Return a tensor as contiguous memory at an aligned address: at others a kernel may sum in another order."""
    tensor = tensor.contiguous()
    return tensor if tensor.data_ptr() % _ALIGNED == 0 else tensor.clone()


def launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **constants: Any) -> None:
    """Launch a kernel unless its grid is empty; constants are compiled into it."""
    if all(grid):
        kernel[grid](*arguments, **constants, enable_fp_fusion=False)


def cells(extent: int, size: int) -> int:
    """Return how many blocks of ``size`` cover an extent."""
    return -(-extent // size)


def power_of_two(extent: int, *, least: int = 16, most: int = 1 << 20) -> int:
    """Return the block that covers an extent: a power of two from ``least`` (what products need) to ``most``."""
    return min(max(1 << (extent - 1).bit_length() if extent > 1 else 1, least), most)


@compiled
def exponential(x: tl.tensor) -> tl.tensor:
    """Return e^x to about one unit in the last place (the device's own is less exact); 0 below -87.

    Formula: ``2^n e^r`` with ``n = floor(x / ln 2 + 1/2)`` and a polynomial of degree 6 in ``r = x - n ln 2``.
    """
    n = tl.floor(x * 1.4426950408889634 + 0.5)
    r = tl.fma(n, -0.693359375, x)  # ln 2 in two parts, the first exact in products with n
    r = tl.fma(n, 2.12194440e-4, r)
    p = tl.fma(r, 1.9875691500e-4, 1.3981999507e-3)
    p = tl.fma(p, r, 8.3334519073e-3)
    p = tl.fma(p, r, 4.1665795894e-2)
    p = tl.fma(p, r, 1.6666665459e-1)
    p = tl.fma(p, r, 5.0000001201e-1)
    p = tl.fma(p, r * r, r) + 1.0
    exponent = tl.where((n > -127.0) & (n < 128.0), n, 0.0).to(tl.int32)
    power = ((exponent + 127) << 23).to(tl.float32, bitcast=True)
    found = p * power
    found = tl.where(x > 88.72, float("inf"), found)
    return tl.where(x < -87.0, 0.0, found)
