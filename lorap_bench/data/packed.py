"""Graphs as read from raw files, before splits and features are chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.data.task import Split

__all__ = ["Packed"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packed:
    """Graphs packed one after another, as ``GraphTask`` holds them.

    ``splits`` is empty where the split depends on the fold; ``x`` has no columns where the raw set
    has no node features.
    """

    x: Tensor
    edge_index: Tensor
    graph_ptr: Tensor
    y: Tensor
    splits: dict[Split, Tensor] = field(default_factory=dict)
