"""Batches of neighbourhoods: some training nodes with sampled neighbours, theirs, and so on, a hop a layer.

A batch is the subgraph that these nodes induce, with all edges between them: so no node is without its neighbours at
hand, and what is learned for each node (A²Q's steps) is learned on aggregates, not on empty sums.

Source: GraphSAGE (Hamilton et al. 2017), algorithm 2, for the nodes; shaDow-GNN (Zeng et al. 2021), section 3, for the
induced subgraph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from lorap_bench.kernels.csr import index_ranges
from lorap_bench.kernels.random import stream_generator
from lorap_bench.train.sampler import Drawn, Sampler

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from lorap_bench.data.task import GraphTask
    from lorap_bench.kernels.csr import Csr

__all__ = ["Neighbours", "neighbourhood"]


@final
class Neighbours(Sampler):
    """Every training node once an epoch as a seed, ``batch_size`` a batch, in random order; the loss is the seeds'.

    Args:
        task: a task of one graph.
        pattern: its edges, row = target.
        batch_size: seeds a batch.
        fan_outs: how many neighbours of a node are drawn, for each hop.
    """

    def __init__(self, task: GraphTask, pattern: Csr, batch_size: int, fan_outs: Sequence[int]) -> None:
        self._name, self._seeds, self._pattern = task.name, task.splits["train"], pattern
        self._batch_size, self._fan_outs = batch_size, fan_outs

    def draw(self, number: int) -> Iterator[Drawn]:
        generator = stream_generator(number, f"drawing/{self._name}")
        order = torch.randperm(self._seeds.numel(), generator=generator)
        for seeds in self._seeds[order].split(self._batch_size):
            yield neighbourhood(self._pattern, seeds, self._fan_outs, generator)


def neighbourhood(
    pattern: Csr, seeds: Tensor, fan_outs: Sequence[int | None], generator: torch.Generator | None = None
) -> Drawn:
    """Return the nodes that reach some seeds ``[r]``, and where among them the seeds are, in their order.

    Args:
        pattern: the edges, row = target.
        seeds: where to begin.
        fan_outs: for each hop how many of a node's neighbours are taken, drawn without replacement; None: all.
        generator: draws them.
    """
    seen = torch.zeros(pattern.shape[0], dtype=torch.bool)
    seen[seeds] = True
    frontier = seeds
    for fan_out in fan_outs:
        entries, owner, _, _ = index_ranges(pattern.rowptr, frontier)
        sender = pattern.col.index_select(0, entries).long()
        if fan_out is not None:
            other = sender != frontier.index_select(0, owner)  # a node's loop to itself is none of its neighbours
            sender, owner = sender[other], owner[other]
            sender = sender[_some(owner, frontier.numel(), fan_out, generator)]
        reached = torch.zeros_like(seen)
        reached[sender] = True
        frontier = (reached & ~seen).nonzero().squeeze(1)
        seen |= reached
    nodes = seen.nonzero().squeeze(1)
    return Drawn(nodes, torch.searchsorted(nodes, seeds))


def _some(owner: Tensor, owners: int, fan_out: int, generator: torch.Generator | None) -> Tensor:
    """Return ``fan_out`` places of each owner's, or all where it has no more; owner ``[e]`` ascending."""
    # One sort by owner and a random number draws for all owners at once.
    keys = owner + torch.rand(owner.numel(), dtype=torch.float64, generator=generator)
    order = torch.argsort(keys, stable=True)
    lengths = torch.bincount(owner, minlength=owners)
    first = lengths.cumsum(0) - lengths
    rank = torch.arange(owner.numel()) - first.index_select(0, owner)
    return order[rank < fan_out]
