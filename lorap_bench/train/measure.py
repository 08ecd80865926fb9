"""What a trained model shows of its quantization: the widths it learned, the error of its aggregations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorap_bench.quant.context import Stage

if TYPE_CHECKING:
    from lorap_bench.models.graph import GraphBatch
    from lorap_bench.models.network import Network

__all__ = ["Measured", "measure"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One member's figures.

    ``bits`` is the learned mean width of each site that learns one; ``row_bits`` the width of every node, or
    group of nodes, of the sites that have them; ``aggregation_error`` for each layer the error without and
    with its prompt, empty where full precision overflows on these weights.
    """

    bits: dict[str, float]
    row_bits: dict[str, list[float]]
    aggregation_error: list[tuple[float, float]]


@torch.no_grad()
def measure(network: Network, batch: GraphBatch) -> list[Measured]:
    """Measure every member on a batch, in evaluation.

    Formula: the aggregation error of a layer is ``‖S* - S‖ / ‖S*‖`` (Frobenius), S its aggregated features,
    S* those of the same weights in full precision without any prompt.
    """
    network.eval()
    quantized = _aggregates(network, batch, Stage.QUANTIZED)
    bits = {site: width.tolist() for site, width in network.bits().items()}
    rows = {site: width.tolist() for site, width in network.row_bits().items()}
    exact = _aggregates(network, batch, Stage.FLOAT)
    errors = [
        [_distance(target, plain).tolist(), _distance(target, prompted).tolist()]
        for (target, _), (plain, prompted) in zip(exact, quantized, strict=True)
    ]
    return [
        Measured(
            bits={site: values[s] for site, values in bits.items()},
            row_bits={site: values[s] for site, values in rows.items()},
            aggregation_error=_finite([(plain[s], prompted[s]) for plain, prompted in errors]),
        )
        for s in range(network.members)
    ]


def _aggregates(network: Network, batch: GraphBatch, stage: Stage) -> list[tuple[Tensor, Tensor]]:
    """Return each layer's aggregated features, without and with the prompt of that layer."""
    context = network.context
    before = context.stage
    context.stage, context.trace, context.bare = stage, [], stage is Stage.FLOAT
    try:
        network(network.prepare(batch))
        return context.trace
    finally:
        context.stage, context.trace, context.bare = before, None, False


def _finite(errors: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return errors if all(math.isfinite(value) for pair in errors for value in pair) else []


def _distance(target: Tensor, found: Tensor) -> Tensor:
    """Return each member's relative error: two of ``[S, N, d]`` → ``[S]``; 0 for a target that is zero."""
    scale = target.flatten(1).norm(dim=1)
    return torch.where(scale > 0, (target - found).flatten(1).norm(dim=1) / scale.clamp(min=1e-30), 0.0)
