"""Which backend this process computes with: ``LORAP_BENCH_BACKEND``, or the fastest that can be had."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from lorap_bench.errors import ConfigError, Fault, MissingResource, nearest
from lorap_bench.kernels.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.kernels.interface import Kernels

__all__ = ["BACKENDS", "BACKEND_VARIABLE", "kernels", "use"]

BACKEND_VARIABLE = "LORAP_BENCH_BACKEND"
BACKENDS = ("auto", "native", "reference")

_chosen: list[str] = []  # by `use`, innermost last


def kernels() -> Kernels:
    """Return the backend in use; its name is recorded in every result.

    Raises:
        ConfigError: ``LORAP_BENCH_BACKEND`` names no backend.
        MissingResource: it names one that cannot be had here.
    """
    return _backend(_chosen[-1] if _chosen else os.environ.get(BACKEND_VARIABLE) or "auto")


@contextmanager
def use(name: str) -> Iterator[Kernels]:
    """Compute with one backend inside a ``with`` block, in this process.

    Raises:
        ConfigError: no backend has this name.
        MissingResource: it cannot be had here.
    """
    backend = _backend(name)
    _chosen.append(name)
    try:
        yield backend
    finally:
        _chosen.pop()


@cache
def _backend(name: str) -> Kernels:
    if name not in BACKENDS:
        allowed = ", ".join(BACKENDS)
        fault = Fault(
            path=BACKEND_VARIABLE,
            message="no such backend",
            got=name,
            allowed=allowed,
            suggestion=nearest(name, BACKENDS),
        )
        raise ConfigError([fault])
    if name == "reference":
        return Reference()
    try:
        # Late: numba takes a third of a second to load.
        from lorap_bench.kernels.native import Native
    except ImportError as error:
        if name == "auto":
            return Reference()
        raise MissingResource(
            f"the native backend needs numba ({error}); install it, or set it to reference", where=BACKEND_VARIABLE
        ) from error
    return Native()
