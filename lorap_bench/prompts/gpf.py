"""Graph prompt features at the model's input: GPF and GPF-plus.

Source: Fang et al. 2023, "Universal Prompt Tuning for Graph Neural Networks", equations 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch

from lorap_bench.kernels.members import Group, glorot, zeros
from lorap_bench.kernels.prompted import Prompted
from lorap_bench.prompts.prompt import NodePrompt, Prompt, PromptCost

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.kernels.features import Features

__all__ = ["GPF", "GPFPlus", "MixedPrompt", "SharedPrompt", "mixed_cost"]


@final
class SharedPrompt(NodePrompt):
    """One vector for every node: ``x~_i = x_i + p``, p ``[S, 1, F]``."""

    def __init__(self, members: int, width: int) -> None:
        super().__init__(members)
        self.declare("vector", (1, width), glorot, Group.PROMPT)

    def forward(self, features: Features) -> Tensor:
        return features.dense() + self.get_parameter("vector")

    def mixture(self, features: Features) -> Prompted:
        vector = self.get_parameter("vector")
        return Prompted(features, vector.new_ones(self.members, features.rows, 1), vector)


@final
class MixedPrompt(NodePrompt):
    """A mixture for each node: ``x~_i = x_i + Σ_j a_ij p_j``, ``a_i = softmax_j(x_i A + c)``, j = 1 … k."""

    def __init__(self, members: int, width: int, count: int) -> None:
        super().__init__(members)
        self.declare("scorer", (width, count), glorot, Group.PROMPT)
        self.declare("bias", (1, count), zeros, Group.PROMPT)
        self.declare("basis", (count, width), glorot, Group.PROMPT)

    def forward(self, features: Features) -> Tensor:
        return self.mixture(features).dense()

    def mixture(self, features: Features) -> Prompted:
        scores = features.linear(self.get_parameter("scorer")) + self.get_parameter("bias")
        return Prompted(features, torch.softmax(scores, dim=2), self.get_parameter("basis"))


def mixed_cost(nodes: float, width: int, count: int) -> PromptCost:
    """Return the cost of ``MixedPrompt``: 2Fk + k parameters; N (2Fk + 3k + F) operations."""
    return PromptCost(
        parameters=2 * width * count + count,
        operations=nodes * (2 * width * count + 3 * count + width),
    )


@final
@dataclass(frozen=True, slots=True)
class GPF(Prompt):
    """One learned vector added to every node's input features."""

    def node(self, width: int) -> NodePrompt:
        return SharedPrompt(len(self.configs), width)

    def node_cost(self, nodes: float, width: int) -> PromptCost:
        return PromptCost(parameters=width, operations=nodes * width)

    def aggregate_cost(self, nodes: float, width: int) -> None:
        return None


@final
@dataclass(frozen=True, slots=True)
class GPFPlus(Prompt):
    """``node_count`` learned vectors, mixed for each node by its input features."""

    def node(self, width: int) -> NodePrompt:
        return MixedPrompt(len(self.configs), width, self.config.node_count)

    def node_cost(self, nodes: float, width: int) -> PromptCost:
        return mixed_cost(nodes, width, self.config.node_count)

    def aggregate_cost(self, nodes: float, width: int) -> None:
        return None
