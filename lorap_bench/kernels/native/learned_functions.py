"""The native quantizers whose parameters learn, as differentiable functions of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lorap_bench.kernels.native import learned, mixed
from lorap_bench.kernels.native.functions import array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lorap_bench.kernels.interface import Mixture

__all__ = ["learned_affine", "learned_step", "mix_quantize"]


def learned_step(x: Tensor, step: Tensor, top: Tensor, *, local: bool) -> Tensor:
    """Quantize symmetrically; gradients flow to the step and to the largest code."""
    return cast("Tensor", _LearnedStep.apply(x, step, top, local))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


def learned_affine(x: Tensor, scale: Tensor, zero: Tensor, ends: tuple[Tensor, Tensor]) -> Tensor:
    """Quantize affinely; gradients flow to the scale and to the zero point."""
    return cast("Tensor", _LearnedAffine.apply(x, scale, zero, *ends))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


def mix_quantize(x: Tensor, mixture: Mixture, column: Tensor | None) -> Tensor:
    """Quantize with every candidate and mix; gradients flow to shares, scales and zero points."""
    fields = mixture.share, mixture.scale, mixture.zero, mixture.low, mixture.high
    return cast("Tensor", _Mixed.apply(x, column, *fields))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


class _LearnedStep(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, step: Tensor, top: Tensor, local: bool) -> Tensor:
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        shape = _table(x, step, top)
        source, target = _flat(x, out)
        learned.step_forward(source, target, (_parameter(step, shape), _parameter(top, shape)), shape[2])
        ctx.local, ctx.table = local, shape
        ctx.save_for_backward(x, step, top, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, step, top, quantized = ctx.saved_tensors
        found, room = _room(ctx, x, (step, top))
        learned.step_backward(
            _flat(gradient, x, quantized),
            (_parameter(step, ctx.table), _parameter(top, ctx.table)),
            room,
            ctx.table[2],
            ctx.local,
        )
        if ctx.local:  # the mean over what shares a parameter
            for summed in found[1:]:
                if summed is not None:
                    summed.mul_(summed.numel() / x.numel())
        return *found, None


class _LearnedAffine(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, zero: Tensor, low: Tensor, high: Tensor) -> Tensor:  # noqa: PLR0913, PLR0917  # the signature autograd calls
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        shape = _table(x, scale, zero)
        ends = array(low, -1), array(high, -1)
        source, target = _flat(x, out)
        learned.affine_forward(source, target, (_parameter(scale, shape), _parameter(zero, shape)), ends, shape[2])
        ctx.table = shape
        ctx.save_for_backward(x, scale, zero, low, high)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, scale, zero, low, high = ctx.saved_tensors
        found, room = _room(ctx, x, (scale, zero))
        factor = torch.rsqrt(x.numel() / scale.numel() * (high - low))
        learned.affine_backward(
            _flat(gradient, x),
            (_parameter(scale, ctx.table), _parameter(zero, ctx.table)),
            (array(low, -1), array(high, -1), array(factor, -1)),
            room,
            ctx.table[2],
        )
        return *found, None, None


class _Mixed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, column: Tensor | None, *fields: Tensor) -> Tensor:
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        column = torch.empty(0, dtype=torch.int32) if column is None else column.to(torch.int32)
        mixture: Any = tuple(array(field, *field.shape) for field in fields)
        source, target = _flat(x, out)
        mixed.forward(source, target, mixture, array(column, -1))
        ctx.save_for_backward(x, column, *fields)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, column, share, scale, zero, low, high = ctx.saved_tensors
        found = tuple(torch.zeros(each.shape) for each in (x, share, scale, zero))
        mixture: Any = tuple(array(field, *field.shape) for field in (share, scale, zero, low, high))
        flat: Any = array(found[0], x.shape[0], -1), *(each.numpy() for each in found[1:])
        mixed.backward(_flat(gradient, x), mixture, array(column, -1), flat)
        sharing = 1 if column.numel() else x.numel() // (x.shape[0] * scale.shape[2])
        factor = torch.rsqrt(sharing * (high - low)).unsqueeze(2)
        return found[0], None, found[1], found[2] * factor, found[3] * factor, None, None


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
    """View a parameter as ``[S, R or 1, C or 1]``, an empty one as ``[S, 0, 0]``."""
    members, _, columns = table
    if not parameter.numel():
        return array(parameter, members, 0, 0)
    along = parameter.shape[-1] if columns > 1 else 1
    return array(parameter, members, -1, along)


def _room(ctx: Any, x: Tensor, parameters: tuple[Tensor, Tensor]) -> tuple[list[Tensor | None], Any]:
    """Return room for the gradients of x and its parameters, as tensors and as the loops see them; empty if unasked."""
    wanted = ctx.needs_input_grad[:3]
    found: list[Tensor | None] = [torch.empty(x.shape) if wanted[0] else None]
    found += [torch.zeros(p.shape) if asked else None for p, asked in zip(parameters, wanted[1:], strict=True)]
    none = torch.empty(x.shape[0], 0, 0)
    views = (_parameter(none if each is None else each, ctx.table) for each in found[1:])
    to_x = array(none, x.shape[0], 0) if found[0] is None else array(found[0], x.shape[0], -1)
    return found, (to_x, *views)
