"""Sampled neighbourhoods: who is reached, how many, and the whole of it where nothing is left out."""

from __future__ import annotations

import pytest
import torch

from lorap_bench.models.graph import build_store
from lorap_bench.testing import node_task
from lorap_bench.train.neighbours import Neighbours, neighbourhood

TASK = node_task()
PATTERN = build_store(TASK, self_loops=True, normalized=False).whole.pattern
ADJACENCY = torch.eye(60, dtype=torch.bool)
ADJACENCY[TASK.edge_index[1], TASK.edge_index[0]] = True


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("hops", [0, 1, 2, 3])
def test_a_complete_neighbourhood_is_all_within_its_hops(hops: int) -> None:
    seeds = torch.tensor([41, 3])
    reached = torch.zeros(60, dtype=torch.bool)
    reached[seeds] = True
    for _ in range(hops):
        reached = reached | ADJACENCY[reached].any(0)
    drawn = neighbourhood(PATTERN, seeds, [None] * hops)
    assert drawn.nodes.tolist() == reached.nonzero().squeeze(1).tolist()
    assert drawn.nodes[drawn.rows].tolist() == [41, 3]


def test_a_fan_out_bounds_the_neighbours_of_each_node() -> None:
    degrees = ADJACENCY.sum(1) - 1
    for seed in range(60):
        for fan_out in (1, 2, 100):
            nodes = neighbourhood(PATTERN, torch.tensor([seed]), [fan_out], generator()).nodes.tolist()
            assert len(nodes) == 1 + min(fan_out, int(degrees[seed]))  # its loop is no neighbour
            assert all(ADJACENCY[seed, node] for node in nodes)


def test_every_neighbour_is_drawn_as_often() -> None:
    center = int((ADJACENCY.sum(1)).argmax())
    hits = torch.zeros(60)
    for seed in range(600):
        hits[neighbourhood(PATTERN, torch.tensor([center]), [2], generator(seed)).nodes] += 1
    near = ADJACENCY[center].clone()
    near[center] = False
    expected = 600 * 2 / int(near.sum())
    assert hits[~near].sum() == hits[center] == 600
    assert (hits[near] - expected).abs().max() < 5 * expected**0.5


def test_an_epoch_has_every_training_node_once_as_a_seed() -> None:
    first, again = (list(Neighbours(TASK, PATTERN, 8, [2, 2]).draw(1)) for _ in range(2))
    assert [drawn.rows.numel() for drawn in first] == [8, 8, 4]
    seeds = torch.cat([drawn.nodes[drawn.rows] for drawn in first])
    assert seeds.sort().values.tolist() == TASK.splits["train"].tolist()
    assert all(torch.equal(one.nodes, two.nodes) for one, two in zip(first, again, strict=True))
    other = list(Neighbours(TASK, PATTERN, 8, [2, 2]).draw(2))
    assert not torch.equal(seeds, torch.cat([drawn.nodes[drawn.rows] for drawn in other]))
