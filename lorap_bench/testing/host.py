"""Whether a computation makes the host wait for the device: reading a value, or a size that values decide."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._python_dispatch import TorchDispatchMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["HostSynchronisation", "no_host_synchronisation"]

# Operations that give a value to the host, or whose result's size depends on values.
_OPERATIONS = frozenset(
    {
        *("_local_scalar_dense", "item", "equal", "is_nonzero", "nonzero", "masked_select", "bincount"),
        *("unique_dim", "unique_consecutive", "_unique", "_unique2"),
    }
)
# Methods that read memory without any operation where the tensor lies on the host.
_METHODS = ("tolist", "numpy", "__array__")


class HostSynchronisation(AssertionError):
    """A step reads a tensor's value on the host; the traceback shows where."""


@contextmanager
def no_host_synchronisation() -> Iterator[None]:
    """Raise ``HostSynchronisation`` where the body, or a backward pass in it, makes the host wait for the device.

    Tensors on the CPU are judged as if they lay on a device.
    """
    with _Methods(), _Operations():  # type: ignore[no-untyped-call]  # torch leaves the mode's constructor untyped
        yield


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        indexed = name in {"index", "index_put", "index_put_", "_unsafe_index"}
        masked = indexed and any(index is not None and index.dtype == torch.bool for index in args[1])
        # repeat_interleave of a tensor of counts asks for their sum, unless it is given the sum
        counted = name == "repeat_interleave" and (kwargs or {}).get("output_size") is None
        if name in _OPERATIONS or masked or counted:
            raise HostSynchronisation(f"{func} makes the host wait for the device")
        return func(*args, **(kwargs or {}))


class _Methods(TorchFunctionMode):
    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in _METHODS:
            raise HostSynchronisation(f"{resolve_name(func)} makes the host wait for the device")
        return func(*args, **(kwargs or {}))
