"""Induced subgraphs: some nodes of a graph with all edges between them, as one batch.

What a node brings from the whole graph stays as it is there: the weights of its edges, its rank by degree, its number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.csr import segments
from lorap_bench.kernels.features import Features
from lorap_bench.models.graph import GraphBatch, relations_among

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["induced"]


def induced(whole: GraphBatch, nodes: Tensor) -> GraphBatch:
    """Return the subgraph that some nodes of one graph induce, cut out without a loop in Python.

    Args:
        whole: the graph.
        nodes: ``[n]`` int64, ascending, without repeats; they become the nodes 0 … n - 1 of the batch.
    """
    pattern, entries = kernels().cut(whole.pattern, nodes, nodes)
    count = nodes.numel()
    owner = nodes.new_zeros(count)
    return GraphBatch(
        features=_rows(whole.features, nodes),
        pattern=pattern,
        norm=None if whole.norm is None else _shared(whole.norm, entries),
        pool=segments(torch.tensor([0, count], dtype=torch.int32, device=nodes.device), owner),
        sizes=torch.full_like(whole.sizes, count),
        ranks=whole.ranks.index_select(0, nodes),
        relations=relations_among(whole.relations, entries, pattern),
        nodes=nodes,
    )


def _rows(features: Features, nodes: Tensor) -> Features:
    """Return the features of some nodes, sparse where they were."""
    if features.pattern is None:
        return Features(_shared(features.values, nodes))
    pattern, entries = kernels().cut(features.pattern, nodes, None)
    return Features(_shared(features.values, entries), pattern)


def _shared(table: Tensor, chosen: Tensor) -> Tensor:
    """Return the chosen rows of what all members share, ``[1, n, …]``; torch gathers fastest along the first axis."""
    return table.squeeze(0).index_select(0, chosen).unsqueeze(0)
