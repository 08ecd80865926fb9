"""What a cohort is fed: a graph whole or in sampled batches at node level, shuffled mini-batches at graph level.

The order of mini-batches is a function of the task and the epoch, the same for every member and
every trial: it is part of the protocol, not of a seed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, final

import torch
from torch import Tensor

from lorap_bench.kernels.device import device, placed
from lorap_bench.kernels.random import stream_generator
from lorap_bench.models.graph import GraphBatch, GraphStore, build_store
from lorap_bench.models.sampling import Sampling, passes_whole
from lorap_bench.models.subgraph import induced
from lorap_bench.train.clusters import Clusters
from lorap_bench.train.neighbours import Neighbours, neighbourhood
from lorap_bench.train.sampler import Drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.data.task import GraphTask, Split
    from lorap_bench.models.blueprint import Blueprint
    from lorap_bench.train.sampler import Sampler

__all__ = ["EVAL_BATCH", "SHOWN_NODES", "START_NODES", "Feed", "Portion", "make_feed"]

EVAL_BATCH = 1024
"""Graphs of a held-out split that one pass reads."""
START_NODES, SHOWN_NODES = 2**20, 2**18
"""Nodes of the training graphs that one pass without gradients reads at most, and one that remembers every layer: at
width 100 they take half a gigabyte a layer, and a tenth."""
# Nodes in a drawing, over those of the graph, up to which its batches are kept in main memory as long as it serves.
_KEPT = 2


class Portion(NamedTuple):
    """A batch, the rows of its logits that count (None: all), their targets.

    ``fixed`` says that the same batch object comes again, so what is computed from it may be kept.
    """

    batch: GraphBatch
    rows: Tensor | None
    y: Tensor
    fixed: bool


class Feed(ABC):
    """Batches of one task, each with the rows of the logits that count and their targets; all on one device."""

    def __init__(self, task: GraphTask, store: GraphStore) -> None:
        self.task = task
        self.store = store

    @abstractmethod
    def calibration(self) -> GraphBatch:
        """Return what the ranges of constant tensors may be read from."""

    def start(self) -> GraphBatch:
        """Return what quantizers that learn take their first values from, in one pass."""
        return self.calibration()

    def shown(self) -> GraphBatch:
        """Return what a trained model is measured on, every layer remembered."""
        return self.calibration()

    @abstractmethod
    def train(self, epoch: int) -> Iterator[Portion]:
        """Yield the epoch's training batches."""

    @abstractmethod
    def held_out(self, split: Split) -> Iterator[Portion]:
        """Yield the batches of a held-out split, in a fixed order."""


@final
class WholeGraph(Feed):
    """Node level: one batch, the split chooses rows."""

    def calibration(self) -> GraphBatch:
        return self.store.whole

    def train(self, epoch: int) -> Iterator[Portion]:
        yield from self.held_out("train")

    def held_out(self, split: Split) -> Iterator[Portion]:
        yield _chosen_rows(self.task, self.store, split)


@final
class SampledGraph(Feed):
    """Node level: batches of some nodes in training; held-out nodes with all that reaches them.

    They are evaluated on the whole graph where a pass over it fits, else in batches of complete neighbourhoods: both
    are exact. One drawing of batches serves some epochs, each in an order of its own.

    Args:
        here: the task and its graph on the CPU, where batches are drawn and cut out.
        there: both on the device that computes.
        plan: the trial.
    """

    def __init__(
        self, here: tuple[GraphTask, GraphStore], there: tuple[GraphTask, GraphStore], plan: Blueprint
    ) -> None:
        super().__init__(*there)
        self._task, self._graph = here[0], here[1].whole
        self._device = self.store.x.device
        self._whole = passes_whole(plan)
        self._hops, self._batch_size = plan.trial.model.layers, plan.trial.task.batch_size
        self._sampler, self._draw_every = _sampler(*here, plan), plan.trial.task.draw_every
        self._number, self._drawn = -1, list[Drawn]()
        self._kept: dict[int, Portion] = {}

    def calibration(self) -> GraphBatch:
        return self.store.whole

    def start(self) -> GraphBatch:
        return self.store.whole if self._whole else self.shown()

    def shown(self) -> GraphBatch:
        return placed(self._cut(next(self._sampler.draw(0))).batch, self._device)

    def train(self, epoch: int) -> Iterator[Portion]:
        if self._number != epoch // self._draw_every:
            self._number = epoch // self._draw_every
            self._drawn = list(self._sampler.draw(self._number))
            self._kept.clear()
        keeps = sum(drawn.nodes.numel() for drawn in self._drawn) <= _KEPT * len(self._task.x)
        order = torch.randperm(len(self._drawn), generator=stream_generator(epoch, f"batches/{self.task.name}"))
        for place in order.tolist():
            portion = self._kept.get(place) or self._cut(self._drawn[place])
            if keeps:
                self._kept[place] = portion
            yield _placed_portion(portion, self._device)

    def held_out(self, split: Split) -> Iterator[Portion]:
        if self._whole:
            yield _chosen_rows(self.task, self.store, split)
            return
        for targets in self._task.splits[split].split(self._batch_size):
            reached = neighbourhood(self._graph.pattern, targets, [None] * self._hops)
            yield _placed_portion(self._cut(reached), self._device)

    def _cut(self, drawn: Drawn) -> Portion:
        batch, y = induced(self._graph, drawn.nodes), self._task.y[drawn.nodes[drawn.rows]]
        return Portion(batch, drawn.rows, y, fixed=False)


@final
class MiniBatches(Feed):
    """Graph level: packed batches of graphs."""

    def __init__(self, task: GraphTask, store: GraphStore, batch_size: int) -> None:
        super().__init__(task, store)
        self.batch_size = batch_size

    def calibration(self) -> GraphBatch:
        return self.store.batch(self.task.splits["train"])

    def start(self) -> GraphBatch:
        return self._sample(START_NODES)

    def shown(self) -> GraphBatch:
        return self._sample(SHOWN_NODES)

    def _sample(self, most: int) -> GraphBatch:
        """Pack the training graphs; every so many of them where they have more nodes than a few."""
        graphs = self.task.splits["train"]
        nodes = int(self.store.node_ptr.diff()[graphs].sum())
        return self.store.batch(graphs[:: -(-nodes // most)])

    def train(self, epoch: int) -> Iterator[Portion]:
        graphs = self.task.splits["train"]
        order = torch.randperm(graphs.numel(), generator=stream_generator(epoch, f"batches/{self.task.name}"))
        for chosen in graphs[order.to(graphs.device)].split(self.batch_size):
            yield Portion(self.store.batch(chosen), None, self.task.y[chosen], fixed=False)

    def held_out(self, split: Split) -> Iterator[Portion]:
        yield from _chosen_graphs(self.task, self.store, split)


def make_feed(task: GraphTask, plan: Blueprint, where: torch.device | None = None) -> Feed:
    """Return the feed of a task for an architecture; the prepared graphs are kept for the next trial."""
    conv = plan.conv
    traits = conv.self_loops, conv.normalized, conv.relational
    there = _prepared(task, *traits, where or device())
    if task.level == "graph":
        return MiniBatches(*there, plan.trial.task.batch_size)
    if plan.sampling is Sampling.WHOLE:
        return WholeGraph(*there)
    here = _prepared(task, *traits, torch.device("cpu"))
    return SampledGraph(here, there, plan)


def _sampler(task: GraphTask, store: GraphStore, plan: Blueprint) -> Sampler:
    config, hops = plan.trial.task, range(plan.trial.model.layers)
    if plan.sampling is Sampling.CLUSTERS:
        return Clusters(task, config.parts, config.joined)
    fan_outs = [config.fan_outs[min(hop, len(config.fan_outs) - 1)] for hop in hops]
    return Neighbours(task, store.whole.pattern, config.batch_size, fan_outs)


def _placed_portion(portion: Portion, where: torch.device) -> Portion:
    batch, rows, y = placed((portion.batch, portion.rows, portion.y), where)
    return Portion(batch, rows, y, portion.fixed)


@lru_cache(maxsize=8)
def _chosen_rows(task: GraphTask, store: GraphStore, split: Split) -> Portion:
    """Return the whole graph with the rows of a split; kept for the next trial."""
    rows = task.splits[split]
    return Portion(store.whole, rows, task.y[rows], fixed=True)


@lru_cache(maxsize=4)
def _chosen_graphs(task: GraphTask, store: GraphStore, split: Split) -> tuple[Portion, ...]:
    """Return the graphs of a held-out split, packed; kept for the next trial."""
    chunks = task.splits[split].split(EVAL_BATCH)
    return tuple(Portion(store.batch(chunk), None, task.y[chunk], fixed=True) for chunk in chunks)


@lru_cache(maxsize=4)
def _prepared(
    task: GraphTask, self_loops: bool, normalized: bool, relational: bool, where: torch.device
) -> tuple[GraphTask, GraphStore]:
    """Return a task and its graphs on a device; prepared on the CPU, so that they are the same on each."""
    return placed((task, build_store(task, self_loops=self_loops, normalized=normalized, relational=relational)), where)
