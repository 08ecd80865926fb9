"""The native loops as differentiable functions of tensors: views in, saved tensors, gradients out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lorap_bench.kernels.interface import ADAM_BETAS
from lorap_bench.kernels.native import fixed, products, states
from lorap_bench.kernels.reference import AddProduct

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lorap_bench.kernels.interface import AdamState, CodeRange, Dither, RangeState

__all__ = ["adam", "add_product", "affine", "array", "drop", "remember"]

_NEAREST: tuple[int, NDArray[Any]] = fixed.NEAREST, np.zeros((1, 2), np.int32)


def array(tensor: Tensor, *shape: int) -> NDArray[Any]:
    """Return the values of a tensor as an array of the given shape, without a copy where it is contiguous."""
    if tensor.requires_grad:
        tensor = tensor.detach()
    values = (tensor if tensor.is_contiguous() else tensor.contiguous()).numpy()
    return values if values.shape == shape else values.reshape(shape)


def remember(state: RangeState, current: tuple[Tensor, Tensor], momentum: Tensor | None) -> None:
    """Merge ranges in place."""
    count = state.seen.numel()
    kept = state.low.numpy(), state.high.numpy(), state.seen.numpy()
    pace = torch.empty(0) if momentum is None else momentum
    states.remember(kept, (array(current[0], count), array(current[1], count)), array(pace, -1))


def adam(flat: Tensor, gradient: Tensor, state: AdamState, scalars: tuple[Tensor, Tensor]) -> None:
    """Take one Adam step in place."""
    if state.corrections is None:
        state.steps += 1
        corrections = 1 - ADAM_BETAS[0] ** state.steps, 1 - ADAM_BETAS[1] ** state.steps
    else:
        corrections = state.corrections[0].item(), state.corrections[1].item()
    moments = state.first.numpy(), state.second.numpy()
    rates = array(scalars[0], -1), array(scalars[1], -1)
    states.adam(flat.numpy(), array(gradient, *flat.shape), moments, rates, corrections)


def affine(  # noqa: PLR0913  # the contract's
    x: Tensor,
    limits: tuple[Tensor, Tensor],
    codes: CodeRange,
    *,
    clipped: bool,
    dither: Dither | None,
    protected: Tensor | None,
) -> Tensor:
    """Quantize on the grid of a range; the gradient is the identity or the clipped one."""
    return cast("Tensor", _Affine.apply(x, limits, codes, (clipped, dither, protected)))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


def drop(x: Tensor, thresholds: Tensor, keys: Tensor, *, relu: bool) -> Tensor:
    """Apply (ReLU and) dropout."""
    return cast("Tensor", _Drop.apply(x, thresholds, keys, relu))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


def add_product(base: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Add each member's product to a constant."""
    return cast("Tensor", _AddProduct.apply(base, a, b))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


class _AddProduct(AddProduct):
    @staticmethod
    def forward(ctx: Any, base: Tensor, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        out = torch.empty(a.shape[0], a.shape[1], b.shape[2])
        products.add_product(*(array(tensor, *tensor.shape) for tensor in (base, a, b, out)))
        return out


class _Affine(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        limits: tuple[Tensor, Tensor],
        codes: CodeRange,
        ways: tuple[bool, Dither | None, Tensor | None],
    ) -> Tensor:
        clipped, dither, protected = ways
        members = x.shape[0]
        out = torch.empty(x.shape)
        marked = clipped and ctx.needs_input_grad[0]
        inside = torch.empty(x.shape if marked else (members, 0), dtype=torch.bool)
        flat = array(x, members, -1), array(out, members, -1), array(inside, members, -1 if marked else 0)
        spans = array(limits[0], members, -1), array(limits[1], members, -1)
        noise = _NEAREST
        if dither is not None:
            noise = fixed.STOCHASTIC if dither.rounds else fixed.NOISE, array(dither.keys.T, members, 2)
        ends = array(codes.low, members), array(codes.high, members)
        fixed.fake_quantize(*flat, (*spans, *ends, codes.symmetric), noise)
        if protected is not None:
            fixed.restore(*flat, array(protected, members, -1))
        if marked:
            ctx.save_for_backward(inside)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        if ctx.saved_tensors:
            gradient = _masked(gradient, ctx.saved_tensors[0], torch.ones(gradient.shape[0]))
        return gradient, None, None, None


class _Drop(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, thresholds: Tensor, keys: Tensor, relu: bool) -> Tensor:
        members, count = x.shape[0], x[0].numel()
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
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


def _masked(gradient: Tensor, inside: Tensor, factors: Tensor) -> Tensor:
    """Return the gradient times the member's factor where inside, times zero elsewhere."""
    members, count = gradient.shape[0], gradient[0].numel()
    out = torch.empty_like(gradient, memory_format=torch.contiguous_format)
    flat = (members, count)
    fixed.mask(array(gradient, *flat), array(inside, *flat), array(factors, members), array(out, *flat))
    return out
