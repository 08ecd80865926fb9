"""Losses and metrics per member; pure."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812  # the name torch users know
from torch import Tensor

__all__ = ["correct", "cross_entropy"]


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
