"""A learning task on graphs: the graphs, the splits, and the metric, which says what is predicted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from lorap_bench.metric import Metric

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["GraphTask", "Split"]

Split = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GraphTask:
    """Graphs packed one after another, with splits over nodes or graphs.

    Shape:
        x: ``[N, F]`` float32 raw features of all nodes of all graphs (dense; sparsity is found
        by whoever computes).
        edge_index: ``[2, E]`` int64 (source, target) in packed node numbers, both directions of an
        undirected edge, no self-loops, sorted by target then source, no repeats. Superpixels alone have
        edges of one direction.
        graph_ptr: ``[G + 1]`` int64; graph ``g`` owns nodes ``graph_ptr[g]:graph_ptr[g + 1]``.
        y: ``[N]`` (level ``node``) or ``[G]`` (level ``graph``): int64 class labels, or float32 values where the
        metric's target is a value.
        splits: split name → sorted int64 indices of nodes or graphs.
        edge_type: ``[E]`` int8 relation of each edge, from 0, or None where all edges are of one. Edges are then
        sorted by target, source and relation, and repeat in no relation.
        classes: how many there are, and outputs of a model; 1 where a value is predicted.

    A node without a label, in no split, has the label -1.
    """

    name: str
    level: Literal["node", "graph"]
    x: Tensor
    edge_index: Tensor
    graph_ptr: Tensor
    y: Tensor
    splits: dict[Split, Tensor]
    classes: int
    metric: Metric = Metric.ACCURACY
    edge_type: Tensor | None = None

    @property
    def relations(self) -> int:
        """How many relations the edges are of."""
        return 1 if self.edge_type is None or not self.edge_type.numel() else int(self.edge_type.max()) + 1

    def without_test(self) -> GraphTask:
        """Return the task with its test indices gone: nothing that holds it can look at them."""
        return replace(self, splits={name: index for name, index in self.splits.items() if name != "test"})
