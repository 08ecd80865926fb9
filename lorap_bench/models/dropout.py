"""Dropout whose draws are a function of (member's seed, place, step): no generator, no order of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.members import MemberModule
from lorap_bench.kernels.random import Draws, drop_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["Dropout"]


@final
class Dropout(MemberModule):
    """Inverted dropout at one place of the model, after a ReLU if asked."""

    def __init__(self, stream: str, rates: Sequence[float], draws: Draws, *, relu: bool) -> None:
        super().__init__(len(rates))
        self.stream = stream
        self.draws = draws
        self.relu = relu
        self.register_buffer("threshold", drop_threshold(rates))
        self.idle = all(rate == 0 for rate in rates)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[S, …]`` with (negative and) dropped entries zero, the rest scaled in training."""
        if not self.training or self.idle:
            return x.relu() if self.relu else x
        keys = self.draws.keys(self.stream).to(x.device)
        return kernels().drop(x, self.get_buffer("threshold"), keys, relu=self.relu)
