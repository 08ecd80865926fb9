"""Where this process computes: ``LORAP_BENCH_DEVICE``, or the CUDA device where there is one; and how exactly."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from lorap_bench.errors import ConfigError, Fault, MissingResource, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DEVICES", "DEVICE_VARIABLE", "device", "exactly", "placed"]

DEVICE_VARIABLE = "LORAP_BENCH_DEVICE"
DEVICES = ("auto", "cpu", "cuda")

T = TypeVar("T")


def device() -> torch.device:
    """Return the device that trials run on; its name is recorded in every result.

    Raises:
        ConfigError: ``LORAP_BENCH_DEVICE`` names no device.
        MissingResource: it names a CUDA device and there is none.
    """
    name = os.environ.get(DEVICE_VARIABLE) or "auto"
    if name not in DEVICES:
        allowed, suggestion = ", ".join(DEVICES), nearest(name, DEVICES)
        fault = Fault(path=DEVICE_VARIABLE, message="no such device", got=name, allowed=allowed, suggestion=suggestion)
        raise ConfigError([fault])
    if name == "cpu" or not torch.cuda.is_available():
        if name == "cuda":
            raise MissingResource("no CUDA device, or a build of torch without CUDA", where=DEVICE_VARIABLE)
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())


def placed(value: T, where: torch.device) -> T:
    """Return a value with all its tensors on a device; what it holds twice is moved once.

    Args:
        value: a tensor, or dataclasses, tuples and dictionaries of tensors and of anything else.
        where: the device.
    """
    moved: dict[int, Tensor] = {}

    def place(part: Any) -> Any:
        if isinstance(part, Tensor):
            return moved.setdefault(id(part), part.to(where))
        if isinstance(part, dict):
            return {name: place(each) for name, each in part.items()}
        if isinstance(part, tuple):
            return tuple(place(each) for each in part)
        if is_dataclass(part) and not isinstance(part, type):
            return replace(part, **{field.name: place(getattr(part, field.name)) for field in fields(part)})
        return part

    placed_value: T = value if where.type == "cpu" else place(value)
    return placed_value


@contextmanager
def exactly(where: torch.device) -> Iterator[None]:
    """Compute reproducibly inside a ``with`` block: no TF32, no sums whose order changes from run to run.

    A CPU computes so always. Sums by index on a CUDA device are sorted first; memory stays uninitialised.
    """
    if where.type == "cpu":
        yield
        return
    # cuBLAS sums in one order only with a workspace of its own; read when its first handle is made.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    matmul = torch.backends.cuda.matmul
    filling: Any = torch.utils.deterministic  # its one switch has no annotation
    before = torch.are_deterministic_algorithms_enabled(), matmul.allow_tf32, filling.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    matmul.allow_tf32 = filling.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        matmul.allow_tf32, filling.fill_uninitialized_memory = before[1:]
