"""Degree-Quant's stochastic protection: which nodes stay in full precision at a training step.

Nodes of high in-degree gather the most quantization error, so they are protected more often:
``p_i = p_min + (p_max - p_min) F(d_i)``, F the empirical distribution of in-degrees within the graph
(nodes of equal degree share p), ``m_i ~ Bernoulli(p_i)``, one draw a training step for all layers.

Source: Degree-Quant (Tailor et al. 2021), section 3.2 and algorithm 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from lorap_bench.kernels.members import MemberModule
from lorap_bench.kernels.random import counter_uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import QuantConfig
    from lorap_bench.kernels.random import Draws

__all__ = ["Protection"]


@final
class Protection(MemberModule):
    """Draws the mask; see the module's text for the formula."""

    def __init__(self, configs: Sequence[QuantConfig]) -> None:
        super().__init__(len(configs))
        self.register_buffer("lowest", torch.tensor([[config.p_min] for config in configs]))
        self.register_buffer("spread", torch.tensor([[config.p_max - config.p_min] for config in configs]))

    def forward(self, ranks: Tensor, draws: Draws) -> Tensor:
        """Return which nodes are protected: F(d) ``[N]`` → ``[S, N]`` bool."""
        chance = self.get_buffer("lowest") + self.get_buffer("spread") * ranks
        return counter_uniform(draws.keys("quant.protection").to(ranks.device), ranks.numel()) < chance
