"""What a member takes in training, estimated from shapes, and how many members fit the free memory.

The estimate errs upwards: it is compared with measured peaks in the tests. Only half of the free memory
is given to a cohort, for allocators keep pieces and other programs grow.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from lorap_bench.kernels.allocator import give_back
from lorap_bench.kernels.device import device
from lorap_bench.kernels.features import is_sparse
from lorap_bench.models.footprint import constant_bytes, passed_bytes, trained_bytes
from lorap_bench.models.sampling import Sampling, batch_share, passes_whole
from lorap_bench.train.feed import EVAL_BATCH, SHOWN_NODES, START_NODES
from lorap_bench.train.free_memory import free_bytes

if TYPE_CHECKING:
    from lorap_bench.data.task import GraphTask
    from lorap_bench.models.blueprint import Blueprint

__all__ = ["SHARERS_VARIABLE", "fits", "member_bytes"]

SHARERS_VARIABLE = "LORAP_BENCH_SHARERS"
"""How many processes share the memory of the device; an executor that starts several says so here."""

_SAFETY = 0.5
_WHERE_UNKNOWN = 64


def member_bytes(plan: Blueprint, task: GraphTask) -> int:
    """Return the bytes that one more member takes while a cohort trains.

    Formula: the largest of a training step on one batch and of passes without gradients (``trained_bytes``,
    ``passed_bytes``): one over the graph, or the training graphs that are shown, that remembers every layer, one over
    those that quantizers start from, or are evaluated at once, that does not. Where a large graph is fed in batches,
    the pass remembers no layer and is over the whole graph if it may be, and the step also keeps the constants of that
    pass.
    """
    stored = _stored(task)
    if plan.sampling is Sampling.WHOLE:
        batch, started, shown = _passes(plan, task)
        return max(
            trained_bytes(plan, inferences=batch, stored=stored),
            passed_bytes(plan, inferences=started, stored=stored, kept=False),
            passed_bytes(plan, inferences=shown, stored=stored),
        )
    trained = trained_bytes(plan, inferences=batch_share(plan), stored=stored)
    if not passes_whole(plan):
        return trained
    return max(trained + constant_bytes(plan, stored=stored), passed_bytes(plan, stored=stored, kept=False))


def fits(plan: Blueprint, task: GraphTask) -> int:
    """Return how many members at most may train at once on the device in use; at least 1.

    Formula: half of this process's share of the free memory, over the bytes of a member; 64 where the
    system does not tell what is free.
    """
    give_back()
    free = free_bytes(device())
    if free is None:
        return _WHERE_UNKNOWN
    sharers = int(os.environ.get(SHARERS_VARIABLE) or 1)
    return max(1, int(_SAFETY * free / sharers / member_bytes(plan, task)))


def _passes(plan: Blueprint, task: GraphTask) -> tuple[float, float, float]:
    """Return how many inferences a training batch, a pass to start from or to evaluate, and one that is shown are."""
    if task.level == "node":
        return 1, 1, 1
    graphs, nodes = task.splits["train"].numel(), max(1.0, plan.shape.nodes)
    most = plan.trial.task.batch_size, max(EVAL_BATCH, START_NODES / nodes), SHOWN_NODES / nodes
    batch, started, shown = (min(graphs, each) for each in most)
    return batch, started, shown


@lru_cache(maxsize=8)
def _stored(task: GraphTask) -> float:
    """Return the share of the raw features that is stored."""
    if task.level == "graph" or not is_sparse(task.x):
        return 1.0
    return int(torch.count_nonzero(task.x)) / task.x.numel()
