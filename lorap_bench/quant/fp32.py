"""FP32: full precision everywhere, the ladder's first rung."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from lorap_bench.cost.ledger import FULL_PRECISION
from lorap_bench.quant.allocation import allocate
from lorap_bench.quant.quantizer import Identity, Quantizer
from lorap_bench.quant.scheme import Scheme

if TYPE_CHECKING:
    from lorap_bench.config import QuantConfig
    from lorap_bench.cost.site import Site
    from lorap_bench.quant.context import Context

__all__ = ["FP32"]


@final
@dataclass(frozen=True, slots=True)
class FP32(Scheme):
    """No quantization: every site keeps 32 bits whatever the bit allocation says (it must still name real sites)."""

    quantizes = False

    def widths(self, config: QuantConfig) -> dict[str, int]:
        return dict.fromkeys(allocate(self.sites, config), FULL_PRECISION)

    def quantizer(self, site: Site, context: Context) -> Quantizer:
        return Identity(len(self.configs))
