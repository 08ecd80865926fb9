"""Batch normalization over the rows of each member, in float."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lorap_bench.kernels.members import MemberModule, ones, zeros

__all__ = ["BatchNorm"]

_MOMENTUM, _EPSILON = 0.1, 1e-5


@final
class BatchNorm(MemberModule):
    """``y = γ (x - mean) / sqrt(var + ε) + β``; statistics of the batch in training, running ones after.

    Shape: ``[S, N, d]`` → ``[S, N, d]``.

    Source: Ioffe & Szegedy 2015, algorithm 1 (running variance unbiased, momentum 0.1).
    """

    def __init__(self, members: int, width: int) -> None:
        super().__init__(members)
        self.declare("gain", (1, width), ones)
        self.declare("shift", (1, width), zeros)
        self.register_buffer("mean", torch.zeros(members, 1, width))
        self.register_buffer("variance", torch.ones(members, 1, width))

    def reset(self) -> None:
        """Forget the running statistics."""
        self.get_buffer("mean").zero_()
        self.get_buffer("variance").fill_(1)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            mean = x.mean(1, keepdim=True)
            centred = x - mean
            variance = centred.square().mean(1, keepdim=True)  # torch's var over this axis is several times slower
            with torch.no_grad():
                rows = x.shape[1]
                self.get_buffer("mean").lerp_(mean, _MOMENTUM)
                self.get_buffer("variance").lerp_(variance * (rows / max(rows - 1, 1)), _MOMENTUM)
        else:
            centred, variance = x - self.get_buffer("mean"), self.get_buffer("variance")
        return centred * torch.rsqrt(variance + _EPSILON) * self.get_parameter("gain") + self.get_parameter("shift")
