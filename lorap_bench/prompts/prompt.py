"""The contract of a prompt: what it adds at the model's input and at every layer's aggregate.

A prompt is built for a cohort from one configuration a member. It knows no quantizer and no graph
operator: the model calls it at its hook points and decides what happens before and after.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorap_bench.cost.site import Operation, Role, Site
from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.members import MemberModule

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.config import PromptConfig
    from lorap_bench.kernels.features import Features
    from lorap_bench.kernels.interface import KnownRange
    from lorap_bench.kernels.prompted import Prompted

__all__ = ["AggregatePrompt", "NodePrompt", "Prompt", "PromptCost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptCost:
    """Parameters and operations of one prompt module over ``nodes`` rows."""

    parameters: float
    operations: float

    def site(self, layer: str) -> Site:
        """Return the parameters as an entry of the ledger."""
        return Site(
            name=f"{layer}.prompt",
            layer=layer,
            component="prompt",
            role=Role.PROMPT,
            elements=self.parameters,
            quantized=False,
        )

    def operation(self, layer: str) -> Operation:
        """Return the arithmetic as an entry of the ledger: 32 bits, counted as overhead."""
        return Operation(name=f"{layer}.prompt", count=self.operations, prompt=True)


class NodePrompt(MemberModule):
    """Adds to the raw node features, once, before the first layer."""

    @abstractmethod
    def forward(self, features: Features) -> Tensor:
        """Return the prompted features: ``[N, F]`` shared → ``[S, N, F]``."""

    def mixture(self, features: Features) -> Prompted | None:
        """Return the same as a mixture of vectors, not yet computed; None where it is none."""
        return None


class AggregatePrompt(MemberModule):
    """Adds to a layer's aggregated features, before the update."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return the prompted aggregate: ``[S, N, d]`` → ``[S, N, d]``."""

    def quantized(self, x: Tensor, then: KnownRange) -> Tensor:
        """Return the prompted aggregate as a quantizer of known range leaves it: ``[S, N, d]`` → ``[S, N, d]``."""
        return kernels().fake_quantize(self(x), then.limits, then.codes, clipped=then.clipped)


@dataclass(frozen=True, slots=True)
class Prompt(ABC):
    """A kind of prompt for a cohort; members agree in everything that shapes a tensor."""

    configs: tuple[PromptConfig, ...]

    @property
    def config(self) -> PromptConfig:
        """The first member's configuration, for what all share."""
        return self.configs[0]

    def node(self, width: int) -> NodePrompt | None:
        """Build the part at the model's input of ``width`` features, if this kind has one."""
        return None

    def aggregate(self, width: int) -> AggregatePrompt | None:
        """Build the part at an aggregate of ``width`` features, if this kind has one."""
        return None

    def rank(self, width: int) -> int:
        """Return the rank of the aggregate part at this width; 0 where there is none."""
        return 0

    @abstractmethod
    def node_cost(self, nodes: float, width: int) -> PromptCost | None:
        """Return the cost of the input part, if there is one."""

    @abstractmethod
    def aggregate_cost(self, nodes: float, width: int) -> PromptCost | None:
        """Return the cost of the aggregate part, if there is one."""
