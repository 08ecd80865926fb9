"""Quantization, dropout and injection as differentiable functions of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lorap_bench.kernels.interface import Gate
from lorap_bench.kernels.triton import elements, injection
from lorap_bench.kernels.triton.compiled import cells, launch, plain, power_of_two
from lorap_bench.kernels.triton.linear import PARTS, apply, summed

if TYPE_CHECKING:
    from lorap_bench.kernels.interface import CodeRange, Dither, KnownRange

__all__ = ["affine", "drop", "inject"]

_GATES = {Gate.SOFTMAX: injection.SOFTMAX, Gate.LINEAR: injection.LINEAR, Gate.SIGMOID: injection.SIGMOID}

# Columns of an injection's rows: at most so many at once in the kernel that writes them, so many in the others.
_WIDEST, _BLOCK = 256, 64


def affine(
    x: Tensor,
    limits: tuple[Tensor, Tensor],
    codes: CodeRange,
    *,
    clipped: bool,
    dither: Dither | None,
    protected: Tensor | None,
) -> Tensor:
    """Quantize on the grid of a range."""
    return apply(_Affine, x, limits, codes, clipped, dither, protected)


def drop(x: Tensor, thresholds: Tensor, keys: Tensor, *, relu: bool) -> Tensor:
    """Apply (ReLU and) dropout."""
    return apply(_Drop, x, thresholds, keys, relu)


def inject(
    x: Tensor,
    score: Tensor,
    basis: Tensor,
    bias: Tensor,
    scalars: tuple[Tensor, Gate],
    then: KnownRange | None = None,
) -> Tensor:
    """Add a low-rank prompt to each row, then quantize if asked; scalars are the temperature and the gate."""
    return apply(_Inject, x, score, basis, bias, scalars, then)


class _Affine(torch.autograd.Function):
    """``Kernels.fake_quantize``."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        limits: tuple[Tensor, Tensor],
        codes: CodeRange,
        clipped: bool,
        dither: Dither | None,
        protected: Tensor | None,
    ) -> Tensor:
        x = x.contiguous()
        members, count = x.shape[0], x[0].numel()
        out = torch.empty_like(x)
        ctx.marked = clipped and ctx.needs_input_grad[0]
        inside = torch.empty_like(x, dtype=torch.uint8) if ctx.marked else out
        low, high = (limit.contiguous() for limit in limits)
        hidden = None if protected is None else protected.contiguous().view(torch.uint8)
        launch(
            elements.fake_quantize,
            (cells(count, elements.BLOCK), members),
            *(x, out, inside, low, high, codes.low, codes.high),
            low if dither is None else dither.keys.contiguous(),
            low if hidden is None else hidden,
            *(count, x.shape[-1], 1 if hidden is None else count // hidden.shape[1]),
            SYMMETRIC=codes.symmetric,
            MODE=elements.NEAREST if dither is None else elements.STOCHASTIC if dither.rounds else elements.NOISE,
            CHANNELS=low.dim() == 2,
            MARKED=ctx.marked,
            PROTECTED=hidden is not None,
            BLOCK=elements.BLOCK,
        )
        if ctx.marked:
            ctx.save_for_backward(inside)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        if ctx.marked:
            gradient = _masked(gradient, ctx.saved_tensors[0], None)
        return gradient, None, None, None, None, None


class _Drop(torch.autograd.Function):
    """``Kernels.drop``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, thresholds: Tensor, keys: Tensor, relu: bool) -> Tensor:
        x = x.contiguous()
        members, count = x.shape[0], x[0].numel()
        out = torch.empty_like(x)
        marked = ctx.needs_input_grad[0]
        kept = torch.empty_like(x, dtype=torch.uint8) if marked else out
        launch(
            elements.drop,
            (cells(count, elements.BLOCK), members),
            *(x, out, kept, thresholds, keys.contiguous(), count),
            RELU=relu,
            MARKED=marked,
            BLOCK=elements.BLOCK,
        )
        ctx.save_for_backward(kept, thresholds)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        return _masked(gradient, *ctx.saved_tensors), None, None, None


class _Inject(torch.autograd.Function):
    """``Kernels.inject`` with one matrix each for W and V."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        score: Tensor,
        basis: Tensor,
        bias: Tensor,
        scalars: tuple[Tensor, Gate],
        then: KnownRange | None,
    ) -> Tensor:
        x, score, basis, bias = (plain(tensor) for tensor in (x, score, basis, bias))
        ctx.temperature, ctx.gate = plain(scalars[0]), _GATES[scalars[1]]
        (members, length, width), count = x.shape, basis.shape[1]
        keeps = any(ctx.needs_input_grad)
        out = torch.empty_like(x)
        weights = x.new_empty(members, length, count) if keeps else out
        ctx.marked = keeps and then is not None and then.clipped
        inside = torch.empty_like(x, dtype=torch.uint8) if ctx.marked else out
        blocks = _injection_blocks(width, count)
        launch(
            injection.inject,
            (cells(length, blocks["ROWS"]), members),
            *(x, score, basis, bias, ctx.temperature, out, weights, inside, *_ends(then, out), length, width, count),
            GATE=ctx.gate,
            KEEP=keeps,
            QUANTIZED=then is not None,
            SYMMETRIC=then is not None and then.codes.symmetric,
            MARKED=ctx.marked,
            ONCE=width <= blocks["BLOCK"],
            **blocks,
        )
        ctx.save_for_backward(x, score, basis, weights, inside if ctx.marked else None)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None, None]:
        x, score, basis, weights, inside = ctx.saved_tensors
        gradient = plain(gradient if inside is None else _masked(gradient, inside, None))
        (members, length, width), count = x.shape, basis.shape[1]
        slopes, to_x = torch.empty_like(weights), torch.empty_like(x)
        blocks, sizes = _injection_blocks(width, count), (length, width, count)
        blocks["BLOCK"] = min(blocks["BLOCK"], _BLOCK)
        tiles = cells(length, blocks["ROWS"])
        launch(
            injection.slope,
            (tiles, members),
            *(gradient, score, basis, ctx.temperature, weights, slopes, to_x, *sizes),
            GATE=ctx.gate,
            **blocks,
        )
        each = cells(tiles, PARTS)
        parts = x.new_empty(members, cells(tiles, each), 2 * width * count + count)
        launch(
            injection.to_parameters,
            (parts.shape[1], cells(width, blocks["BLOCK"]), members),
            *(x, gradient, ctx.temperature, weights, slopes, parts, *sizes, each),
            **blocks,
        )
        to_score, to_basis, to_bias = summed(parts).split([width * count, width * count, count], dim=1)
        return to_x, to_score.view(score.shape), to_basis.view(basis.shape), to_bias.unsqueeze(2), None, None


def _ends(then: KnownRange | None, unread: Tensor) -> tuple[Tensor, ...]:
    """Return a quantizer's limits and end codes; without one, tensors that the kernel does not read."""
    if then is None:
        return (unread,) * 4
    return tuple(plain(end) for end in (*then.limits, then.codes.low, then.codes.high))


def _masked(gradient: Tensor, inside: Tensor, thresholds: Tensor | None) -> Tensor:
    """Return the gradient where inside, scaled as dropout scales if there are thresholds."""
    gradient = gradient.contiguous()
    members, count = gradient.shape[0], gradient[0].numel()
    out = torch.empty_like(gradient)
    launch(
        elements.masked,
        (cells(count, elements.BLOCK), members),
        *(gradient, inside, out if thresholds is None else thresholds, out, count),
        SCALED=thresholds is not None,
        BLOCK=elements.BLOCK,
    )
    return out


def _injection_blocks(width: int, count: int) -> dict[str, int]:
    """Return the tile of a program: rows of at most 256 columns stay in registers from reading to writing."""
    block = power_of_two(width) if width <= _WIDEST else _BLOCK
    return {"ROWS": 32, "BLOCK": block, "COUNT": power_of_two(count)}
