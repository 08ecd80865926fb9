"""Affine fake quantization with a straight-through estimator: activations by a moving range, weights by their own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["MovingAverageQuant", "Untouched", "WeightQuant", "affine"]

SMALLEST_SCALE = torch.finfo(torch.float32).eps


class Untouched(nn.Module):
    """A site that is not quantized."""

    def forward(self, x: Tensor, protected: Tensor | None = None) -> Tensor:
        """Return x."""
        return x


class MovingAverageQuant(nn.Module):
    """Unsigned codes between the moving averages of the smallest and the largest value."""

    def __init__(self, bits: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.levels, self.momentum, self.seen = 2**bits - 1, momentum, False
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))

    def forward(self, x: Tensor, protected: Tensor | None = None) -> Tensor:
        """Quantize every row: this scheme protects none."""
        if self.training:
            self._observe(x.detach())
        return affine(x, self.get_buffer("low"), self.get_buffer("high"), self.levels)

    def _observe(self, x: Tensor) -> None:
        momentum = self.momentum if self.seen else 1.0
        self.get_buffer("low").lerp_(x.min(), momentum)
        self.get_buffer("high").lerp_(x.max(), momentum)
        self.seen = True


class WeightQuant(nn.Module):
    """Signed codes over the weight's present range; with ``clipped`` no gradient at the outermost codes."""

    def __init__(self, bits: int, *, clipped: bool = False) -> None:
        super().__init__()
        self.highest, self.clipped = 2 ** (bits - 1) - 1, clipped

    def forward(self, x: Tensor, protected: Tensor | None = None) -> Tensor:
        """Quantize a parameter."""
        scale = (x.detach().abs().max() / self.highest).clamp(min=SMALLEST_SCALE)
        code = torch.round(x / scale)
        quantized = torch.clamp(code, -self.highest - 1, self.highest) * scale
        passed = x
        if self.clipped:
            passed = x * ((code > -self.highest - 1) & (code < self.highest))
        out: Tensor = passed + (quantized - passed).detach()
        return out


def affine(x: Tensor, low: Tensor, high: Tensor, levels: int, *, clipped: bool = False) -> Tensor:
    """Quantize to the codes 0 … levels of a range widened to hold 0."""
    low, high = low.clamp(max=0), high.clamp(min=0)
    scale = ((high - low) / levels).clamp(min=SMALLEST_SCALE)
    zero = torch.round(-low / scale)
    code = torch.round(x / scale + zero)
    quantized = (torch.clamp(code, 0, levels) - zero) * scale
    passed = x * ((code > 0) & (code < levels)) if clipped else x
    return passed + (quantized - passed).detach()
