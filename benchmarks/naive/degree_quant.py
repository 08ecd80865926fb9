"""Degree-Quant: protected rows are cut out with boolean masks, ranges are percentiles by ``torch.kthvalue``."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from benchmarks.naive.fake_quant import affine

__all__ = ["PercentileQuant", "protection"]


class PercentileQuant(nn.Module):
    """Unsigned codes between the extremes, over all steps, of the p and 1-p order statistics of unprotected rows."""

    def __init__(self, bits: int, percentile: float) -> None:
        super().__init__()
        self.levels, self.percentile = 2**bits - 1, percentile
        self.register_buffer("low", torch.tensor(math.inf))
        self.register_buffer("high", torch.tensor(-math.inf))

    def forward(self, x: Tensor, protected: Tensor | None = None) -> Tensor:
        """Quantize, in training only the rows that are not protected."""
        if not self.training or protected is None:
            if self.training:
                self._observe(x.detach())
            return self._quantize(x)
        out = torch.empty_like(x)
        out[protected] = x[protected]
        exposed = x[~protected]
        self._observe(exposed.detach())
        out[~protected] = self._quantize(exposed)
        return out

    def _observe(self, x: Tensor) -> None:
        if not x.numel():
            return
        values = x.flatten()
        place = max(1, math.floor(self.percentile * values.numel()))
        low, high = self.get_buffer("low"), self.get_buffer("high")
        low.copy_(torch.minimum(low, values.kthvalue(place).values))
        high.copy_(torch.maximum(high, values.kthvalue(values.numel() - place + 1).values))

    def _quantize(self, x: Tensor) -> Tensor:
        return affine(x, self.get_buffer("low"), self.get_buffer("high"), self.levels, clipped=True)


def protection(degrees: Tensor, p_min: float, p_max: float) -> Tensor:
    """Return each node's chance of protection ``[N]``: ``p_min + (p_max - p_min) F(d)``, F the distribution of d."""
    ordered = degrees.sort().values
    share = torch.searchsorted(ordered, degrees, right=True) / degrees.numel()
    return p_min + (p_max - p_min) * share
