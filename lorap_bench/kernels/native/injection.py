"""Low-rank injection as one differentiable function: few matrix products, each written where it is read next.

What has one value a row and prompt lies transposed, ``[S, k, N]``: products with it need no copy, and a softmax
over an axis that is not the last is several times faster.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["inject"]


def inject(x: Tensor, score: Tensor, basis: Tensor, scalars: tuple[Tensor, Tensor], *, normalize: bool) -> Tensor:
    """Add ``g(x W / τ + c) V`` to x; g is the softmax, or without ``normalize`` the identity.

    Shape: x ``[S, N, d]``, score (W) ``[S, d, k]``, basis (V) ``[S, k, d]``; scalars: bias (c) ``[S, k, 1]`` and
    temperature (τ) ``[S, 1, 1]``.
    """
    return cast("Tensor", _Inject.apply(x, score, basis, *scalars, normalize))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


class _Inject(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917  # the signature autograd calls
        ctx: Any, x: Tensor, score: Tensor, basis: Tensor, bias: Tensor, temperature: Tensor, normalize: bool
    ) -> Tensor:
        weights, out = x.new_empty(x.shape[0], score.shape[2], x.shape[1]), torch.empty_like(x)
        for s, member in enumerate(x):
            torch.mm(score[s].mT, member.mT, out=weights[s])
        weights.div_(temperature).add_(bias)
        if normalize:
            weights = weights.softmax(1)
        for s, member in enumerate(x):
            torch.addmm(member, weights[s].mT, basis[s], out=out[s])
        ctx.normalize = normalize
        ctx.save_for_backward(x, score, basis, temperature, weights)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, score, basis, temperature, weights = ctx.saved_tensors
        gradient, slopes = gradient.contiguous(), torch.empty_like(weights)
        to_x, to_score, to_basis = torch.empty_like(x), torch.empty_like(score.mT), torch.empty_like(basis)
        for s, incoming in enumerate(gradient):
            torch.mm(basis[s], incoming.mT, out=slopes[s])
            torch.mm(weights[s], incoming, out=to_basis[s])
        if ctx.normalize:
            slopes.sub_((weights * slopes).sum(1, keepdim=True)).mul_(weights)
        to_bias = slopes.sum(2, keepdim=True)
        slopes.div_(temperature)
        for s, incoming in enumerate(gradient):
            torch.mm(slopes[s], x[s], out=to_score[s])
            torch.addmm(incoming, slopes[s].mT, score[s].mT, out=to_x[s])
        return to_x, to_score.mT, to_basis, to_bias, None, None
