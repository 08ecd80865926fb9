"""Which backend this process computes with: ``LORAP_BENCH_BACKEND``, or the fastest that can be had."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from lorap_bench.errors import ConfigError, Fault, MissingResource, nearest
from lorap_bench.kernels.device import DEVICE_VARIABLE, device
from lorap_bench.kernels.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.kernels.interface import Kernels

__all__ = ["BACKENDS", "BACKEND_VARIABLE", "kernels", "use"]

BACKEND_VARIABLE = "LORAP_BENCH_BACKEND"
BACKENDS = ("auto", "native", "triton", "reference")

_chosen: list[str] = []  # by `use`, innermost last


def kernels() -> Kernels:
    """Return the backend in use; its name is recorded in every result.

    ``auto`` is ``triton`` on a CUDA device and ``native`` on the CPU, or with a warning, said once, ``reference``
    where the package is missing that the faster one needs.

    Raises:
        ConfigError: ``LORAP_BENCH_BACKEND`` names no backend, or one that does not compute on the device.
        MissingResource: it names one that cannot be had here.
    """
    return _backend(_chosen[-1] if _chosen else os.environ.get(BACKEND_VARIABLE) or "auto")


@contextmanager
def use(name: str) -> Iterator[Kernels]:
    """Compute with one backend inside a ``with`` block, in this process.

    Raises:
        ConfigError: no backend has this name, or it does not compute on the device.
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
    best = "triton" if device().type == "cuda" else "native"
    try:
        return _triton() if (best if name == "auto" else name) == "triton" else _native()
    except MissingResource as error:
        if name != "auto":
            raise
        warnings.warn(f"{error}; computing with the slower reference backend", RuntimeWarning, stacklevel=3)
        return Reference()


def _native() -> Kernels:
    if device().type != "cpu":
        raise _unsupported("native", "cpu")
    try:
        # Late: numba takes a third of a second to load.
        from lorap_bench.kernels.native import Native
    except ImportError as error:
        raise MissingResource(
            f"the native backend needs numba ({error}): pip install numba", where=BACKEND_VARIABLE
        ) from error
    return Native()


def _triton() -> Kernels:
    try:
        # Late: only where a CUDA device computes.
        from lorap_bench.kernels.triton import Triton
        from lorap_bench.kernels.triton.compiled import INTERPRETED
    except ImportError as error:
        message = f"the triton backend needs triton ({error}), which torch's builds for CUDA on Linux bring"
        raise MissingResource(f"{message}; without a device: pip install triton", where=BACKEND_VARIABLE) from error
    if not INTERPRETED and device().type != "cuda":
        raise _unsupported("triton", "cuda; any where TRITON_INTERPRET=1 is set")
    return Triton()


def _unsupported(backend: str, allowed: str) -> ConfigError:
    message = f"the {backend} backend does not compute on this device"
    return ConfigError([Fault(path=DEVICE_VARIABLE, message=message, got=device().type, allowed=allowed)])
