"""Graphs as read from raw files, before splits and features are chosen; and the form they are kept in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.data.task import Split

__all__ = ["Packed", "from_stored", "to_stored"]

SPARSE_BELOW = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packed:
    """Graphs packed one after another, as ``GraphTask`` holds them.

    ``x`` has no columns where the raw set has no node features.

    Shape:
        splits: split name → ``[n]`` int64 indices of the one published split, or ``[F, N]`` bool masks of
        ``F`` published ones; empty where splits are drawn.
        edge_type: ``[E]`` int8, None where all edges are of one relation.
    """

    x: Tensor
    edge_index: Tensor
    graph_ptr: Tensor
    y: Tensor
    splits: dict[Split, Tensor] = field(default_factory=dict)
    edge_type: Tensor | None = None

    @property
    def classes(self) -> int:
        """How many classes there are; 1 where ``y`` are values."""
        return 1 if self.y.is_floating_point() else int(self.y.max()) + 1


def to_stored(packed: Packed) -> dict[str, Any]:
    """Return the fields as plain values; mostly empty features as what they hold and where.

    Word counts would fill a gigabyte otherwise. ``asdict`` would copy the tensors only to store them.
    """
    import torch

    stored = {name: getattr(packed, name) for name in Packed.__dataclass_fields__}
    if packed.edge_type is None:
        del stored["edge_type"]  # stored as before there were relations
    x = packed.x
    if int(torch.count_nonzero(x)) < SPARSE_BELOW * x.numel():
        places = x.flatten().nonzero().squeeze(1)
        stored["x"] = {"shape": list(x.shape), "places": places, "values": x.flatten()[places]}
    return stored


def from_stored(stored: dict[str, Any]) -> Packed:
    """Return the set from its stored fields.

    Raises:
        LookupError, RuntimeError, TypeError: they are not what ``to_stored`` gives.
    """
    import torch

    x = stored["x"]
    if isinstance(x, dict):
        dense = torch.zeros(x["shape"], dtype=x["values"].dtype)
        dense.view(-1)[x["places"]] = x["values"]
        stored = {**stored, "x": dense}
    return Packed(**stored)
