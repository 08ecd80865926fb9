"""The one way a loop of this backend is compiled, and the block its passes work in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BLOCK", "compiled", "reordered"]

# Elements a pass finishes before the next one starts: a few such blocks stay in the first-level cache.
BLOCK = 1024

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile at the first call and keep the result on disk.

    No fast-math: every operation rounds as the reference's does. The cache is renewed when the file of
    ``function`` changes and not when another does, so a loop calls only functions of its own file.
    """
    jit = numba.njit(nogil=True, error_model="numpy", cache=True)
    return cast("Callable[P, R]", jit(function))


def reordered(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a sum whose summands may be added in any one order, so that it becomes vector code.

    The order depends on the number of summands alone. Nothing else is relaxed: NaNs and infinities stay.
    """
    jit = numba.njit(nogil=True, error_model="numpy", cache=True, fastmath={"reassoc", "nsz"})
    return cast("Callable[P, R]", jit(function))
