"""The spectrum of the aggregation error: how many directions a prompt needs to undo what quantization does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorap_bench.config import PromptConfig
from lorap_bench.kernels.device import device, exactly
from lorap_bench.models.blueprint import shape_of
from lorap_bench.quant.context import Stage
from lorap_bench.train.cohort import Cohort, Member
from lorap_bench.train.feed import make_feed
from lorap_bench.train.loop import Passes

if TYPE_CHECKING:
    from lorap_bench.config import TrialConfig
    from lorap_bench.data.task import GraphTask
    from lorap_bench.models.graph import GraphBatch
    from lorap_bench.models.network import Network

__all__ = ["error_spectrum"]


def error_spectrum(task: GraphTask, config: TrialConfig, seed: int, *, epochs: int) -> list[list[float]]:
    """Return for each layer the singular values of its aggregation error, the largest first.

    The model trains ``epochs`` epochs in full precision and without a prompt; then one pass over the training data, or
    what is shown of it where it is large, gives its quantizers their ranges. The error of a layer is E = S* - S, its
    aggregated features without and with quantization. By Eckart and Young the best correction of rank r leaves
    Σ_{m>r} σ_m(E)² of it.

    Args:
        task: the task; its test split is not read.
        config: what is trained; its scheme quantizes at the widths given, which it does not learn.
        seed: of the model.
        epochs: how many.

    Shape:
        one list a layer, of as many values as its aggregated features are wide.

    Source: Eckart and Young 1936; the error as in ``train.measure``, before its norm is taken.
    """
    where = device()
    member = Member(replace(config, prompt=PromptConfig()), seed)
    with exactly(where):
        cohort = Cohort([member], shape_of(task), where)
        passes = Passes(cohort, make_feed(task, cohort.plan, where))
        passes.begin(Stage.FLOAT, 0)
        for epoch in range(epochs):
            passes.train(epoch)
        cohort.keep_best(torch.ones(1, dtype=torch.bool))
        passes.begin(Stage.QUANTIZED, epochs)
        batch = passes.feed.shown()
        _see(cohort.network, batch)
        exact, quantized = (_aggregates(cohort.network, batch, stage) for stage in (Stage.FLOAT, Stage.QUANTIZED))
        return [_singular_values(target - found) for target, found in zip(exact, quantized, strict=True)]


@torch.no_grad()
def _see(network: Network, batch: GraphBatch) -> None:
    """Give the quantizers their ranges, from features that no dropout has scaled."""
    network.train()
    for drop in network.drops:
        drop.eval()
    network(network.prepare(batch))
    network.eval()


@torch.no_grad()
def _aggregates(network: Network, batch: GraphBatch, stage: Stage) -> list[Tensor]:
    """Return each layer's aggregated features ``[N, d]``."""
    context = network.context
    before, trace = context.stage, list[tuple[Tensor, Tensor]]()
    context.stage, context.trace = stage, trace
    try:
        network(network.prepare(batch))
        return [plain[0] for plain, _ in trace]
    finally:
        context.stage, context.trace = before, None


def _singular_values(error: Tensor) -> list[float]:
    """Return the singular values, from the smaller of the two Gram matrices: the nodes are many, the columns few."""
    wide = error.double()
    squares: Tensor = torch.linalg.eigvalsh(wide.T @ wide).flip(0)
    return [float(value) for value in squares.clamp(min=0).sqrt()]
