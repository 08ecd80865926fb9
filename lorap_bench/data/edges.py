"""One canonical order of edges, so that equal graphs are equal tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["canonical_edges"]


def canonical_edges(edge_index: Tensor, nodes: int) -> Tensor:
    """Return both directions of every edge, once each, without self-loops.

    Raw files may list an edge in one direction, several times, or from a node to itself.

    Shape:
        edge_index: ``[2, E]`` integer (source, target); the result ``[2, E']`` int64 is sorted by
        target, then source.
    """
    source, target = edge_index.long()
    kept = source != target
    source, target = source[kept], target[kept]
    keys = torch.cat([target * nodes + source, source * nodes + target])
    keys = keys.unique()
    return torch.stack([keys % nodes, keys // nodes])
