"""What a cohort is fed: the whole graph at node level, shuffled mini-batches at graph level.

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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.data.task import GraphTask, Split
    from lorap_bench.models.blueprint import Blueprint

__all__ = ["Feed", "Portion", "make_feed"]

_EVAL_BATCH = 1024


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
class MiniBatches(Feed):
    """Graph level: packed batches of graphs."""

    def __init__(self, task: GraphTask, store: GraphStore, batch_size: int) -> None:
        super().__init__(task, store)
        self.batch_size = batch_size

    def calibration(self) -> GraphBatch:
        return self.store.batch(self.task.splits["train"])

    def train(self, epoch: int) -> Iterator[Portion]:
        graphs = self.task.splits["train"]
        order = torch.randperm(graphs.numel(), generator=stream_generator(epoch, f"batches/{self.task.name}"))
        for chosen in graphs[order.to(graphs.device)].split(self.batch_size):
            yield Portion(self.store.batch(chosen), None, self.task.y[chosen], fixed=False)

    def held_out(self, split: Split) -> Iterator[Portion]:
        yield from _chosen_graphs(self.task, self.store, split)


def make_feed(task: GraphTask, plan: Blueprint, where: torch.device | None = None) -> Feed:
    """Return the feed of a task for an architecture; the prepared graphs are kept for the next trial."""
    task, store = _prepared(task, plan.conv.self_loops, plan.conv.normalized, where or device())
    if task.level == "node":
        return WholeGraph(task, store)
    return MiniBatches(task, store, plan.trial.task.batch_size)


@lru_cache(maxsize=8)
def _chosen_rows(task: GraphTask, store: GraphStore, split: Split) -> Portion:
    """Return the whole graph with the rows of a split; kept for the next trial."""
    rows = task.splits[split]
    return Portion(store.whole, rows, task.y[rows], fixed=True)


@lru_cache(maxsize=4)
def _chosen_graphs(task: GraphTask, store: GraphStore, split: Split) -> tuple[Portion, ...]:
    """Return the graphs of a held-out split, packed; kept for the next trial."""
    chunks = task.splits[split].split(_EVAL_BATCH)
    return tuple(Portion(store.batch(chunk), None, task.y[chunk], fixed=True) for chunk in chunks)


@lru_cache(maxsize=4)
def _prepared(task: GraphTask, self_loops: bool, normalized: bool, where: torch.device) -> tuple[GraphTask, GraphStore]:
    """Return a task and its graphs on a device; prepared on the CPU, so that they are the same on each."""
    return placed((task, build_store(task, self_loops=self_loops, normalized=normalized)), where)
