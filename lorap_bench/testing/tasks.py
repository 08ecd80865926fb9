"""Small tasks made of nothing: communities, rings, graphs at the edge of what is a graph."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Literal

import torch

from lorap_bench.data.task import GraphTask
from lorap_bench.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

__all__ = [
    "DEGENERATE",
    "graph_task",
    "node_task",
    "relational",
    "renumbered",
    "small_task",
    "sparse_task",
    "value_task",
]


def node_task(*, nodes: int = 60, features: int = 12, binary: bool = False) -> GraphTask:
    """Return one graph of three communities whose features lean to their class."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(nodes) % 3
    near = torch.rand(nodes, nodes, generator=generator) < torch.where(y[:, None] == y[None], 0.15, 0.02)
    x = torch.rand(nodes, features, generator=generator) + (y[:, None] % features == torch.arange(features))
    if binary:
        x = (x > 0.9).float()
    order = torch.randperm(nodes, generator=generator)
    return GraphTask(
        name="communities",
        level="node",
        x=x,
        edge_index=_sorted(near.nonzero().T, nodes),
        graph_ptr=torch.tensor([0, nodes]),
        y=y,
        splits={
            "train": order[: nodes // 3].sort().values,
            "val": order[nodes // 3 : 2 * nodes // 3].sort().values,
            "test": order[2 * nodes // 3 :].sort().values,
        },
        classes=3,
    )


def graph_task(*, graphs: int = 48) -> GraphTask:
    """Return rings of different sizes; class 1 has a chord at every node and larger features."""
    generator = torch.Generator().manual_seed(1)
    y = torch.arange(graphs) % 2
    sizes = torch.randint(5, 12, (graphs,), generator=generator)
    pointers = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
    edges = []
    for graph in range(graphs):
        ring = torch.arange(int(sizes[graph]))
        steps = (1, 2) if y[graph] else (1,)
        edges += [torch.stack([ring, (ring + step) % int(sizes[graph])]) + pointers[graph] for step in steps]
    nodes = int(pointers[-1])
    owner = torch.repeat_interleave(torch.arange(graphs), sizes)
    half = graphs // 2
    return GraphTask(
        name="rings",
        level="graph",
        x=torch.rand(nodes, 4, generator=generator) + 0.3 * y[owner].unsqueeze(1),
        edge_index=_sorted(torch.cat(edges, 1), nodes),
        graph_ptr=pointers,
        y=y,
        splits={
            "train": torch.arange(half),
            "val": torch.arange(half, half + graphs // 4),
            "test": torch.arange(half + graphs // 4, graphs),
        },
        classes=2,
    )


def value_task(level: Literal["node", "graph"] = "graph") -> GraphTask:
    """Return the small task of a level with a number to predict: the sum of the features, of a graph their mean."""
    task = small_task(level)
    y = task.x.sum(1)
    if level == "graph":
        sizes = task.graph_ptr.diff()
        owner = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
        y = torch.zeros(len(sizes)).index_add(0, owner, y) / sizes
    return replace(task, y=y, classes=1, metric=Metric.MAE)


def sparse_task() -> GraphTask:
    """Return the communities with wide features of many values, almost all of them zero."""
    task = node_task()
    wide = torch.zeros(60, 140)
    wide[:, ::12] = task.x * (task.x > 0.9)
    return replace(task, x=wide)


def relational(task: GraphTask, relations: int = 3) -> GraphTask:
    """Return a task with a relation for every edge; every fifth edge is there in a second relation too."""
    source, target = task.edge_index
    types = (3 * source + target) % relations
    twice = torch.arange(types.numel()) % 5 == 0
    edges = torch.cat([task.edge_index, task.edge_index[:, twice]], 1)
    return _typed(task, edges, torch.cat([types, (types[twice] + 1) % relations]))


def renumbered(task: GraphTask, order: Tensor) -> GraphTask:
    """Return the same task with its nodes in another order: new node i is old node ``order[i]``.

    ``order`` is ``[N]`` int64; at graph level it must keep every graph's nodes within their graph.
    """
    place = torch.empty_like(order)
    place[order] = torch.arange(order.numel())
    moved = replace(task, x=task.x[order], edge_index=_in_order(place[task.edge_index], order.numel()))
    if task.edge_type is not None:
        moved = _typed(moved, place[task.edge_index], task.edge_type)
    if task.level == "graph":
        return moved
    return replace(
        moved, y=task.y[order], splits={name: place[index].sort().values for name, index in task.splits.items()}
    )


@cache
def small_task(level: str) -> GraphTask:
    """Return the one task of a level that all contracts share, so that what is prepared for it is found again."""
    return node_task() if level == "node" else graph_task()


def _isolated() -> GraphTask:
    task = node_task()
    return replace(task, edge_index=task.edge_index[:, (task.edge_index > 9).all(0)])


def _edgeless() -> GraphTask:
    task = node_task()
    return replace(task, edge_index=task.edge_index[:, :0])


def _equal() -> GraphTask:
    return replace(node_task(), x=torch.full((60, 12), 0.7))


def _zero() -> GraphTask:
    return replace(node_task(), x=torch.zeros(60, 12))


def _one_node() -> GraphTask:
    only = torch.zeros(1, dtype=torch.int64)
    return GraphTask(
        name="point",
        level="node",
        x=torch.tensor([[0.5, -1.0, 2.0]]),
        edge_index=torch.zeros(2, 0, dtype=torch.int64),
        graph_ptr=torch.tensor([0, 1]),
        y=only,
        splits={"train": only, "val": only, "test": only},
        classes=2,
    )


def _points() -> GraphTask:
    return GraphTask(
        name="points",
        level="graph",
        x=torch.arange(12.0).view(12, 1),
        edge_index=torch.zeros(2, 0, dtype=torch.int64),
        graph_ptr=torch.arange(13),
        y=torch.arange(12) % 2,
        splits={"train": torch.arange(6), "val": torch.arange(6, 9), "test": torch.arange(9, 12)},
        classes=2,
    )


DEGENERATE: dict[str, Callable[[], GraphTask]] = {
    "isolated nodes": _isolated,
    "no edge": _edgeless,
    "equal features": _equal,
    "zero features": _zero,
    "one node": _one_node,
    "one node a graph": _points,
}
"""Tasks at the edge of what is a task, by what is odd about them: training must end with finite figures."""


def _sorted(edges: Tensor, nodes: int) -> Tensor:
    """Return both directions of the edges ``[2, E]`` once each, without self-loops, by target then source."""
    both = torch.cat([edges, edges.flip(0)], 1)
    keys = torch.unique(both[1] * nodes + both[0])
    source, target = keys % nodes, keys // nodes
    keep = source != target
    return torch.stack([source[keep], target[keep]])


def _typed(task: GraphTask, edges: Tensor, types: Tensor) -> GraphTask:
    """Return a task with other edges, by target, source and relation."""
    order = ((edges[1] * task.x.shape[0] + edges[0]) * (int(types.max()) + 1) + types).argsort()
    return replace(task, edge_index=edges[:, order], edge_type=types[order].to(torch.int8))


def _in_order(edges: Tensor, nodes: int) -> Tensor:
    return edges[:, (edges[1] * nodes + edges[0]).argsort()]
