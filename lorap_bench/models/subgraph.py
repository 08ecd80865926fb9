"""Induced subgraphs: some nodes of a graph with all edges between them, as one batch.

What a node brings from the whole graph stays as it is there: the weights of its edges, its rank by degree, its number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lorap_bench.kernels.csr import Csr, segments
from lorap_bench.kernels.features import Features
from lorap_bench.models.graph import GraphBatch, index_ranges

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["induced"]


def induced(whole: GraphBatch, nodes: Tensor) -> GraphBatch:
    """Return the subgraph that some nodes of one graph induce; no sort and no loop over nodes or edges.

    Args:
        whole: the graph.
        nodes: ``[n]`` int64, ascending, without repeats; they become the nodes 0 … n - 1 of the batch.
    """
    pattern, entries = _between(whole.pattern, nodes)
    count = nodes.numel()
    owner = nodes.new_zeros(count)
    return GraphBatch(
        features=_rows(whole.features, nodes),
        pattern=pattern,
        norm=None if whole.norm is None else whole.norm[:, entries],
        pool=segments(torch.tensor([0, count], dtype=torch.int32, device=nodes.device), owner),
        sizes=torch.full_like(whole.sizes, count),
        ranks=whole.ranks[nodes],
        nodes=nodes,
    )


def _between(pattern: Csr, nodes: Tensor) -> tuple[Csr, Tensor]:
    """Return the pattern between some nodes, and which entries of the whole one are its own ``[e]``."""
    local = torch.full((pattern.shape[0],), -1, dtype=torch.int32, device=nodes.device)
    local[nodes] = torch.arange(nodes.numel(), dtype=torch.int32, device=nodes.device)
    entries, row, shift, _ = index_ranges(pattern.rowptr, nodes)
    col = local.index_select(0, pattern.col.index_select(0, entries))
    kept = col >= 0
    t_entries, column, _, _ = index_ranges(pattern.t_rowptr, nodes)
    t_col = local.index_select(0, pattern.t_col.index_select(0, t_entries))
    t_kept = t_col >= 0
    t_col = t_col[t_kept]
    # An entry's place among those of the nodes' rows, then among those of them that stay.
    place = pattern.t_perm.index_select(0, t_entries[t_kept]) + shift.index_select(0, t_col)
    row, column = row[kept], column[t_kept]
    own = Csr(
        rowptr=_pointers(row, nodes.numel()),
        col=col[kept],
        row=row,
        t_rowptr=_pointers(column, nodes.numel()),
        t_col=t_col,
        t_perm=(kept.cumsum(0) - 1).index_select(0, place),
    )
    return own, entries[kept]


def _rows(features: Features, nodes: Tensor) -> Features:
    """Return the features of some nodes, sparse where they were."""
    pattern = features.pattern
    if pattern is None:
        return Features(features.values.index_select(1, nodes))
    entries, row, _, _ = index_ranges(pattern.rowptr, nodes)
    col = pattern.col.index_select(0, entries)
    t_perm = torch.argsort(col, stable=True)
    own = Csr(
        rowptr=_pointers(row, nodes.numel()),
        col=col,
        row=row,
        t_rowptr=_pointers(col, pattern.shape[1]),
        t_col=row.index_select(0, t_perm).to(torch.int32),
        t_perm=t_perm,
    )
    return Features(features.values.index_select(1, entries), own)


def _pointers(owner: Tensor, count: int) -> Tensor:
    lengths = torch.bincount(owner, minlength=count)
    return torch.cat([lengths.new_zeros(1), lengths.cumsum(0)]).to(torch.int32)
