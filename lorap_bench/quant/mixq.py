"""MixQ: the width of every tensor chosen by gradient, then trained at from a full-precision model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

import torch
from torch import Tensor

from lorap_bench.cost.ledger import FULL_PRECISION
from lorap_bench.errors import Fault
from lorap_bench.quant.allocation import allocate
from lorap_bench.quant.context import Context, Stage
from lorap_bench.quant.degree_quant import protection_faults
from lorap_bench.quant.protection import Protection
from lorap_bench.quant.quantizer import Identity, Quantizer
from lorap_bench.quant.relaxed import RelaxedQuantizer
from lorap_bench.quant.scheme import ALLOCATION, Penalty, Scheme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import QuantConfig
    from lorap_bench.cost.site import Site

__all__ = ["BitPenalty", "MixQ"]


@final
@dataclass(frozen=True, slots=True)
class MixQ(Scheme):
    """Relax each site's width over ``candidates``, keep the likeliest, train a quantized model with it.

    Stages: ``search_epochs`` of the relaxed model under ``bit_penalty · expected KB``; ``pretrain_epochs`` of
    fresh weights in full precision (0: none); ``optim.epochs`` quantized, from there. With ``protect`` the last
    stage spares nodes at random as Degree-Quant does. A site the allocation names keeps that width.

    Quantized are the first layer's input, weights, outputs of linear maps, edge weights and aggregates;
    with ``sites = "all"`` also the other layers' inputs and updates.

    Source: MixQ-GNN (Moustafa et al. 2024), sections 3 and 4.
    """

    learns_bits: ClassVar[bool] = True
    reads: ClassVar[frozenset[str]] = ALLOCATION | {
        "sites",
        "candidates",
        "bit_penalty",
        "search_epochs",
        "pretrain_epochs",
        "lr_choice",
        "lr_scale",
        "protect",
        "p_min",
        "p_max",
    }

    @classmethod
    def resolved(cls, config: QuantConfig) -> QuantConfig:
        lowest, highest = (config.p_min, config.p_max) if config.protect else (0.0, 0.0)
        return replace(config, candidates=sorted(config.candidates), p_min=lowest, p_max=highest)

    def widths(self, config: QuantConfig) -> dict[str, int]:
        return {name: max(widths) for name, widths in self._candidates(config).items()}

    def quantizer(self, site: Site, context: Context) -> Quantizer:
        members = len(self.configs)
        candidates = self._candidates(self.configs[0]).get(site.name, [FULL_PRECISION])
        if candidates == [FULL_PRECISION]:
            return Identity(members)
        return RelaxedQuantizer(candidates, members, site, context)

    def faults(self, config: QuantConfig) -> list[Fault]:
        found = protection_faults(config) if config.protect else []
        if not config.candidates or len(set(config.candidates)) < len(config.candidates):
            message = "needs one or more different widths"
            found.append(Fault(path="quant.candidates", message=message, got=config.candidates, allowed="1 to 8"))
        return found

    def stages(self, config: QuantConfig, epochs: int) -> tuple[tuple[Stage, int], ...]:
        stages = [
            (Stage.SEARCH, config.search_epochs),
            (Stage.FLOAT, config.pretrain_epochs),
            (Stage.QUANTIZED, epochs),
        ]
        return tuple((stage, count) for stage, count in stages if count)

    def protection(self) -> Protection | None:
        return Protection(self.configs) if self.configs[0].protect else None

    def penalty(self) -> Penalty:
        return BitPenalty(self.configs)

    def _candidates(self, config: QuantConfig) -> dict[str, list[int]]:
        """Return what each quantized site chooses from; a width the allocation names is the only choice."""
        allocated = allocate(self.sites, config)
        named = config.bits == FULL_PRECISION
        return {
            site.name: [allocated[site.name]] if named or _is_named(site, config) else sorted(config.candidates)
            for site in self.sites
            if site.quantized and (config.sites == "all" or _published(site))
        }


def _is_named(site: Site, config: QuantConfig) -> bool:
    return site.name in config.site_bits or site.component in config.component_bits or site.layer in config.layer_bits


def _published(site: Site) -> bool:
    if site.component == "update":
        return site.leaves_linear
    # each linear map of the head chooses three widths: input, weight, output
    return site.layer in {"0", "head"} or site.name != f"layers.{site.layer}.input" or not site.feeds_linear


@final
class BitPenalty(Penalty):
    """``λ M``, M the expected KB of one inference's quantized tensors; λ < 0 rewards more bits."""

    def __init__(self, configs: Sequence[QuantConfig]) -> None:
        super().__init__(len(configs))
        self.register_buffer("weight", torch.tensor([config.bit_penalty for config in configs]))

    def forward(self, kilobytes: Tensor) -> Tensor:
        return self.get_buffer("weight") * kilobytes
