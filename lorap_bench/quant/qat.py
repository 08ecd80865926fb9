"""Plain quantization-aware training: affine fake quantization at every site, straight-through rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from lorap_bench.cost.ledger import FULL_PRECISION
from lorap_bench.quant.affine import ActivationQuantizer, WeightQuantizer
from lorap_bench.quant.allocation import allocate
from lorap_bench.quant.quantizer import Identity, Quantizer, is_weight
from lorap_bench.quant.scheme import Scheme

if TYPE_CHECKING:
    from lorap_bench.config import QuantConfig
    from lorap_bench.cost.site import Site

__all__ = ["QAT"]


@final
@dataclass(frozen=True, slots=True)
class QAT(Scheme):
    """Quantize weights by their present range and activations by an observed one.

    Source: Jacob et al. 2018; the QAT baseline of Degree-Quant (Tailor et al. 2021), section 3.
    """

    def widths(self, config: QuantConfig) -> dict[str, int]:
        return dict(allocate(self.sites, config))

    def quantizer(self, site: Site) -> Quantizer:
        widths = [self.widths(config)[site.name] for config in self.configs]
        if all(width == FULL_PRECISION for width in widths):
            return Identity(len(widths))
        kind = WeightQuantizer if is_weight(site) else ActivationQuantizer
        return kind(widths, self.configs)
