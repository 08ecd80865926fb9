"""Features with a mixture of vectors added to each row, multiplied without a gradient of their own size.

A node prompt makes a sparse input dense: ``X + a P`` is ``[S, N, F]``. Where its quantizer passes gradients straight
through, nobody needs the gradient of that tensor: with G the gradient of ``Q(X + a P) W``, a has ``G (P W)ᵀ`` and
P has ``(aᵀ G) Wᵀ``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from lorap_bench.kernels.backend import kernels

if TYPE_CHECKING:
    from lorap_bench.kernels.features import Features

__all__ = ["Prompted"]

Pass = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Prompted:
    """``Q(X + a P)``, not yet computed; ``through`` is Q, whose gradient must be the identity (None: no Q).

    Shape: weights (a) ``[S, N, k]``; vectors (P) ``[S, k, F]``.
    """

    features: Features
    weights: Tensor
    vectors: Tensor
    through: Pass | None = None

    def dense(self) -> Tensor:
        """Return ``[S, N, F]``."""
        prompted = kernels().add_product(self.features.dense(), self.weights, self.vectors)
        return prompted if self.through is None else self.through(prompted)

    def linear(self, weight: Tensor) -> Tensor:
        """Multiply by each member's weight: ``[S, F, d]`` → ``[S, N, d]``."""
        return cast("Tensor", _Linear.apply(self.weights, self.vectors, weight, self))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, vectors: Tensor, weight: Tensor, prompted: Prompted) -> Tensor:
        x = prompted.dense()
        ctx.save_for_backward(x, weights, vectors, weight)
        return kernels().matmul(x, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weights, vectors, weight = ctx.saved_tensors
        multiply, wanted = kernels().matmul, ctx.needs_input_grad
        gradient = gradient.contiguous()
        to_weights = multiply(gradient, multiply(vectors, weight).mT) if wanted[0] else None
        to_vectors = multiply(multiply(weights.mT, gradient), weight.mT) if wanted[1] else None
        to_weight = multiply(x.mT, gradient) if wanted[2] else None
        return to_weights, to_vectors, to_weight, None
