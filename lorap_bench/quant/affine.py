"""The affine quantizer: scale and zero point from an observed range (``Kernels.fake_quantize`` has the formula)."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.interface import CodeRange
from lorap_bench.quant.observers import make_observer
from lorap_bench.quant.quantizer import Quantizer, code_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import QuantConfig

__all__ = ["ActivationQuantizer", "WeightQuantizer"]


@final
class WeightQuantizer(Quantizer):
    """Quantizes a parameter by its own present range, per tensor or per output channel.

    The range is computed anew each time, in training and in evaluation, so that the codes always
    fit the values: a parameter needs no memory of what it was.
    """

    def __init__(self, widths: Sequence[int], configs: Sequence[QuantConfig]) -> None:
        super().__init__(len(widths))
        self.symmetric = configs[0].weight_symmetric
        self.per_channel = configs[0].weight_per_channel
        self.clipped = configs[0].gradient == "clipped"
        low, high = code_range(widths, symmetric=self.symmetric)
        self.register_buffer("code_low", low)
        self.register_buffer("code_high", high)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            limits = kernels().value_range(x, channels=self.per_channel)
        codes = CodeRange(self.get_buffer("code_low"), self.get_buffer("code_high"), self.symmetric)
        return kernels().fake_quantize(x, limits, codes, clipped=self.clipped)

    def calibrate(self, x: Tensor) -> None:
        """Do nothing: the range is never remembered."""


@final
class ActivationQuantizer(Quantizer):
    """Quantizes an activation by a remembered range, per tensor; the range is frozen in evaluation."""

    def __init__(self, widths: Sequence[int], configs: Sequence[QuantConfig]) -> None:
        super().__init__(len(widths))
        self.symmetric = configs[0].activation_symmetric
        self.clipped = configs[0].gradient == "clipped"
        self.observer = make_observer(configs)
        self.constant = False
        low, high = code_range(widths, symmetric=self.symmetric)
        self.register_buffer("code_low", low)
        self.register_buffer("code_high", high)
        self.register_buffer("range_low", torch.zeros(len(widths)))
        self.register_buffer("range_high", torch.zeros(len(widths)))
        self.register_buffer("seen", torch.zeros(len(widths), dtype=torch.bool))

    def forward(self, x: Tensor) -> Tensor:
        if self.training and not self.constant:
            self._observe(x)
        limits = self.get_buffer("range_low"), self.get_buffer("range_high")
        codes = CodeRange(self.get_buffer("code_low"), self.get_buffer("code_high"), self.symmetric)
        return kernels().fake_quantize(x, limits, codes, clipped=self.clipped)

    def calibrate(self, x: Tensor) -> None:
        """Keep the exact extremes of a constant: it has no outliers to guard against and never drifts."""
        low, high = kernels().value_range(x, channels=False)
        self._remember(low, high)
        self.constant = True

    @torch.no_grad()
    def _observe(self, x: Tensor) -> None:
        low, high, seen = (self.get_buffer(name) for name in ("range_low", "range_high", "seen"))
        current = self.observer.measure(x)
        merged = self.observer.merge((low, high), current)
        self._remember(*(torch.where(seen, new, first) for new, first in zip(merged, current, strict=True)))

    def _remember(self, low: Tensor, high: Tensor) -> None:
        self.get_buffer("range_low").copy_(low)
        self.get_buffer("range_high").copy_(high)
        self.get_buffer("seen").fill_(1)
