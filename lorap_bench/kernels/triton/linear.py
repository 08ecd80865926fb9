"""Products as differentiable functions of tensors: dense, sparse, and the softmax of sparse rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lorap_bench.kernels.triton import elements, products, rows
from lorap_bench.kernels.triton.compiled import cells, launch, plain, power_of_two

if TYPE_CHECKING:
    from lorap_bench.kernels.csr import Csr

__all__ = ["PARTS", "apply", "matmul", "segment_softmax", "sum_rows", "summed"]

# A sum over a long axis is cut in at most so many parts, each of at least so many terms.
PARTS, _TERMS = 128, 256

_BLOCK = 64
"""Columns of a tile, at most."""


def sum_rows(pattern: Csr, weight: Tensor | None, x: Tensor) -> Tensor:
    """Multiply a sparse matrix by each member's dense one."""
    return apply(_SumRows, pattern, weight, x)


def segment_softmax(pattern: Csr, logits: Tensor) -> Tensor:
    """Normalise the entries of each row."""
    return apply(_SegmentSoftmax, pattern, logits)


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Multiply each member's matrices."""
    return apply(_Matmul, a, b)


def summed(parts: Tensor) -> Tensor:
    """Sum ``[S, parts, n]`` over its parts in their order."""
    members, number, count = parts.shape
    out = parts.new_empty(members, count)
    grid = (cells(count, elements.BLOCK), members)
    launch(products.sum_parts, grid, parts, out, count, number, BLOCK=elements.BLOCK)
    return out


def apply(function: type[torch.autograd.Function], *arguments: Any) -> Tensor:
    """Call a differentiable function."""
    return cast("Tensor", function.apply(*arguments))


class _SumRows(torch.autograd.Function):
    """``Kernels.propagate`` and ``Kernels.sparse_linear``."""

    @staticmethod
    def forward(ctx: Any, pattern: Csr, weight: Tensor | None, x: Tensor) -> Tensor:
        ctx.pattern = pattern
        wants_weight = weight is not None and weight.requires_grad
        ctx.save_for_backward(weight, x if wants_weight else None)
        return _sum_rows((pattern.rowptr, pattern.col, None), weight, x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor | None, Tensor | None]:
        pattern: Csr = ctx.pattern
        weight, x = ctx.saved_tensors
        to_x = to_weight = None
        if ctx.needs_input_grad[2]:
            to_x = _sum_rows((pattern.t_rowptr, pattern.t_col, pattern.t_perm), weight, gradient)
        if x is not None:
            to_weight = _sampled(pattern, weight, gradient, x)
        return None, to_weight, to_x


class _SegmentSoftmax(torch.autograd.Function):
    """``Kernels.segment_softmax``."""

    @staticmethod
    def forward(ctx: Any, pattern: Csr, logits: Tensor) -> Tensor:
        logits = plain(logits)
        out = torch.empty_like(logits)
        members, entries, heads = logits.shape
        grid = (pattern.shape[0], heads, members)
        launch(rows.soften, grid, pattern.rowptr, logits, out, entries, heads, ENTRIES=rows.ENTRIES)
        ctx.pattern = pattern
        ctx.save_for_backward(out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        (shares,) = ctx.saved_tensors
        gradient = plain(gradient)
        out = torch.empty_like(gradient)
        members, entries, heads = gradient.shape
        grid = (ctx.pattern.shape[0], heads, members)
        tensors = (ctx.pattern.rowptr, shares, gradient, out)
        launch(rows.soften_backward, grid, *tensors, entries, heads, ENTRIES=rows.ENTRIES)
        return None, out


class _Matmul(torch.autograd.Function):
    """``Kernels.matmul``."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return _multiplied(a, b)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        a, b = ctx.saved_tensors
        to_a = _multiplied(gradient, b.mT) if ctx.needs_input_grad[0] else None
        to_b = _multiplied(a.mT, gradient) if ctx.needs_input_grad[1] else None
        return to_a, to_b


def _sum_rows(pointers: tuple[Tensor, Tensor, Tensor | None], weight: Tensor | None, x: Tensor) -> Tensor:
    """Sum rows: pointers are those of the rows, the columns, and where the weight of each entry is."""
    rowptr, col, order = pointers
    x = plain(x)
    members, columns, width = x.shape
    out = x.new_empty(members, rowptr.numel() - 1, width)
    weight = None if weight is None else plain(weight)
    shared = weight is None or weight.shape[0] == 1
    block = power_of_two(width, most=128)
    launch(
        rows.sum_rows,
        (out.shape[1], cells(width, block), members),
        *(rowptr, col, col if order is None else order, x if weight is None else weight, x, out),
        *(0 if weight is None or shared else weight[0].numel(), columns, width),
        weight.shape[2] if weight is not None and weight.dim() == 3 else 1,
        WEIGHTED=weight is not None,
        ORDERED=order is not None,
        HEADS=weight is not None and weight.dim() == 3,
        ENTRIES=rows.ENTRIES,
        BLOCK=block,
    )
    return out


def _sampled(pattern: Csr, weight: Tensor, gradient: Tensor, x: Tensor) -> Tensor:
    """Return the gradient to the weights of the entries, shaped like them."""
    gradient, x = plain(gradient), plain(x)
    heads = weight.shape[2] if weight.dim() == 3 else 1
    out = x.new_empty(x.shape[0], pattern.entries, heads)
    launch(
        rows.sample,
        (cells(pattern.entries, rows.ENTRIES), heads, x.shape[0]),
        *(pattern.row, pattern.col, gradient, x, out, pattern.entries, *pattern.shape, x.shape[2], heads),
        ENTRIES=rows.ENTRIES,
        BLOCK=power_of_two(x.shape[2] // heads, most=_BLOCK),
    )
    return out.view(weight.shape)


def _multiplied(a: Tensor, b: Tensor) -> Tensor:
    """Multiply ``[S or 1, n, k]`` · ``[S, k, m]``; a long inner axis in parts that are summed in their order."""
    members, count, inner, columns = b.shape[0], a.shape[1], a.shape[2], b.shape[2]
    tile = {"ROWS": power_of_two(count, most=_BLOCK), "COLUMNS": power_of_two(columns, most=_BLOCK), "INNER": 32}
    across = cells(count, tile["ROWS"]), cells(columns, tile["COLUMNS"])
    parts = max(1, min(cells(inner, _TERMS), PARTS // max(across[0] * across[1], 1)))
    share = cells(cells(inner, parts), tile["INNER"]) * tile["INNER"]
    parts = max(1, cells(inner, share)) if share else 1
    out = b.new_empty(members, parts, count, columns)
    launch(
        products.multiply,
        (*across, members * parts),
        *(a, b, out, count, inner, columns, share),
        *(a.stride(0) if a.shape[0] > 1 else 0, a.stride(1), a.stride(2), *b.stride(), parts),
        **tile,
    )
    return out.squeeze(1) if parts == 1 else summed(out.flatten(2)).view(members, count, columns)
