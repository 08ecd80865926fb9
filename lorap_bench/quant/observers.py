"""Range observers: what a quantizer remembers of the tensors it has seen.

An observer estimates the range of the tensor at hand and merges it with the range remembered:

* ``MinMax``: the extremes, over all tensors so far;
* ``MovingAverage``: the extremes, averaged: ``r += m (current - r)``;
* ``Percentile``: the p and 1-p order statistics, extremes of those over all tensors so far;
* ``MovingPercentile``: the same order statistics, averaged.

Order statistics are exact, or with ``sample`` < 1 those of a stratified sample: one value drawn from each of
``max(1000, sample · n)`` equal stretches of the tensor.

Source: Degree-Quant (Tailor et al. 2021), section 3.3 and its reference code's ABS, MOM and PER; the stratified
sample is ours (the reference code keeps each value with a probability).
"""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar, final

import torch
from torch import Tensor

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.members import MemberModule
from lorap_bench.kernels.random import counter_uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import QuantConfig
    from lorap_bench.cost.site import Site
    from lorap_bench.kernels.interface import Messages
    from lorap_bench.quant.context import Context

__all__ = ["MinMax", "MovingAverage", "MovingPercentile", "Observer", "Percentile", "make_observer"]

# Tensors of no more values are never sampled.
_KEPT_WHOLE = 1000


class Observer(MemberModule, ABC):
    """Estimates the range of a tensor, and says how it joins the range remembered; all per member."""

    averages: ClassVar[bool]
    ordered: ClassVar[bool]
    """Whether it reads order statistics, not the extremes."""

    def __init__(self, configs: Sequence[QuantConfig], site: Site, context: Context) -> None:
        super().__init__(len(configs))
        self.stream, self.context = f"{site.name}.sample", context
        self.register_buffer("momentum", torch.tensor([config.momentum for config in configs]))
        percentiles = [config.percentile for config in configs]
        # double: in single precision 0.01 of 1,000 values would be 9 of them
        self.register_buffer("percentile", torch.tensor(percentiles, dtype=torch.float64))
        self.largest, self.sample = max(percentiles), configs[0].sample

    @torch.no_grad()
    def measure(self, x: Tensor, protected: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the range of one tensor outside its protected rows: x ``[S, N, …]`` → two of ``[S]``."""
        if not self.ordered:
            return kernels().value_range(x, protected=protected)
        return self._order_statistics(x, protected)

    @torch.no_grad()
    def measure_messages(self, messages: Messages, protected: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the range of the messages of unprotected nodes; protected ``[S, N]`` → two of ``[S]``."""
        if not self.ordered:
            return kernels().message_range(messages, protected=protected)
        count = messages.pattern.entries * messages.x.shape[2]
        if self._drawn(count) < count:
            hidden = None if protected is None else protected.index_select(1, messages.pattern.col)
            return self._order_statistics(messages.materialised(), hidden)
        return kernels().message_range(
            messages, fractions=self.get_buffer("percentile"), largest=self.largest, protected=protected
        )

    def _drawn(self, count: int) -> int:
        """Return how many of ``count`` values are looked at."""
        return max(_KEPT_WHOLE, int(self.sample * count))

    def _order_statistics(self, x: Tensor, protected: Tensor | None) -> tuple[Tensor, Tensor]:
        count = x[0].numel()
        drawn = self._drawn(count)
        if drawn < count:
            noise = counter_uniform(self.context.draws.keys(self.stream).to(x.device), drawn)
            stretch = torch.arange(drawn, device=x.device, dtype=torch.float64) + noise.double()
            place = (stretch * (count / drawn)).long()
            rows = place // (count // x.shape[1])
            x, protected = x.flatten(1).gather(1, place), None if protected is None else protected.gather(1, rows)
        return kernels().percentile_range(x, self.get_buffer("percentile"), largest=self.largest, protected=protected)

    @property
    def pace(self) -> Tensor | None:
        """The momentum that a range is averaged with ``[S]``; None where it only ever widens."""
        return self.get_buffer("momentum") if self.averages else None


@final
class MinMax(Observer):
    """Global extremes."""

    averages: ClassVar[bool] = False
    ordered: ClassVar[bool] = False


@final
class MovingAverage(Observer):
    """Exponential moving average of the extremes."""

    averages: ClassVar[bool] = True
    ordered: ClassVar[bool] = False


@final
class Percentile(Observer):
    """Global extremes of the p and 1-p order statistics."""

    averages: ClassVar[bool] = False
    ordered: ClassVar[bool] = True


@final
class MovingPercentile(Observer):
    """Exponential moving average of the p and 1-p order statistics."""

    averages: ClassVar[bool] = True
    ordered: ClassVar[bool] = True


_KINDS: dict[str, type[Observer]] = {
    kind.__name__: kind for kind in (MinMax, MovingAverage, Percentile, MovingPercentile)
}


def make_observer(configs: Sequence[QuantConfig], site: Site, context: Context) -> Observer:
    """Return the observer the members' configurations name (members of a cohort share the kind)."""
    return _KINDS[configs[0].observer](configs, site, context)
