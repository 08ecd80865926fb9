"""The data sets that every node is given once: the driver's arrays in Ray's object store, which workers map.

Workers of a node look at one copy, and a node needs neither the raw files nor a cache of its own.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ray

from lorap_bench.data.load import EMBEDDED, canonical_name, load_packed, provide
from lorap_bench.data.packed import Packed
from lorap_bench.data.raw import Folders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

__all__ = ["Luggage", "pack_luggage", "unpack_luggage"]


@dataclass(frozen=True, slots=True)
class Luggage:
    """A data set as arrays, by the fields of ``Packed``."""

    name: str
    arrays: dict[str, Any]
    splits: dict[str, Any]


def pack_luggage(datasets: Iterable[str]) -> list[Any]:
    """Put data sets into the object store and return their references, but for what each process makes itself.

    Raises:
        ConfigError: there is no such data set.
        MissingResource: one cannot be read.
    """
    names = dict.fromkeys(canonical_name(dataset) for dataset in datasets)
    return [_packed(name) for name in names if name != EMBEDDED]


def _packed(name: str) -> Any:
    packed = load_packed(name, Folders.from_environment())
    tensors = {field: getattr(packed, field) for field in Packed.__dataclass_fields__ if field != "splits"}
    arrays = {field: tensor.numpy() for field, tensor in tensors.items() if tensor is not None}
    return ray.put(Luggage(name, arrays, {split: index.numpy() for split, index in packed.splits.items()}))


def unpack_luggage(luggage: Luggage) -> None:
    """Let this process load the data set from the arrays, which stay where they are."""
    arrays = {field: _tensor(array) for field, array in luggage.arrays.items()}
    splits: dict[Any, Tensor] = {split: _tensor(index) for split, index in luggage.splits.items()}
    provide(luggage.name, Packed(**arrays, splits=splits))


def _tensor(array: Any) -> Tensor:
    import torch

    with warnings.catch_warnings():
        # The object store is read-only, and so is a task: nobody writes to it.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)
