"""The native loops as differentiable functions of tensors: views in, saved tensors, gradients out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lorap_bench.kernels.native import fixed, learned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lorap_bench.kernels.interface import Dither
    from lorap_bench.kernels.straight_through import Grid

__all__ = ["affine", "array", "drop", "learned_affine", "learned_step"]


def array(tensor: Tensor, *shape: int) -> NDArray[Any]:
    """Return the values of a tensor as an array of the given shape, without a copy where it is contiguous."""
    return cast("NDArray[Any]", tensor.detach().contiguous().numpy().reshape(shape))


def affine(x: Tensor, grid: Grid, *, clipped: bool, dither: Dither | None, protected: Tensor | None) -> Tensor:
    """Quantize on a fixed grid; the gradient is the identity or the clipped one."""
    return cast("Tensor", _Affine.apply(x, grid, clipped, dither, protected))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


def drop(x: Tensor, thresholds: Tensor, keys: Tensor, *, relu: bool) -> Tensor:
    """Apply (ReLU and) dropout."""
    return cast("Tensor", _Drop.apply(x, thresholds, keys, relu))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


def learned_step(x: Tensor, step: Tensor, top: Tensor, *, local: bool) -> Tensor:
    """Quantize symmetrically; gradients flow to the step and to the largest code."""
    return cast("Tensor", _LearnedStep.apply(x, step, top, local))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


def learned_affine(x: Tensor, scale: Tensor, zero: Tensor, ends: tuple[Tensor, Tensor]) -> Tensor:
    """Quantize affinely; gradients flow to the scale and to the zero point."""
    return cast("Tensor", _LearnedAffine.apply(x, scale, zero, *ends))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


class _Affine(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917  # the signature autograd calls
        ctx: Any, x: Tensor, grid: Grid, clipped: bool, dither: Dither | None, protected: Tensor | None
    ) -> Tensor:
        members, count = x.shape[0], x[0].numel()
        out = torch.empty_like(x)
        marked = clipped and ctx.needs_input_grad[0]
        inside = x.new_empty(x.shape if marked else (members, 0), dtype=torch.bool)
        flat = (array(x, members, count), array(out, members, count), array(inside, members, -1 if marked else 0))
        spans = array(grid.scale, members, -1), array(grid.zero, members, -1)
        ends = array(grid.low, members), array(grid.high, members)
        mode = fixed.NEAREST
        keys = grid.low.new_zeros(members, 2, dtype=torch.int32)
        if dither is not None:
            mode, keys = fixed.STOCHASTIC if dither.rounds else fixed.NOISE, dither.keys.T
        fixed.fake_quantize(*flat, (*spans, *ends), (mode, array(keys, members, 2)))
        if protected is not None:
            fixed.restore(*flat, array(protected, members, -1))
        if marked:
            ctx.save_for_backward(inside)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        if ctx.saved_tensors:
            gradient = _masked(gradient, ctx.saved_tensors[0], torch.ones(gradient.shape[0]))
        return gradient, None, None, None, None


class _Drop(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, thresholds: Tensor, keys: Tensor, relu: bool) -> Tensor:
        members, count = x.shape[0], x[0].numel()
        out = torch.empty_like(x)
        marked = ctx.needs_input_grad[0]
        kept = x.new_empty(x.shape if marked else (members, 0), dtype=torch.bool)
        factors = 1 / (0.5 - thresholds.double() / 2**32).to(x.dtype)
        fixed.drop(
            array(x, members, count),
            array(out, members, count),
            array(kept, members, -1 if marked else 0),
            (array(thresholds, members), array(keys.T, members, 2), array(factors, members)),
            relu,
        )
        ctx.save_for_backward(kept, factors)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        return _masked(gradient, *ctx.saved_tensors), None, None, None


class _LearnedStep(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, step: Tensor, top: Tensor, local: bool) -> Tensor:
        out = torch.empty_like(x)
        shape = _table(x, step, top)
        source, target = _flat(x, out)
        learned.step_forward(source, target, (_parameter(step, shape), _parameter(top, shape)), shape[2])
        ctx.local, ctx.table = local, shape
        ctx.save_for_backward(x, step, top, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x, step, top, quantized = ctx.saved_tensors
        gradients = _wanted(ctx, x)
        learned.step_backward(
            _flat(gradient, x, quantized),
            (_parameter(step, ctx.table), _parameter(top, ctx.table)),
            _flat(*gradients),
            ctx.table[2],
            ctx.local,
        )
        to_x, to_step, to_top = (each if each.numel() else None for each in gradients)
        to_step = None if to_step is None else _summed(to_step, step, mean=ctx.local)
        to_top = None if to_top is None else _summed(to_top, top, mean=ctx.local)
        return to_x, to_step, to_top, None


class _LearnedAffine(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, zero: Tensor, low: Tensor, high: Tensor) -> Tensor:  # noqa: PLR0913, PLR0917  # the signature autograd calls
        out = torch.empty_like(x)
        shape = _table(x, scale, zero)
        ends = array(low, -1), array(high, -1)
        source, target = _flat(x, out)
        learned.affine_forward(source, target, (_parameter(scale, shape), _parameter(zero, shape)), ends, shape[2])
        ctx.table = shape
        ctx.save_for_backward(x, scale, zero, low, high)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        x, scale, zero, low, high = ctx.saved_tensors
        gradients = _wanted(ctx, x)
        factor = torch.rsqrt(x.numel() / scale.numel() * (high - low))
        learned.affine_backward(
            _flat(gradient, x),
            (_parameter(scale, ctx.table), _parameter(zero, ctx.table)),
            (array(low, -1), array(high, -1), array(factor, -1)),
            _flat(*gradients),
            ctx.table[2],
        )
        to_x, to_scale, to_zero = (each if each.numel() else None for each in gradients)
        to_scale = None if to_scale is None else _summed(to_scale, scale, mean=False)
        to_zero = None if to_zero is None else _summed(to_zero, zero, mean=False)
        return to_x, to_scale, to_zero, None, None


def _masked(gradient: Tensor, inside: Tensor, factors: Tensor) -> Tensor:
    """Return the gradient times the member's factor where inside, times zero elsewhere."""
    members, count = gradient.shape[0], gradient[0].numel()
    out = torch.empty_like(gradient, memory_format=torch.contiguous_format)
    flat = (members, count)
    fixed.mask(array(gradient, *flat), array(inside, *flat), array(factors, members), array(out, *flat))
    return out


def _flat(*tensors: Tensor) -> Any:
    """View each tensor as ``[S, n]``."""
    return tuple(array(tensor, tensor.shape[0], tensor[0].numel()) for tensor in tensors)


def _table(x: Tensor, *parameters: Tensor) -> tuple[int, int, int]:
    """Cut x in members, rows and columns that the parameters vary along, or not."""
    members, count = x.shape[0], x[0].numel()
    if x.dim() == 2 or all(parameter.numel() == members for parameter in parameters):
        return members, count, 1
    return members, count // x.shape[-1], x.shape[-1]


def _parameter(parameter: Tensor, table: tuple[int, int, int]) -> NDArray[Any]:
    """View a parameter as ``[S, R or 1, C or 1]``."""
    members, _, columns = table
    along = parameter.shape[-1] if columns > 1 else 1
    return array(parameter, members, -1, along)


def _wanted(ctx: Any, x: Tensor) -> tuple[Tensor, ...]:
    """Return room for the gradients that autograd asks for, empty tensors for the others."""
    return tuple(torch.empty_like(x) if wanted else x.new_empty(x.shape[0], 0) for wanted in ctx.needs_input_grad[:3])


def _summed(slope: Tensor, like: Tensor, *, mean: bool) -> Tensor:
    """Sum over the axes that ``like`` is broadcast along, or average, as the reference does."""
    axes = [axis for axis in range(1, slope.dim()) if like.shape[axis] == 1 and slope.shape[axis] != 1]
    if not axes:
        return slope
    return slope.mean(axes, keepdim=True) if mean else slope.sum(axes, keepdim=True)
