"""Small tasks made in the tests: a node-level one with communities, a graph-level one with two kinds of rings."""

from __future__ import annotations

import torch

from lorap_bench.data.task import GraphTask


def _sorted(edges: torch.Tensor, nodes: int) -> torch.Tensor:
    both = torch.cat([edges, edges.flip(0)], 1)
    keys = torch.unique(both[1] * nodes + both[0])
    source, target = keys % nodes, keys // nodes
    keep = source != target
    return torch.stack([source[keep], target[keep]])


def node_task(*, nodes: int = 60, features: int = 12, binary: bool = False) -> GraphTask:
    """Three communities whose features lean to their class."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(nodes) % 3
    near = torch.rand(nodes, nodes, generator=generator) < torch.where(y[:, None] == y[None], 0.15, 0.02)
    x = torch.rand(nodes, features, generator=generator) + (y[:, None] % features == torch.arange(features))
    if binary:
        x = (x > 0.9).float()
    order = torch.randperm(nodes, generator=generator)
    splits = {"train": order[:20], "val": order[20:40], "test": order[40:]}
    return GraphTask(
        name="communities",
        level="node",
        x=x,
        edge_index=_sorted(near.nonzero().T, nodes),
        graph_ptr=torch.tensor([0, nodes]),
        y=y,
        splits={name: index.sort().values for name, index in splits.items()},  # type: ignore[misc]  # keys are the literals
        classes=3,
    )


def graph_task(*, graphs: int = 48) -> GraphTask:
    """Rings of different sizes; class 1 has a chord at every node and larger features."""
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
    x = torch.rand(nodes, 4, generator=generator) + 0.3 * y[owner].unsqueeze(1)
    return GraphTask(
        name="rings",
        level="graph",
        x=x,
        edge_index=_sorted(torch.cat(edges, 1), nodes),
        graph_ptr=pointers,
        y=y,
        splits={"train": torch.arange(24), "val": torch.arange(24, 36), "test": torch.arange(36, graphs)},
        classes=2,
    )
