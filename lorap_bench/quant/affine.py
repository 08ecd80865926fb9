"""The affine quantizer: scale and zero point from an observed range (``Kernels.fake_quantize`` has the formula)."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.derived import derived
from lorap_bench.kernels.interface import CodeRange, Dither, KnownRange, RangeState
from lorap_bench.quant.constants import read_range
from lorap_bench.quant.observers import make_observer
from lorap_bench.quant.quantizer import Quantizer, code_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import QuantConfig
    from lorap_bench.cost.site import Site
    from lorap_bench.kernels.interface import Messages
    from lorap_bench.quant.context import Context

__all__ = ["ActivationQuantizer", "AffineQuantizer", "WeightQuantizer"]


class AffineQuantizer(Quantizer):
    """What both kinds share: the codes, the gradient and the noise that stands in for rounding in training."""

    def __init__(
        self, widths: Sequence[int], configs: Sequence[QuantConfig], site: Site, context: Context, *, symmetric: bool
    ) -> None:
        super().__init__(len(widths))
        self.site, self.context = site, context
        self.symmetric = symmetric
        self.clipped = configs[0].gradient == "clipped"
        self.straight = not self.clipped
        self.rounding = configs[0].rounding
        low, high = code_range(widths, symmetric=symmetric)
        self.register_buffer("code_low", low)
        self.register_buffer("code_high", high)

    @property
    def codes(self) -> CodeRange:
        """The members' integer codes."""
        return CodeRange(self.get_buffer("code_low"), self.get_buffer("code_high"), self.symmetric)

    def _dither(self) -> Dither | None:
        if self.rounding == "nearest" or not self.training:
            return None
        return Dither(self.context.draws.keys(f"{self.site.name}.rounding"), rounds=self.rounding == "stochastic")


@final
class WeightQuantizer(AffineQuantizer):
    """Quantizes a parameter by its own present range, per tensor or per output channel.

    The range is computed anew each time, in training and in evaluation, so that the codes always
    fit the values: a parameter needs no memory of what it was.
    """

    def __init__(self, widths: Sequence[int], configs: Sequence[QuantConfig], site: Site, context: Context) -> None:
        super().__init__(widths, configs, site, context, symmetric=configs[0].weight_symmetric)
        self.per_channel = configs[0].weight_per_channel

    def forward(self, x: Tensor) -> Tensor:
        limits = self.limits(x)
        return kernels().fake_quantize(x, limits, self.codes, clipped=self.clipped, dither=self._dither())

    @torch.no_grad()
    def limits(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the range of the parameter: two of ``[S]``, or ``[S, C]`` per channel."""
        return kernels().value_range(x, channels=self.per_channel)

    def calibrate(self, x: Tensor) -> None:
        """Do nothing: the range is never remembered."""


@final
class ActivationQuantizer(AffineQuantizer):
    """Quantizes an activation by a remembered range, per tensor; the range is frozen in evaluation.

    Protected rows pass unquantized and set no range.
    """

    def __init__(self, widths: Sequence[int], configs: Sequence[QuantConfig], site: Site, context: Context) -> None:
        super().__init__(widths, configs, site, context, symmetric=configs[0].activation_symmetric)
        self.observer = make_observer(configs, site, context)
        self.constant = False
        self.register_buffer("range_low", torch.zeros(len(widths)))
        self.register_buffer("range_high", torch.zeros(len(widths)))
        self.register_buffer("seen", torch.zeros(len(widths), dtype=torch.bool))

    def forward(self, x: Tensor) -> Tensor:
        if self.constant:
            return kernels().fake_quantize(x, self.limits, self.codes, clipped=self.clipped)
        protected = self.context.protected_rows(self.site.rows) if self.training and self.site.spared else None
        if self.training and x.numel():  # the attention logits of a graph without edges are none
            self._remember(self.observer.measure(x, protected))
        return kernels().fake_quantize(
            x, self.limits, self.codes, clipped=self.clipped, dither=self._dither(), protected=protected
        )

    def sum_messages(self, messages: Messages) -> Tensor:
        if self.watched or self._dither() is not None:
            return super().sum_messages(messages)
        protected = self.context.protected_senders(messages.pattern.shape[1]) if self.training else None
        if self.training and messages.pattern.entries:
            self._remember(self.observer.measure_messages(messages, protected))
        known = KnownRange(self.limits, self.codes, self.clipped)
        return kernels().sum_quantized(messages, known, protected=protected)

    def known_range(self) -> KnownRange | None:
        return KnownRange(self.limits, self.codes, self.clipped) if self.constant or not self.training else None

    @property
    def limits(self) -> tuple[Tensor, Tensor]:
        """The remembered range: two of ``[S]``."""
        return self.get_buffer("range_low"), self.get_buffer("range_high")

    def calibrate(self, x: Tensor) -> None:
        """Keep the exact extremes of a constant: it has no outliers to guard against and never drifts."""
        self._keep(_extremes(x, None))

    def calibrate_shared(self, x: Tensor) -> None:
        self._keep(derived(_extremes, x, None))

    @torch.no_grad()
    def _keep(self, extremes: tuple[Tensor, Tensor]) -> None:
        for remembered, found in zip(self.limits, extremes, strict=True):
            remembered.copy_(found)
        self.get_buffer("seen").fill_(True)
        self.constant = True
        read_range(KnownRange(self.limits, self.codes, self.clipped))

    @torch.no_grad()
    def _remember(self, current: tuple[Tensor, Tensor]) -> None:
        # A step may protect every row: then there was nothing to see, and the range stays.
        kernels().remember(RangeState(*self.limits, self.get_buffer("seen")), current, self.observer.pace)


@torch.no_grad()
def _extremes(x: Tensor, _: None) -> tuple[Tensor, Tensor]:
    if not x.numel():  # training graphs without an edge
        return x.new_zeros(x.shape[0]), x.new_zeros(x.shape[0])
    return kernels().value_range(x)
