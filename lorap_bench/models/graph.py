"""Graphs as a model reads them: patterns with their weights, features, pooling; whole or in batches.

A ``GraphStore`` is computed once a task and architecture; ``batch`` packs any choice of its graphs
by vectorised gathers, with no loop over graphs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorap_bench.kernels.csr import Csr, csr_from_coo, index_ranges, segments
from lorap_bench.kernels.features import Features, make_features

if TYPE_CHECKING:
    from lorap_bench.data.task import GraphTask

__all__ = ["GraphBatch", "GraphStore", "build_store", "by_relation", "degree_ranks", "relations_among"]


@dataclass(frozen=True, slots=True, eq=False)
class GraphBatch:
    """Some graphs, packed: what one forward pass reads.

    Shape:
        features: ``[1, N, F]`` raw; pattern: ``[N, N]``, row = target; norm: ``[1, E]`` edge weights of
        the normalised adjacency, or None; pool: ``[G, N]`` membership, sizes: ``[G, 1]`` nodes a graph;
        ranks: ``[N]`` the share of the node's own graph whose in-degree is no greater than its own;
        relations: ``[N, N R]``, the entries of the pattern in its order, column ``j R + r`` being what node j sends
        along relation r; None where there is one relation or the architecture tells none apart.
        nodes: ``[N]`` int64, ascending, which nodes of the one graph these are; None: all of it, or no matter.
    """

    features: Features
    pattern: Csr
    norm: Tensor | None
    pool: Csr
    sizes: Tensor
    ranks: Tensor
    relations: Csr | None = None
    nodes: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GraphStore:
    """All graphs of a task in the form one architecture needs."""

    whole: GraphBatch
    x: Tensor
    node_ptr: Tensor
    edge_ptr: Tensor

    def batch(self, graphs: Tensor) -> GraphBatch:
        """Pack the chosen graphs: ``[B]`` int64 graph numbers, in that order."""
        nodes, node_owner, node_shift, node_counts = index_ranges(self.node_ptr, graphs)
        edges, edge_owner, edge_shift, _ = index_ranges(self.edge_ptr, graphs)
        # index_select takes half the time of indexing.
        pattern, shift = self.whole.pattern, node_shift.index_select(0, edge_owner)
        rowptr = _local_pointers(pattern.rowptr, nodes)
        local = Csr(
            rowptr=rowptr,
            col=(pattern.col.index_select(0, edges) + shift).to(torch.int32),
            row=pattern.row.index_select(0, edges) + shift,
            t_rowptr=_local_pointers(pattern.t_rowptr, nodes),
            t_col=(pattern.t_col.index_select(0, edges) + shift).to(torch.int32),
            t_perm=pattern.t_perm.index_select(0, edges) + edge_shift.index_select(0, edge_owner),
        )
        norm = self.whole.norm
        pool_ptr = torch.cat([node_counts.new_zeros(1), node_counts.cumsum(0)]).to(torch.int32)
        return GraphBatch(
            features=Features(self.x.index_select(0, nodes).unsqueeze(0)),
            pattern=local,
            norm=None if norm is None else norm[:, edges],
            pool=segments(pool_ptr, node_owner),
            sizes=node_counts.unsqueeze(1).to(self.x.dtype),
            ranks=self.whole.ranks.index_select(0, nodes),
            relations=relations_among(self.whole.relations, edges, local),
        )


def build_store(task: GraphTask, *, self_loops: bool, normalized: bool, relational: bool = False) -> GraphStore:
    """Prepare a task's graphs for an architecture.

    Args:
        task: the task.
        self_loops: add ``(i, i)`` for every node.
        normalized: weigh edge ``(j, i)`` by ``1 / sqrt(d_i d_j)``, d the in-degree with self-loops.
        relational: tell relations apart, and weigh an edge of relation r by ``1 / |N_r(i)|``; not with the others.

    Source: Kipf & Welling 2017, equation 2, for the normalisation; Schlichtkrull et al. 2018, equation 2, for that
    by relation.
    """
    assert not (relational and (self_loops or normalized)), "a self-loop is of no relation"
    nodes = task.x.shape[0]
    source, target = task.edge_index
    if self_loops:
        loops = torch.arange(nodes)
        source, target = torch.cat([source, loops]), torch.cat([target, loops])
    pattern, order = csr_from_coo(target, source, (nodes, nodes))
    norm, relations = None, None
    if normalized:
        root = pattern.rowptr.diff().to(task.x.dtype).clamp(min=1).rsqrt()
        norm = (root[pattern.row] * root[pattern.col.long()]).unsqueeze(0)
    if relational and pattern.entries:  # what is not there has no range
        if task.edge_type is not None:
            relations = by_relation(pattern, task.edge_type[order], task.relations)
        norm = _shares(pattern if relations is None else relations).to(task.x.dtype).unsqueeze(0)
    sizes = task.graph_ptr.diff()
    owner = torch.repeat_interleave(torch.arange(sizes.numel()), sizes)
    features = make_features(task.x) if task.level == "node" else Features(task.x.unsqueeze(0))
    whole = GraphBatch(
        features,
        pattern,
        norm,
        segments(task.graph_ptr.to(torch.int32), owner),
        sizes.unsqueeze(1).to(task.x.dtype),
        degree_ranks(pattern.rowptr.diff().long(), owner, task.graph_ptr),
        relations,
    )
    return GraphStore(whole, task.x, task.graph_ptr, pattern.rowptr[task.graph_ptr].long())


def by_relation(pattern: Csr, types: Tensor, count: int) -> Csr:
    """Return the pattern that tells relations apart: a column for every node and relation.

    Shape: pattern ``[N, N]``; types ``[E]`` integer relation of each of its entries, ascending where two nodes have
    several → ``[N, N count]``, entries in the same order.
    """
    nodes = pattern.shape[1]
    return csr_from_coo(pattern.row, pattern.col.long() * count + types, (nodes, nodes * count))[0]


def relations_among(relations: Csr | None, edges: Tensor, pattern: Csr) -> Csr | None:
    """Return ``GraphBatch.relations`` of chosen edges, given in the order of the pattern that these make.

    Shape: relations ``[N, N R]`` of all edges; edges ``[e]`` int64; pattern ``[n, n]`` → ``[n, n R]``.
    """
    if relations is None:
        return None
    count = relations.shape[1] // relations.shape[0]
    return by_relation(pattern, relations.col[edges].long() % count, count)


def _shares(relations: Csr) -> Tensor:
    """Return ``1 / |N_r(i)|`` of every edge that ends in node i in relation r: ``[E]``."""
    nodes, columns = relations.shape
    count = columns // nodes
    own = relations.row * count + relations.col.long() % count
    return 1 / torch.bincount(own)[own]


def degree_ranks(degrees: Tensor, owner: Tensor, graph_ptr: Tensor) -> Tensor:
    """Return the empirical distribution of in-degrees at each node, within its own graph.

    Formula: ``F(d_i) = #{j in the graph of i: d_j <= d_i} / n``; nodes of equal degree share it.

    Shape: degrees, owner (graph of each node) ``[N]`` int64; graph_ptr ``[G + 1]`` → ``[N]`` float32.

    Source: Degree-Quant (Tailor et al. 2021), section 3.2.
    """
    if not degrees.numel():
        return torch.zeros(0)
    key = owner * (degrees.max() + 1) + degrees
    upto = torch.bincount(key).cumsum(0)[key] - graph_ptr[owner]
    return upto / graph_ptr.diff()[owner]


def _local_pointers(pointers: Tensor, nodes: Tensor) -> Tensor:
    degrees = pointers.diff()[nodes]
    return torch.cat([degrees.new_zeros(1), degrees.cumsum(0)]).to(torch.int32)
