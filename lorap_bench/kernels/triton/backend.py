"""The Triton backend: what one pass over memory can do is one kernel; the reference does the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from lorap_bench.errors import ConfigError, Fault
from lorap_bench.kernels.reference import Reference
from lorap_bench.kernels.triton import functions, linear
from lorap_bench.kernels.triton.compiled import INTERPRETED

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.kernels.csr import Csr
    from lorap_bench.kernels.interface import CodeRange, Dither, Injection, KnownRange

__all__ = ["Triton"]


@final
class Triton(Reference):
    """Fused kernels on float32 tensors of a CUDA device, or of any device where Triton interprets.

    Raises:
        ConfigError: a tensor has another type or lies elsewhere.
    """

    name = "triton"

    def fake_quantize(
        self,
        x: Tensor,
        limits: tuple[Tensor, Tensor],
        codes: CodeRange,
        *,
        clipped: bool,
        dither: Dither | None = None,
        protected: Tensor | None = None,
    ) -> Tensor:
        _check(x, *limits)
        return functions.affine(x, limits, codes, clipped=clipped, dither=dither, protected=protected)

    def drop(self, x: Tensor, thresholds: Tensor, keys: Tensor, *, relu: bool) -> Tensor:
        _check(x)
        return functions.drop(x, thresholds, keys, relu=relu)

    def propagate(self, pattern: Csr, weight: Tensor | None, x: Tensor) -> Tensor:
        _check(x)
        return linear.sum_rows(pattern, weight, x)

    def segment_softmax(self, pattern: Csr, logits: Tensor) -> Tensor:
        _check(logits)
        return linear.segment_softmax(pattern, logits)

    def sparse_linear(self, pattern: Csr, values: Tensor, weight: Tensor) -> Tensor:
        _check(values, weight)
        return linear.sum_rows(pattern, values, weight)

    def matmul(self, a: Tensor, b: Tensor) -> Tensor:
        _check(a, b)
        return linear.matmul(a, b)

    def add_product(self, base: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return base + self.matmul(a, b)

    def inject(self, x: Tensor, prompt: Injection, then: KnownRange | None = None) -> Tensor:
        _check(x)
        score, basis = (pair[0] if len(pair) == 1 else linear.matmul(*pair) for pair in (prompt.score, prompt.basis))
        return functions.inject(x, score, basis, prompt.bias, (prompt.temperature, prompt.gate), then)


def _check(*tensors: Tensor) -> None:
    for tensor in tensors:
        if tensor.dtype != torch.float32:
            raise _refused("type", tensor.dtype, "torch.float32")
        if not (tensor.is_cuda or INTERPRETED):
            raise _refused("device", tensor.device, "cuda; any with TRITON_INTERPRET=1")


def _refused(what: str, got: object, allowed: str) -> ConfigError:
    fault = Fault(
        path="backend triton", message=f"cannot compute on tensors of this {what}", got=str(got), allowed=allowed
    )
    return ConfigError([fault])
