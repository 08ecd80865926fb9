"""Low-rank aggregation prompts: a small, input-dependent addition to every aggregated feature.

Two readings of the paper, one switch (``prompt.factorize``):

* factorized (B): ``S~_i = S_i + g((S_i D) E / τ + c) U V``, D ``[d, r]``, E ``[r, k]``, U ``[k, r]``,
  V ``[r, d]``: k prompts mixed inside a space of rank r;
* full scorer (A): ``S~_i = S_i + g(S_i W / τ + c) V``, W ``[d, k]``, V ``[k, d]``: k basis vectors.

g is softmax over the k prompts, the identity, or the sigmoid. V starts at zero, so training begins
as the unprompted model. The rank is at most the number of prompts and the layer's width.

Source: LoRAP (Liu, Li & Rossi, arXiv 2601.15079), whose abstract fixes "input-dependent, low-rank,
injected into each aggregated feature"; the formulas are our reading of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.interface import Gate, Injection
from lorap_bench.kernels.members import Group, glorot, zeros
from lorap_bench.prompts.gpf import MixedPrompt, mixed_cost
from lorap_bench.prompts.prompt import AggregatePrompt, NodePrompt, Prompt, PromptCost

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.config import PromptConfig
    from lorap_bench.kernels.interface import KnownRange

__all__ = ["GPFLoRAP", "LoRAP", "LowRankPrompt"]


@final
class LowRankPrompt(AggregatePrompt):
    """The aggregate part of LoRAP at one layer of width d."""

    def __init__(self, configs: tuple[PromptConfig, ...], width: int, rank: int) -> None:
        super().__init__(len(configs))
        first = configs[0]
        self.gate = Gate(first.gate)
        self.register_buffer("temperature", torch.tensor([config.temperature for config in configs]).view(-1, 1, 1))
        self.declare("bias", (first.count, 1), zeros, Group.PROMPT)
        self.factorized = first.factorize
        if first.factorize:
            self.declare("down", (width, rank), glorot, Group.PROMPT)
            self.declare("score", (rank, first.count), glorot, Group.PROMPT)
            self.declare("mix", (first.count, rank), glorot, Group.PROMPT)
            self.declare("basis", (rank, width), zeros, Group.PROMPT)
        else:
            self.declare("score", (width, first.count), glorot, Group.PROMPT)
            self.declare("basis", (first.count, width), zeros, Group.PROMPT)

    def forward(self, x: Tensor) -> Tensor:
        return kernels().inject(x, self._injection())

    def quantized(self, x: Tensor, then: KnownRange) -> Tensor:
        return kernels().inject(x, self._injection(), then)

    def _injection(self) -> Injection:
        score, basis = ["score"], ["basis"]
        if self.factorized:
            score, basis = ["down", "score"], ["mix", "basis"]
        return Injection(
            score=tuple(map(self.get_parameter, score)),
            basis=tuple(map(self.get_parameter, basis)),
            bias=self.get_parameter("bias"),
            temperature=self.get_buffer("temperature"),
            gate=self.gate,
        )


def _aggregate_rank(config: PromptConfig, width: int) -> int:
    wanted = config.rank if config.factorize else config.count
    return min(wanted, config.count, width)


def _aggregate_cost(config: PromptConfig, nodes: float, width: int) -> PromptCost:
    """Count N (2dr + 2rk) multiply-accumulates factorized, N 2dk with a full scorer, plus gate and addition."""
    count, rank = config.count, _aggregate_rank(config, width)
    core = 2 * width * rank + 2 * rank * count if config.factorize else 2 * width * count
    return PromptCost(parameters=core + count, operations=nodes * (core + 3 * count + width))


@final
@dataclass(frozen=True, slots=True)
class LoRAP(Prompt):
    """Low-rank prompts on every layer's aggregate."""

    def aggregate(self, width: int) -> AggregatePrompt:
        return LowRankPrompt(self.configs, width, self.rank(width))

    def rank(self, width: int) -> int:
        return _aggregate_rank(self.config, width)

    def node_cost(self, nodes: float, width: int) -> None:
        return None

    def aggregate_cost(self, nodes: float, width: int) -> PromptCost:
        return _aggregate_cost(self.config, nodes, width)


@final
@dataclass(frozen=True, slots=True)
class GPFLoRAP(Prompt):
    """GPF-plus at the input together with LoRAP on every layer's aggregate."""

    def node(self, width: int) -> NodePrompt:
        return MixedPrompt(len(self.configs), width, self.config.node_count)

    def aggregate(self, width: int) -> AggregatePrompt:
        return LowRankPrompt(self.configs, width, self.rank(width))

    def rank(self, width: int) -> int:
        return _aggregate_rank(self.config, width)

    def node_cost(self, nodes: float, width: int) -> PromptCost:
        return mixed_cost(nodes, width, self.config.node_count)

    def aggregate_cost(self, nodes: float, width: int) -> PromptCost:
        return _aggregate_cost(self.config, nodes, width)
