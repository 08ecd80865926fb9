"""Plain quantization-aware training: affine fake quantization at every site."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from lorap_bench.cost.ledger import FULL_PRECISION
from lorap_bench.quant.affine import ActivationQuantizer, WeightQuantizer
from lorap_bench.quant.allocation import allocate
from lorap_bench.quant.quantizer import Identity, Quantizer, is_weight
from lorap_bench.quant.scheme import ALLOCATION, Scheme

if TYPE_CHECKING:
    from lorap_bench.config import QuantConfig
    from lorap_bench.cost.site import Site
    from lorap_bench.quant.context import Context

__all__ = ["QAT"]


@dataclass(frozen=True, slots=True)
class QAT(Scheme):
    """Quantize weights by their present range and activations by an observed one.

    ``quant.rounding`` chooses the noise that training sees: rounding to nearest, stochastic rounding, or
    additive uniform noise. Evaluation rounds to nearest.

    Source: Jacob et al. 2018; the QAT baseline of Degree-Quant (Tailor et al. 2021), section 3.
    Noise: Gupta et al. 2015 (stochastic rounding); Défossez et al. 2022 (uniform noise).
    """

    reads: ClassVar[frozenset[str]] = ALLOCATION | {
        "observer",
        "momentum",
        "percentile",
        "sample",
        "gradient",
        "rounding",
        "weight_per_channel",
        "weight_symmetric",
        "activation_symmetric",
        "messages",
    }
    default_observer: ClassVar[Literal["MinMax", "MovingAverage", "Percentile", "MovingPercentile"]] = "MovingAverage"
    default_gradient: ClassVar[Literal["straight_through", "clipped"]] = "straight_through"

    def widths(self, config: QuantConfig) -> dict[str, int]:
        return dict(allocate(self.sites, config))

    def quantizer(self, site: Site, context: Context) -> Quantizer:
        widths = [self.widths(config)[site.name] for config in self.configs]
        if all(width == FULL_PRECISION for width in widths):
            return Identity(len(widths))
        configs = tuple(self.resolved(config) for config in self.configs)
        kind = WeightQuantizer if is_weight(site) else ActivationQuantizer
        return kind(widths, configs, site, context)

    @classmethod
    def resolved(cls, config: QuantConfig) -> QuantConfig:
        return replace(
            config,
            observer=cls.default_observer if config.observer == "auto" else config.observer,
            gradient=cls.default_gradient if config.gradient == "auto" else config.gradient,
        )
