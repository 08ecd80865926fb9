"""Range observers: what a quantizer remembers of the tensors it has seen.

An observer estimates the range of the tensor at hand and merges it with the range remembered:

* ``MinMax``: the extremes, over all tensors so far;
* ``MovingAverage``: the extremes, averaged: ``r += m (current - r)``;
* ``Percentile``: the p and 1-p order statistics, extremes of those over all tensors so far.

Source: Degree-Quant (Tailor et al. 2021), section 3.3 and its reference code's ABS, MOM and PER.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.members import MemberModule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import QuantConfig

__all__ = ["MinMax", "MovingAverage", "Observer", "Percentile", "make_observer"]


class Observer(MemberModule, ABC):
    """Estimates a range and merges it; all per member."""

    def __init__(self, configs: Sequence[QuantConfig]) -> None:
        super().__init__(len(configs))
        self.register_buffer("momentum", torch.tensor([config.momentum for config in configs]))
        percentiles = [config.percentile for config in configs]
        # double: in single precision 0.01 of 1,000 values would be 9 of them
        self.register_buffer("percentile", torch.tensor(percentiles, dtype=torch.float64))

    def measure(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the range of one tensor: x ``[S, …]`` → two of ``[S]``."""
        return kernels().value_range(x, channels=False)

    @abstractmethod
    def merge(self, remembered: tuple[Tensor, Tensor], current: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the new range from the remembered and the current one, ``[S]`` each."""


@final
class MinMax(Observer):
    """Global extremes."""

    def merge(self, remembered: tuple[Tensor, Tensor], current: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return _widest(remembered, current)


@final
class MovingAverage(Observer):
    """Exponential moving average of the extremes."""

    def merge(self, remembered: tuple[Tensor, Tensor], current: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        momentum = self.get_buffer("momentum")
        low, high = (old + momentum * (new - old) for old, new in zip(remembered, current, strict=True))
        return low, high


@final
class Percentile(Observer):
    """Global extremes of the p and 1-p order statistics."""

    def measure(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return kernels().percentile_range(x, self.get_buffer("percentile"))

    def merge(self, remembered: tuple[Tensor, Tensor], current: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return _widest(remembered, current)


_KINDS: dict[str, type[Observer]] = {kind.__name__: kind for kind in (MinMax, MovingAverage, Percentile)}


def make_observer(configs: Sequence[QuantConfig]) -> Observer:
    """Return the observer the members' configurations name (members of a cohort share the kind)."""
    return _KINDS[configs[0].observer](configs)


def _widest(remembered: tuple[Tensor, Tensor], current: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    return torch.minimum(remembered[0], current[0]), torch.maximum(remembered[1], current[1])
