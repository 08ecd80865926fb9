"""Batches of clusters: the graph is cut once in parts that hold many of their own edges; some parts make a batch.

Source: Cluster-GCN (Chiang et al. 2019), section 3.2, for parts joined at random. Its METIS is an extension that
may be missing: the parts here grow by label propagation under a bound on their size (Raghavan et al. 2007; the bound
is ours), a few sorts of all edges.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, final

import torch

from lorap_bench.kernels.random import stream_generator
from lorap_bench.train.sampler import Drawn, Sampler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from lorap_bench.data.task import GraphTask

__all__ = ["Clusters", "partition"]

_ROUNDS = 15
_MOVING = 0.4  # share of the nodes that may change their label in a round: all at once would swap labels for ever


@final
class Clusters(Sampler):
    """Every node once an epoch: parts in random order, ``joined`` a batch; one without a training node is left out.

    Args:
        task: a task of one graph.
        parts: how many parts the graph is cut in.
        joined: how many parts make a batch.
    """

    def __init__(self, task: GraphTask, parts: int, joined: int) -> None:
        self._name, self._joined = task.name, joined
        owner = _kept_partition(task, parts)
        self._order = owner.argsort(stable=True)
        self._sizes = torch.bincount(owner, minlength=parts)
        self._trains = torch.zeros(owner.numel(), dtype=torch.bool)
        self._trains[task.splits["train"]] = True

    def draw(self, number: int) -> Iterator[Drawn]:
        pieces = self._order.split(self._sizes.tolist())
        order = torch.randperm(len(pieces), generator=stream_generator(number, f"drawing/{self._name}"))
        for chosen in order.split(self._joined):
            nodes = torch.cat([pieces[part] for part in chosen.tolist()]).sort().values
            rows = self._trains[nodes].nonzero().squeeze(1)
            if rows.numel():
                yield Drawn(nodes, rows)


def partition(edge_index: Tensor, nodes: int, parts: int, generator: torch.Generator) -> Tensor:
    """Cut a graph in parts of equal size, give or take a node, with many edges inside them: ``[nodes]`` int64.

    Every node starts with a label of its own. In each round some nodes, drawn at random, take the label most frequent
    among the neighbours that send to them, of those that fewer nodes have than a part may hold. Nodes in the order of
    their labels are then cut evenly. The time of a round is that of sorting the edges.
    """
    source, target = edge_index
    most = -(-nodes // parts)
    label = torch.randperm(nodes, generator=generator)
    for _ in range(_ROUNDS):
        pairs, votes = torch.unique_consecutive((target * nodes + label[source]).sort().values, return_counts=True)
        voter, wanted = pairs // nodes, pairs % nodes
        open_ = (torch.bincount(label, minlength=nodes) < most)[wanted] | (wanted == label[voter])
        # Votes first, the label between equals.
        score = torch.where(open_, votes, 0) * nodes + wanted
        best = torch.zeros_like(label).scatter_reduce(0, voter, score, "amax")
        moves = (best >= nodes) & (torch.rand(nodes, generator=generator) < _MOVING)
        label = torch.where(moves, best % nodes, label)
    place = torch.empty_like(label)
    place[label.argsort(stable=True)] = torch.arange(nodes)
    return place * parts // nodes


@lru_cache(maxsize=4)
def _kept_partition(task: GraphTask, parts: int) -> Tensor:
    """Return the parts of a task's graph, a function of both; kept for the next trial."""
    return partition(task.edge_index, len(task.x), parts, stream_generator(parts, f"parts/{task.name}"))
