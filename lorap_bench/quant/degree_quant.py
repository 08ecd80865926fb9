"""Degree-Quant: quantization-aware training that spares nodes of high degree at random while it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

from lorap_bench.errors import Fault
from lorap_bench.quant.protection import Protection
from lorap_bench.quant.qat import QAT

if TYPE_CHECKING:
    from lorap_bench.config import QuantConfig

__all__ = ["DegreeQuant", "protection_faults"]


@final
@dataclass(frozen=True, slots=True)
class DegreeQuant(QAT):
    """``QAT`` with protected nodes, percentile ranges over the unprotected rows, and clipped gradients.

    In training the protected rows of node tensors, those inside GIN's two linear maps excepted, and the
    messages and attention logits that start from protected nodes, pass unquantized and set no range. Weights,
    edge weights and attention vectors are always quantized. In evaluation nothing is protected.

    Source: Degree-Quant (Tailor et al. 2021), section 3.
    """

    reads: ClassVar[frozenset[str]] = QAT.reads | {"p_min", "p_max"}
    default_observer: ClassVar[Literal["MinMax", "MovingAverage", "Percentile", "MovingPercentile"]] = "Percentile"
    default_gradient: ClassVar[Literal["straight_through", "clipped"]] = "clipped"

    def faults(self, config: QuantConfig) -> list[Fault]:
        return protection_faults(config)

    def protection(self) -> Protection:
        return Protection(self.configs)


def protection_faults(config: QuantConfig) -> list[Fault]:
    """Return what is wrong with a configuration's protection probabilities."""
    if config.p_min <= config.p_max:
        return []
    allowed = f"0 to quant.p_max = {config.p_max:g}"
    return [Fault(path="quant.p_min", message="must not exceed quant.p_max", got=config.p_min, allowed=allowed)]
