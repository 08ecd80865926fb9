"""Which backend this process computes with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.kernels.reference import Reference

if TYPE_CHECKING:
    from lorap_bench.kernels.interface import Kernels

__all__ = ["kernels"]

_ACTIVE: Kernels = Reference()


def kernels() -> Kernels:
    """Return the backend in use; its name is recorded in every result."""
    return _ACTIVE
