"""MixQ's relaxation: every site is a softmax-weighted sum of one quantizer a candidate width."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from benchmarks.naive.fake_quant import SMALLEST_SCALE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RelaxedQuant", "expected_kilobytes"]


class RelaxedQuant(nn.Module):
    """Scale (as a logarithm) and zero point a candidate, one a column or one for the tensor, with LSQ's gradients.

    Weights (``signed``) have signed codes and no zero point. ``kilobytes`` is what the last tensor takes at the
    expected width.
    """

    def __init__(self, candidates: Sequence[int], columns: int = 1, *, signed: bool = False) -> None:
        super().__init__()
        self.candidates, self.signed = tuple(candidates), signed
        self.log_scale = nn.Parameter(torch.zeros(len(candidates), columns))
        self.zero = nn.Parameter(torch.zeros(len(candidates), columns))
        self.choice = nn.Parameter(torch.tensor(candidates, dtype=torch.float32).softmax(0))
        self.fitted = False
        self.kilobytes = torch.zeros(())

    def forward(self, x: Tensor, protected: Tensor | None = None) -> Tensor:
        """Quantize at all widths and mix."""
        if not self.fitted:
            self._fit(x.detach())
        share = self.choice.softmax(0)
        self.kilobytes = (share * share.new_tensor(self.candidates)).sum() * (x.numel() / 8192)
        mixed = torch.zeros_like(x)
        for index in range(len(self.candidates)):
            mixed = mixed + share[index] * self._candidate(x, index)
        return mixed

    def _candidate(self, x: Tensor, index: int) -> Tensor:
        low, high = self._codes(index)
        shared = math.sqrt(x.numel() / self.zero.shape[1] * (high - low))
        scale = _scaled_gradient(self.log_scale[index].exp().clamp(min=SMALLEST_SCALE), shared)
        if self.signed:
            return _round(torch.clamp(x / scale, low, high)) * scale
        zero = _scaled_gradient(_round(self.zero[index].clamp(low, high)), shared)
        return (_round(torch.clamp(x / scale + zero, low, high)) - zero) * scale

    def _codes(self, index: int) -> tuple[float, float]:
        bits = self.candidates[index]
        return (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if self.signed else (0.0, 2.0**bits - 1)

    @torch.no_grad()
    def _fit(self, x: Tensor) -> None:
        """Take scales and zero points from the range of the first tensor seen."""
        rows = x if self.zero.shape[1] > 1 else x.reshape(-1, 1)
        least, most = rows.amin(0).clamp(max=0), rows.amax(0).clamp(min=0)
        for index in range(len(self.candidates)):
            low, high = self._codes(index)
            reach = torch.maximum(-least, most) / high if self.signed else (most - least) / (high - low)
            scale = reach.clamp(min=SMALLEST_SCALE)
            self.log_scale[index] = scale.log()
            self.zero[index] = 0.0 if self.signed else torch.round(low - least / scale)
        self.fitted = True


def expected_kilobytes(model: nn.Module, x: Tensor, edge_index: Tensor) -> Tensor:
    """Run the model once more and collect what its tensors take at their expected widths, as published."""
    model(x, edge_index)
    return torch.stack([site.kilobytes for site in model.modules() if isinstance(site, RelaxedQuant)]).sum()


def _round(x: Tensor) -> Tensor:
    return x + (x.round() - x).detach()


def _scaled_gradient(x: Tensor, divisor: float) -> Tensor:
    return (x - x / divisor).detach() + x / divisor
