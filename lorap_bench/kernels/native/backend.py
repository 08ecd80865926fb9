"""The native backend: one pass over memory where the reference takes one an operation, and the same bits."""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from lorap_bench.kernels.interface import (
    AdamState,
    CodeRange,
    Dither,
    Gate,
    Injection,
    Kernels,
    KnownRange,
    Messages,
    Mixture,
    RangeState,
)
from lorap_bench.kernels.native import (
    functions,
    injection,
    learned_functions,
    message_functions,
    order,
    pattern_functions,
)
from lorap_bench.kernels.native.functions import array
from lorap_bench.kernels.reference import Reference
from lorap_bench.kernels.straight_through import aligned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lorap_bench.kernels.csr import Csr

__all__ = ["Native"]

# Columns up to which a product is a pass over memory; a library is faster with more.
_THIN = 16


@final
class Native(Kernels):
    """Compiled loops over float32 tensors in main memory; the reference does the rest.

    Products stay the reference's: its libraries' are faster than a loop here.
    """

    name = "native"

    def __init__(self) -> None:
        self._reference = Reference()

    def value_range(
        self, x: Tensor, *, channels: bool = False, protected: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        if not _fits(x) or (channels and protected is not None):
            return self._reference.value_range(x, channels=channels, protected=protected)
        members = x.shape[0]
        if channels:
            out = torch.empty(2, members, x.shape[-1])
            order.channel_range(array(x, members, -1, x.shape[-1]).view("int32"), out.numpy().view("int32"))
        else:
            out = torch.empty(2, members)
            order.value_range(array(x, members, -1).view("int32"), _rows(protected, members), out.numpy().view("int32"))
        return out[0], out[1]

    def percentile_range(
        self, x: Tensor, fractions: Tensor, *, largest: float, protected: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        if _fits(x) and fractions.dtype == torch.float64:
            members = x.shape[0]
            out = torch.empty(2, members)
            values, hidden = array(x, members, -1), _rows(protected, members)
            if order.percentiles(values, array(fractions, members), hidden, out.numpy()):
                return out[0], out[1]
        return self._reference.percentile_range(x, fractions, largest=largest, protected=protected)

    def remember(self, state: RangeState, current: tuple[Tensor, Tensor], momentum: Tensor | None) -> None:
        if all(tensor.dtype == torch.float32 and tensor.is_cpu for tensor in (state.low, *current)):
            functions.remember(state, current, momentum)
        else:
            self._reference.remember(state, current, momentum)

    def fake_quantize(  # noqa: PLR0913  # the contract's
        self,
        x: Tensor,
        limits: tuple[Tensor, Tensor],
        codes: CodeRange,
        *,
        clipped: bool,
        dither: Dither | None = None,
        protected: Tensor | None = None,
    ) -> Tensor:
        if not _fits(x, *limits):
            return self._reference.fake_quantize(x, limits, codes, clipped=clipped, dither=dither, protected=protected)
        return functions.affine(x, limits, codes, clipped=clipped, dither=dither, protected=protected)

    def step_quantize(self, x: Tensor, step: Tensor, top: Tensor, *, local: bool) -> Tensor:
        if _fits(x, step, top) and _spans(x, step, top):
            return learned_functions.learned_step(x, step, top, local=local)
        return self._reference.step_quantize(x, step, top, local=local)

    def affine_quantize(self, x: Tensor, scale: Tensor, zero: Tensor, codes: CodeRange) -> Tensor:
        if _fits(x, scale, zero) and _spans(x, scale, zero):
            ends = aligned(codes.low, x), aligned(codes.high, x)
            return learned_functions.learned_affine(x, scale, zero, ends)
        return self._reference.affine_quantize(x, scale, zero, codes)

    def mix_quantize(self, x: Tensor, mixture: Mixture, column: Tensor | None = None) -> Tensor:
        columns = mixture.scale.shape[2]
        if _fits(x, mixture.share) and (column is not None or columns in {1, x.shape[-1]}):
            return learned_functions.mix_quantize(x, mixture, column)
        return self._reference.mix_quantize(x, mixture, column)

    def drop(self, x: Tensor, thresholds: Tensor, keys: Tensor, *, relu: bool) -> Tensor:
        if _fits(x):
            return functions.drop(x, thresholds, keys, relu=relu)
        return self._reference.drop(x, thresholds, keys, relu=relu)

    def propagate(self, pattern: Csr, weight: Tensor | None, x: Tensor) -> Tensor:
        return self._reference.propagate(pattern, weight, x)

    def message_range(
        self,
        messages: Messages,
        *,
        fractions: Tensor | None = None,
        largest: float = 0.0,
        protected: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        found = None
        if _sends(messages) and fractions is None:
            found = message_functions.extremes(messages, protected)
        elif _sends(messages) and fractions is not None and fractions.dtype == torch.float64:
            found = message_functions.percentiles(messages, fractions, protected)
        if found is not None:
            return found
        return self._reference.message_range(messages, fractions=fractions, largest=largest, protected=protected)

    def sum_quantized(self, messages: Messages, known: KnownRange, *, protected: Tensor | None = None) -> Tensor:
        if messages.weight is None:  # all that a node sends is quantized alike
            quantized = self.fake_quantize(
                messages.x, known.limits, known.codes, clipped=known.clipped, protected=protected
            )
            return self.propagate(messages.pattern, None, quantized)
        if _sends(messages, *known.limits):
            return message_functions.sum_quantized(messages, known, protected)
        return self._reference.sum_quantized(messages, known, protected=protected)

    def segment_softmax(self, pattern: Csr, logits: Tensor) -> Tensor:
        return self._reference.segment_softmax(pattern, logits)

    def sparse_linear(self, pattern: Csr, values: Tensor, weight: Tensor) -> Tensor:
        return self._reference.sparse_linear(pattern, values, weight)

    def matmul(self, a: Tensor, b: Tensor) -> Tensor:
        return self._reference.matmul(a, b)

    def add_product(self, base: Tensor, a: Tensor, b: Tensor) -> Tensor:
        if a.shape[2] <= _THIN and _fits(base, a, b):
            return functions.add_product(base, a, b)
        return self._reference.add_product(base, a, b)

    def inject(self, x: Tensor, prompt: Injection, then: KnownRange | None = None) -> Tensor:
        prompted = self._inject(x, prompt)
        if then is None:
            return prompted
        return self.fake_quantize(prompted, then.limits, then.codes, clipped=then.clipped)

    def _inject(self, x: Tensor, prompt: Injection) -> Tensor:
        if prompt.gate is Gate.SIGMOID or not _fits(x, prompt.bias, prompt.temperature):
            return self._reference.inject(x, prompt)
        # Products of factors first: a library is slow with the few columns of a rank.
        score, basis = (reduce(self.matmul, factors) for factors in (prompt.score, prompt.basis))
        scalars = prompt.bias, prompt.temperature
        return injection.inject(x, score, basis, scalars, normalize=prompt.gate is Gate.SOFTMAX)

    def cut(self, pattern: Csr, rows: Tensor, columns: Tensor | None) -> tuple[Csr, Tensor]:
        if pattern.col.is_cpu:
            return pattern_functions.cut(pattern, rows, columns)
        return self._reference.cut(pattern, rows, columns)

    def adam(self, flat: Tensor, gradient: Tensor, state: AdamState, scalars: tuple[Tensor, Tensor]) -> None:
        if _fits(flat, gradient, *scalars):
            functions.adam(flat, gradient, state, scalars)
        else:
            self._reference.adam(flat, gradient, state, scalars)


def _fits(x: Tensor, *others: Tensor) -> bool:
    """Whether the loops can take these: float32 in main memory, x not empty."""
    if x.dtype != torch.float32 or not x.is_cpu or x.dim() < 2 or not x.numel():
        return False
    return not others or all(tensor.dtype == torch.float32 and tensor.is_cpu for tensor in others)


def _sends(messages: Messages, *limits: Tensor) -> bool:
    """Whether the loops can make these messages: of constant weights, one an entry."""
    weight = messages.weight
    if not messages.pattern.entries:
        return False
    if weight is None:
        return _fits(messages.x, *limits)
    return weight.dim() == 2 and not weight.requires_grad and _fits(messages.x, weight, *limits)


def _spans(x: Tensor, *parameters: Tensor) -> bool:
    """Whether each parameter is one a member, or varies along all middle axes of x, the last, or both."""
    middle = x.shape[1:-1]
    return all(
        parameter.dim() == x.dim()
        and parameter.shape[0] == x.shape[0]
        and parameter.shape[-1] in {1, x.shape[-1]}
        and (parameter.shape[1:-1] == middle or math.prod(parameter.shape[1:-1]) == 1)
        for parameter in parameters
    )


def _rows(protected: Tensor | None, members: int) -> NDArray[Any]:
    """Return the protected rows ``[S, N]``, or ``[S, 0]`` where none is."""
    if protected is None:
        return array(torch.empty(members, 0, dtype=torch.bool), members, 0)
    return array(protected, members, -1)
