"""A²Q: each node learns its own step and bit width, under a price on memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch
from torch import Tensor

from lorap_bench.cost.ledger import FULL_PRECISION
from lorap_bench.errors import Fault
from lorap_bench.kernels.members import Group
from lorap_bench.quant.allocation import allocate
from lorap_bench.quant.learned_step import ColumnQuantizer, GroupQuantizer, RowQuantizer, Start
from lorap_bench.quant.quantizer import Identity, Quantizer, is_weight
from lorap_bench.quant.scheme import ALLOCATION, Penalty, Scheme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import QuantConfig
    from lorap_bench.cost.site import Site
    from lorap_bench.quant.context import Context

__all__ = ["A2Q", "MemoryPenalty"]

# |N(mean, std)| of the reference code: weights, everything else. The first pair is its GCN's and GAT's on one
# graph, whose layers sum what a linear map made; the second its GIN's and that of graph-level tasks.
_STARTS = ((0.1, 0.2), (0.01, 0.01))
_WIDE_STARTS = ((0.01, 0.1), (0.01, 0.1))


@final
@dataclass(frozen=True, slots=True)
class A2Q(Scheme):
    """Per-node step and width for the inputs of linear maps; a learned step a column for the rest.

    * Inputs of linear maps (and GAT's propagated features): step and width a node, starting at the
      allocation's width. On graphs never seen before, ``groups`` pairs of which each node takes the nearest.
    * Weights: a step an output column, at the allocation's width. Tensors that are summed over neighbours:
      a step a column; attention: a step a head.
    * Raw inputs whose rows hold zeros and one other value need 1 bit and stay as they are.
    * Everything else stays in full precision, or with ``sites = "all"`` has a step a column.

    Node level: steps and widths of activations follow the local gradient, the error of their own tensor.
    Graph level: the gradient of the task. Loss: ``memory_weight · max(0, M - memory_target)²``, M in KB.

    Source: A²Q (Zhu et al. 2023), section 3.
    """

    learns_bits: ClassVar[bool] = True
    reads: ClassVar[frozenset[str]] = ALLOCATION | {
        "sites",
        "step_init",
        "memory_target",
        "memory_weight",
        "groups",
        "lr_bits",
        "lr_weight_step",
        "lr_feature_step",
        "lr_row_step",
    }

    def widths(self, config: QuantConfig) -> dict[str, int]:
        allocated = allocate(self.sites, config)
        widths = {}
        for site in self.sites:
            if site.two_valued:
                widths[site.name] = 1
            elif site.quantized and (config.sites == "all" or _published(site)):
                widths[site.name] = allocated[site.name]
        return widths

    def quantizer(self, site: Site, context: Context) -> Quantizer:
        widths = [self.widths(config).get(site.name, FULL_PRECISION) for config in self.configs]
        if site.two_valued or all(width == FULL_PRECISION for width in widths):
            return Identity(len(widths))
        local = self.level == "node"
        if site.feeds_linear or (site.propagates and self._heads(site) is not None):
            if self.level == "graph":
                return GroupQuantizer(widths, site, context, self._start(site), groups=self.configs[0].groups)
            return RowQuantizer(widths, site, context, self._start(site), local=local)
        weight = is_weight(site)
        return ColumnQuantizer(
            widths,
            site,
            context,
            self._start(site),
            steps=(self._heads(site) if site.component == "attention" else None) or site.columns,
            group=Group.WEIGHT_STEP if weight else Group.FEATURE_STEP,
            local=local and not weight,
        )

    def faults(self, config: QuantConfig) -> list[Fault]:
        if self.level == "node" or config.groups > 0:
            return []
        message = "A2Q meets unseen graphs at this task and needs groups for its nearest-neighbour strategy"
        return [Fault(path="quant.groups", message=message, got=config.groups, allowed="1 or more")]

    def penalty(self) -> Penalty:
        return MemoryPenalty(self.configs)

    def _heads(self, site: Site) -> int | None:
        """Return the number of attention heads of a site's layer, if it has attention."""
        logits = (other for other in self.sites if other.layer == site.layer and other.component == "logits")
        return next((other.columns for other in logits), None)

    def _start(self, site: Site) -> Start:
        mapped_first = all(other.leaves_linear for other in self.sites if other.propagates)
        weights, others = _STARTS if self.level == "node" and mapped_first else _WIDE_STARTS
        return Start(*(weights if is_weight(site) else others), self.configs[0].step_init == "calibrated")


def _published(site: Site) -> bool:
    return is_weight(site) or site.feeds_linear or site.propagates or site.component == "logits"


@final
class MemoryPenalty(Penalty):
    """``λ max(0, M - M_target)²``, M the KB of one inference's tensors of learned width."""

    def __init__(self, configs: Sequence[QuantConfig]) -> None:
        super().__init__(len(configs))
        self.register_buffer("weight", torch.tensor([config.memory_weight for config in configs]))
        self.register_buffer("target", torch.tensor([config.memory_target for config in configs]))

    def forward(self, kilobytes: Tensor) -> Tensor:
        return self.get_buffer("weight") * (kilobytes - self.get_buffer("target")).clamp(min=0).square()
