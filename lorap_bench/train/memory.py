"""What a member takes in training, estimated from shapes, and how many members fit the free memory.

The estimate errs upwards: it is compared with measured peaks in the tests. Only half of the free memory
is given to a cohort, for allocators keep pieces and other programs grow.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from lorap_bench.cost.site import Role
from lorap_bench.kernels.device import device
from lorap_bench.kernels.features import is_sparse
from lorap_bench.train.free_memory import free_bytes

if TYPE_CHECKING:
    from lorap_bench.data.task import GraphTask
    from lorap_bench.models.blueprint import Blueprint

__all__ = ["SHARERS_VARIABLE", "fits", "member_bytes"]

SHARERS_VARIABLE = "LORAP_BENCH_SHARERS"
"""How many processes share the memory of the device; an executor that starts several says so here."""

_SAFETY = 0.5
_WHERE_UNKNOWN = 64
_FLOAT = 4
# Copies of one tensor that live at once, measured: kept for backward, its gradient, what is under way.
_PLAIN, _QUANTIZED, _A_CANDIDATE = 4, 6, 5
_UNTRAINED = 3  # without a backward pass
_OPTIMIZER = 8  # value, gradient as pieces and as one, two moments, best state, two in Adam's arithmetic


def member_bytes(plan: Blueprint, task: GraphTask) -> int:
    """Return the bytes that one more member takes while a cohort trains.

    Formula: ``4 (c A + (8 + c) P + 3 K)`` with A the elements of the activations of one batch, P those of the
    parameters, K those of the constants that each member quantizes for itself; c = 4 copies of each
    activation in full precision, 6 where it is quantized, 5 a candidate width where widths are mixed. At
    graph level it is ``4 (3 A' + (8 + c) P + 3 K')`` if that is more, A' and K' those of all training graphs.
    """
    batch, whole = _passes(plan, task)
    copies = _copies(plan)
    activations, parameters, constants = _elements(plan, task)
    trained = copies * activations * batch + 3 * constants * batch
    calibrated = _UNTRAINED * activations * whole + 3 * constants * whole
    return round(_FLOAT * (max(trained, calibrated) + (_OPTIMIZER + copies) * parameters))


def fits(plan: Blueprint, task: GraphTask) -> int:
    """Return how many members at most may train at once on the device in use; at least 1.

    Formula: half of this process's share of the free memory, over the bytes of a member; 64 where the
    system does not tell what is free.
    """
    free = free_bytes(device())
    if free is None:
        return _WHERE_UNKNOWN
    sharers = int(os.environ.get(SHARERS_VARIABLE) or 1)
    return max(1, int(_SAFETY * free / sharers / member_bytes(plan, task)))


def _copies(plan: Blueprint) -> int:
    if not plan.scheme.quantizes:
        return _PLAIN
    mixes = "candidates" in plan.scheme.reads
    return _A_CANDIDATE * len(plan.trial.quant.candidates) if mixes else _QUANTIZED


def _passes(plan: Blueprint, task: GraphTask) -> tuple[int, int]:
    """Return how many inferences one training batch and one pass over the training graphs are."""
    if task.level == "node":
        return 1, 1
    graphs = task.splits["train"].numel()
    return min(graphs, plan.trial.task.batch_size), graphs


def _elements(plan: Blueprint, task: GraphTask) -> tuple[float, float, float]:
    """Return the elements of activations, parameters and constants of one inference."""
    sums = dict.fromkeys(Role, 0.0)
    for site in plan.ledger.sites:
        dense = site.role is Role.CONSTANT and site.component == "input"
        sums[site.role] += _stored(task) * site.elements if dense else site.elements
    rows = _row_parameters(plan)
    return sums[Role.ACTIVATION], sums[Role.WEIGHT] + sums[Role.PROMPT] + rows, sums[Role.CONSTANT]


@lru_cache(maxsize=8)
def _stored(task: GraphTask) -> float:
    """Return the share of the raw features that is stored."""
    if task.level == "graph" or not is_sparse(task.x):
        return 1.0
    return int(torch.count_nonzero(task.x)) / task.x.numel()


def _row_parameters(plan: Blueprint) -> float:
    """Return the parameters of a scheme that learns a step and a width for each row of an activation."""
    if "groups" not in plan.scheme.reads:
        return 0.0
    return 2 * sum((site.elements / site.columns for site in plan.ledger.sites if site.role is Role.ACTIVATION), 0.0)
