"""Fake quantization in composed PyTorch operations, with its surrogate gradients; ``Kernels`` has every formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from torch import Tensor

from lorap_bench.kernels.random import counter_uniform

if TYPE_CHECKING:
    from lorap_bench.kernels.interface import CodeRange, Dither

__all__ = ["Grid", "affine", "affine_grid", "aligned", "learned_affine", "learned_step"]

_SMALLEST_SCALE = torch.finfo(torch.float32).eps


class Grid(NamedTuple):
    """An affine quantizer in numbers: code = round(x / scale + zero) within low … high; all broadcast against x."""

    scale: Tensor
    zero: Tensor
    low: Tensor
    high: Tensor


def aligned(scalars: Tensor, x: Tensor) -> Tensor:
    """View ``[S]`` or ``[S, C]`` so that it broadcasts against ``[S, …, C]``."""
    middle = (1,) * (x.dim() - scalars.dim())
    if scalars.dim() == 1:
        return scalars.view(-1, *middle)
    return scalars.view(scalars.shape[0], *middle, scalars.shape[1])


def affine_grid(x: Tensor, limits: tuple[Tensor, Tensor], codes: CodeRange) -> Grid:
    """Return the grid of a range, shaped to meet x (``Kernels.fake_quantize`` has the formula)."""
    qmin, qmax = aligned(codes.low, x), aligned(codes.high, x)
    low, high = aligned(limits[0], x).clamp(max=0), aligned(limits[1], x).clamp(min=0)
    if codes.symmetric:
        scale = (torch.maximum(-low, high) / qmax).clamp(min=_SMALLEST_SCALE)
        return Grid(scale, torch.zeros_like(scale), qmin, qmax)
    scale = ((high - low) / (qmax - qmin)).clamp(min=_SMALLEST_SCALE)
    zero = torch.minimum(torch.maximum((qmin - low / scale).round(), qmin), qmax)
    return Grid(scale, zero, qmin, qmax)


def affine(x: Tensor, grid: Grid, *, clipped: bool, dither: Dither | None, protected: Tensor | None) -> Tensor:
    """Quantize on a fixed grid; the gradient is the identity or the clipped one."""
    hidden = None if protected is None else protected.view(*protected.shape, *(1,) * (x.dim() - 2))
    return cast("Tensor", _Affine.apply(x, grid, clipped, dither, hidden))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


def learned_step(x: Tensor, step: Tensor, top: Tensor, *, local: bool) -> Tensor:
    """Quantize symmetrically; gradients flow to the step and to the largest code."""
    return cast("Tensor", _LearnedStep.apply(x, step, top, local))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


def learned_affine(x: Tensor, scale: Tensor, zero: Tensor, ends: tuple[Tensor, Tensor]) -> Tensor:
    """Quantize affinely; gradients flow to the scale and to the zero point."""
    return cast("Tensor", _LearnedAffine.apply(x, scale, zero, *ends))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


class _Affine(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917  # the signature autograd calls
        ctx: Any, x: Tensor, grid: Grid, clipped: bool, dither: Dither | None, hidden: Tensor | None
    ) -> Tensor:
        code = _round(torch.div(x, grid.scale).add_(grid.zero), dither)
        if clipped:
            inside = (code > grid.low) & (code < grid.high)
            ctx.save_for_backward(inside if hidden is None else inside | hidden)
        torch.maximum(code, grid.low, out=code)
        torch.minimum(code, grid.high, out=code)
        code.sub_(grid.zero).mul_(grid.scale)
        return code if hidden is None else torch.where(hidden, x, code)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        if ctx.saved_tensors:
            gradient = gradient * ctx.saved_tensors[0]
        return gradient, None, None, None, None


class _LearnedStep(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, step: Tensor, top: Tensor, local: bool) -> Tensor:
        code = torch.div(x, step).abs_().add_(0.5).floor_()
        torch.minimum(code, top, out=code)
        quantized = code.mul_(step).copysign_(x)
        ctx.local = local
        ctx.save_for_backward(x, step, top, quantized)
        return quantized

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
        x, step, top, quantized = ctx.saved_tensors
        inside = x.abs() <= step * top
        weight = torch.sign(quantized - x) if ctx.local else gradient
        to_step = to_top = None
        if ctx.needs_input_grad[1]:
            slope = torch.where(inside, (quantized - x) / step, torch.sign(x) * top)
            to_step = _reduced(slope * weight, step, mean=ctx.local)
        if ctx.needs_input_grad[2]:
            outside = torch.where(inside, 0.0, torch.sign(x) * step)
            to_top = _reduced(outside * weight, top, mean=ctx.local)
        return gradient * inside, to_step, to_top, None


class _LearnedAffine(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, zero: Tensor, low: Tensor, high: Tensor) -> Tensor:  # noqa: PLR0913, PLR0917  # the signature autograd calls
        code = torch.div(x, scale).add_(zero).round_()
        torch.maximum(code, low, out=code)
        torch.minimum(code, high, out=code)
        ctx.save_for_backward(x, scale, zero, low, high)
        return code.sub_(zero).mul_(scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None, None]:
        x, scale, zero, low, high = ctx.saved_tensors
        place = x / scale + zero
        inside = (place >= low) & (place <= high)
        to_scale = to_zero = None
        sharing = x.numel() / scale.numel()
        factor = torch.rsqrt(sharing * (high - low))
        if ctx.needs_input_grad[1]:
            ends = torch.where(place < low, low, high) - zero
            slope = torch.where(inside, place.round() - place, ends)
            to_scale = _reduced(slope * gradient * factor, scale, mean=False)
        if ctx.needs_input_grad[2]:
            to_zero = _reduced(torch.where(inside, 0.0, -scale) * gradient * factor, zero, mean=False)
        return gradient * inside, to_scale, to_zero, None, None


def _round(place: Tensor, dither: Dither | None) -> Tensor:
    if dither is None:
        return place.round_()
    noise = counter_uniform(dither.keys.to(place.device), place[0].numel()).view_as(place)
    return place.add_(noise).floor_() if dither.rounds else place.add_(noise).sub_(0.5)


def _reduced(slope: Tensor, like: Tensor, *, mean: bool) -> Tensor:
    """Sum over the axes that ``like`` is broadcast along, or average."""
    axes = [axis for axis in range(1, slope.dim()) if like.shape[axis] == 1 and slope.shape[axis] != 1]
    if not axes:
        return slope
    return slope.mean(axes, keepdim=True) if mean else slope.sum(axes, keepdim=True)
