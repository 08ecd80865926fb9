"""Readouts: one row a graph from the rows of its nodes. A graph without nodes gets zeros."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import torch

from lorap_bench.kernels.backend import kernels

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from lorap_bench.kernels.csr import Csr
    from lorap_bench.models.graph import GraphBatch

__all__ = ["READOUTS", "largest", "mean", "total"]


def total(x: Tensor, graph: GraphBatch) -> Tensor:
    """Sum the rows of each graph: ``[S, N, d]`` → ``[S, G, d]``."""
    return kernels().propagate(graph.pool, None, x)


def mean(x: Tensor, graph: GraphBatch) -> Tensor:
    """Average the rows of each graph: ``[S, N, d]`` → ``[S, G, d]``."""
    return total(x, graph) / graph.sizes.clamp(min=1)


def largest(x: Tensor, graph: GraphBatch) -> Tensor:
    """Take each column's largest value in each graph: ``[S, N, d]`` → ``[S, G, d]``.

    Gradient: nodes that hold the same largest value share it evenly, so it does not depend on their order.
    """
    return cast("Tensor", _Largest.apply(graph.pool, x))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


READOUTS: dict[str, Callable[[Tensor, GraphBatch], Tensor]] = {"mean": mean, "sum": total, "max": largest}


class _Largest(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pool: Csr, x: Tensor) -> Tensor:
        floor = x.new_full((x.shape[0], pool.shape[0], x.shape[2]), -math.inf)
        peak = floor.scatter_reduce(1, pool.row.view(1, -1, 1).expand_as(x), x, "amax")
        ctx.pool = pool
        ctx.save_for_backward(x, peak)
        return peak.masked_fill((pool.rowptr.diff() == 0).unsqueeze(1), 0.0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        pool: Csr = ctx.pool
        x, peak = ctx.saved_tensors
        winners = (x == peak.index_select(1, pool.row)).to(x.dtype)
        share = gradient / kernels().propagate(pool, None, winners)
        return None, winners * share.index_select(1, pool.row)
