"""Losses and metrics per member; pure."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F  # noqa: N812  # the name torch users know
from torch import Tensor

from lorap_bench.metric import Metric

__all__ = ["LOSSES", "SCORES", "absolute_error", "correct", "cross_entropy", "mean_score"]


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Return each member's summed cross-entropy.

    Formula: ``-Σ_i log softmax(z_i)[y_i]``.

    Shape: logits ``[S, n, C]``, y ``[n]`` → ``[S]``.
    """
    chosen = F.log_softmax(logits, dim=2).gather(2, y.view(1, -1, 1).expand(logits.shape[0], -1, 1))
    return -chosen.flatten(1).sum(1)


def correct(logits: Tensor, y: Tensor) -> Tensor:
    """Return each member's number of right classes: logits ``[S, n, C]``, y ``[n]`` → ``[S]`` int64."""
    return (logits.argmax(2) == y).sum(1)


def absolute_error(outputs: Tensor, y: Tensor) -> Tensor:
    """Return each member's summed absolute error.

    Formula: ``Σ_i |z_i - y_i|``.

    Shape: outputs ``[S, n, 1]``, y ``[n]`` → ``[S]``.
    """
    return (outputs.squeeze(2) - y).abs().sum(1)


Summed = Callable[[Tensor, Tensor], Tensor]
LOSSES: dict[Metric, Summed] = {Metric.ACCURACY: cross_entropy, Metric.MAE: absolute_error}
"""What is minimised, summed over a batch, where a task is scored by a metric."""
SCORES: dict[Metric, Summed] = {Metric.ACCURACY: correct, Metric.MAE: absolute_error}
"""What a metric sums up over a batch; divided by the number of rows it is the metric."""


def mean_score(metric: Metric, outputs: Tensor, y: Tensor, at_once: int) -> float:
    """Return one member's metric, summed ``at_once`` rows at a time: the bits are those of evaluation by such batches.

    Shape: outputs ``[n, C]``, y ``[n]``.
    """
    parts = zip(outputs.unsqueeze(0).split(at_once, 1), y.split(at_once), strict=True)
    total = sum(SCORES[metric](rows, wanted) for rows, wanted in parts)
    return float(total / y.numel())
