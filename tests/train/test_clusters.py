"""Parts of a graph: as many, as even and as whole as they should be; batches of some of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lorap_bench.testing import node_task
from lorap_bench.train.clusters import Clusters, partition

TASK = node_task()


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def cliques(count: int, size: int) -> torch.Tensor:
    """Return the edges of cliques whose nodes are numbered round-robin, in a ring of single edges."""
    nodes = torch.arange(count * size)
    same = (nodes[:, None] % count == nodes[None] % count) & (nodes[:, None] != nodes[None])
    ring = torch.stack([torch.arange(count), (torch.arange(count) + 1) % count])
    return torch.cat([same.nonzero().T, ring, ring.flip(0)], 1)


def test_parts_are_communities() -> None:
    """Six cliques of eight cut in six parts: every clique is one."""
    owner = partition(cliques(6, 8), 48, 6, generator())
    by_clique = owner.view(8, 6)
    assert (by_clique == by_clique[0]).all()
    assert by_clique[0].sort().values.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("parts", [1, 4, 7, 60, 80])
def test_parts_are_even(parts: int) -> None:
    sizes = torch.bincount(partition(TASK.edge_index, 60, parts, generator()), minlength=parts)
    assert len(sizes) == parts
    assert sizes.max() - sizes.min() <= 1


def test_a_graph_without_edges_is_cut_too() -> None:
    owner = partition(torch.zeros(2, 0, dtype=torch.int64), 9, 3, generator())
    assert torch.bincount(owner).tolist() == [3, 3, 3]


def test_a_drawing_has_every_node_once_and_is_the_same_each_time() -> None:
    first, again = (list(Clusters(TASK, 6, 2).draw(3)) for _ in range(2))
    assert len(first) == 3
    assert torch.cat([drawn.nodes for drawn in first]).sort().values.tolist() == list(range(60))
    assert all(torch.equal(one.nodes, two.nodes) for one, two in zip(first, again, strict=True))
    for drawn in first:
        assert (drawn.nodes.diff() > 0).all()
        assert set(drawn.nodes[drawn.rows].tolist()) == set(TASK.splits["train"].tolist()) & set(drawn.nodes.tolist())
    other = torch.cat([drawn.nodes for drawn in Clusters(TASK, 6, 2).draw(4)])
    assert not torch.equal(other, torch.cat([drawn.nodes for drawn in first]))


def test_a_batch_without_a_training_node_is_left_out() -> None:
    lone = replace(TASK, splits={**TASK.splits, "train": torch.tensor([17])})
    drawn = list(Clusters(lone, 6, 1).draw(0))
    assert len(drawn) == 1
    assert drawn[0].nodes[drawn[0].rows].tolist() == [17]
