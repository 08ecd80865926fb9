"""A²Q: a learned step and width for every node where a linear map follows, a learned step a column elsewhere."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from benchmarks.naive.fake_quant import SMALLEST_SCALE

__all__ = ["ColumnStep", "RowStep", "learned_kilobytes"]


class ColumnStep(nn.Module):
    """One step a column at a fixed width; ``local`` gradients are those of the tensor's own error."""

    def __init__(self, bits: int, columns: int, *, start: tuple[float, float], local: bool) -> None:
        super().__init__()
        self.step = nn.Parameter(torch.empty(1, columns).normal_(*start).abs())
        self.top, self.local = torch.tensor(2.0 ** (bits - 1) - 1), local

    def forward(self, x: Tensor, protected: Tensor | None = None) -> Tensor:
        """Quantize ``[N, columns]``."""
        return _quantize(x, self.step, self.top, local=self.local)


class RowStep(nn.Module):
    """One step and one learned width a node, for tensors without negative values."""

    def __init__(self, bits: int, rows: int, *, start: tuple[float, float]) -> None:
        super().__init__()
        self.step = nn.Parameter(torch.empty(rows, 1).normal_(*start).abs())
        self.width = nn.Parameter(torch.full((rows, 1), float(bits)))
        self.columns = 0

    def forward(self, x: Tensor, protected: Tensor | None = None) -> Tensor:
        """Quantize ``[rows, d]``."""
        self.columns = x.shape[1]
        return _quantize(x, self.step, 2 ** self.used() - 1, local=True)

    def used(self) -> Tensor:
        """Return the widths as used, whole numbers, with the straight-through gradient."""
        return self.width + (self.width.clamp(1, 8).round() - self.width).detach()


def learned_kilobytes(model: nn.Module) -> Tensor:
    """Return what the tensors of learned widths take."""
    sites = [site for site in model.modules() if isinstance(site, RowStep)]
    return torch.stack([site.used().sum() * (site.columns / 8192) for site in sites]).sum()


def _quantize(x: Tensor, step: Tensor, top: Tensor, *, local: bool) -> Tensor:
    used = step.abs().clamp(min=SMALLEST_SCALE)
    return cast("Tensor", _LearnedStep.apply(x, used, top, local))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


class _LearnedStep(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, step: Tensor, top: Tensor, local: bool) -> Tensor:
        code = torch.minimum(torch.floor(x.abs() / step + 0.5), top)
        quantized = code * step * torch.sign(x)
        ctx.local = local
        ctx.save_for_backward(x, step, top, quantized)
        return quantized

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, step, top, quantized = ctx.saved_tensors
        inside = x.abs() <= step * top
        weight = torch.sign(quantized - x) if ctx.local else gradient
        to_step = torch.where(inside, (quantized - x) / step, torch.sign(x) * top) * weight
        to_top = torch.where(inside, torch.zeros_like(x), torch.sign(x) * step) * weight
        return gradient * inside, _shared(to_step, step, ctx.local), _shared(to_top, top, ctx.local), None


def _shared(gradient: Tensor, like: Tensor, mean: bool) -> Tensor:
    """Sum, or average, over what shares one value of ``like``."""
    total = gradient.sum_to_size(like.shape)
    return total * (like.numel() / gradient.numel()) if mean else total
