"""The reference backend: pure PyTorch, readable, right on every device; the others must agree with it."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from lorap_bench.kernels import straight_through
from lorap_bench.kernels.csr import cut, edges_to_rows
from lorap_bench.kernels.derived import derived
from lorap_bench.kernels.interface import (
    ADAM_BETAS,
    ADAM_EPSILON,
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
from lorap_bench.kernels.random import counter_bits
from lorap_bench.kernels.straight_through import affine_grid, aligned

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.kernels.csr import Csr

__all__ = ["AddProduct", "Reference"]

_BETA1, _BETA2 = ADAM_BETAS

_GATES: dict[Gate, Callable[[Tensor], Tensor]] = {
    # Gates act on transposed logits [S, k, N]: a softmax over a short last axis is six times slower.
    Gate.SOFTMAX: lambda logits: torch.softmax(logits, dim=1),
    Gate.LINEAR: lambda logits: logits,
    # torch.sigmoid rounds an element by its place in memory, so by the number of members; beyond ±60 it is 0 or 1.
    Gate.SIGMOID: lambda logits: 1 / (1 + torch.exp(-logits.clamp(-60, 60))),
}


class Reference(Kernels):
    """Composed PyTorch operations; see ``Kernels`` for every formula."""

    name = "reference"

    def value_range(
        self, x: Tensor, *, channels: bool = False, protected: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        # Two reductions: torch's fused aminmax over an axis is ten times slower on CPU.
        if protected is not None:
            hidden = protected.view(*protected.shape, *(1,) * (x.dim() - 2))
            return x.masked_fill(hidden, math.inf).flatten(1).amin(1), x.masked_fill(hidden, -math.inf).flatten(1).amax(
                1
            )
        rows = x.flatten(1, -2) if channels else x.flatten(1)
        return rows.amin(1), rows.amax(1)

    def percentile_range(
        self, x: Tensor, fractions: Tensor, *, largest: float, protected: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        rows = x.flatten(1)
        count = rows.shape[1]
        deepest = max(1, math.floor(largest * count))
        seen = torch.full((x.shape[0],), count, device=x.device)
        upper = rows
        if protected is not None:
            hidden = protected.view(*protected.shape, *(1,) * (x.dim() - 2)).expand_as(x).flatten(1)
            rows, upper = rows.masked_fill(hidden, math.inf), rows.masked_fill(hidden, -math.inf)
            seen = (~protected).sum(1) * (count // protected.shape[1])
        place = (fractions * seen).floor().clamp(min=1).long().unsqueeze(1) - 1
        low = rows.topk(deepest, dim=1, largest=False).values.gather(1, place)
        high = upper.topk(deepest, dim=1).values.gather(1, place)
        return low.squeeze(1), high.squeeze(1)

    def remember(self, state: RangeState, current: tuple[Tensor, Tensor], momentum: Tensor | None) -> None:
        anything = current[0] <= current[1]
        for old, new, wider in zip((state.low, state.high), current, (torch.minimum, torch.maximum), strict=True):
            merged = wider(old, new) if momentum is None else old + momentum * (new - old)
            old.copy_(torch.where(anything, torch.where(state.seen, merged, new), old))
        state.seen.logical_or_(anything)

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
        grid = affine_grid(x, limits, codes)
        return straight_through.affine(x, grid, clipped=clipped, dither=dither, protected=protected)

    def step_quantize(self, x: Tensor, step: Tensor, top: Tensor, *, local: bool) -> Tensor:
        return straight_through.learned_step(x, step, top, local=local)

    def affine_quantize(self, x: Tensor, scale: Tensor, zero: Tensor, codes: CodeRange) -> Tensor:
        return straight_through.learned_affine(x, scale, zero, (aligned(codes.low, x), aligned(codes.high, x)))

    def mix_quantize(self, x: Tensor, mixture: Mixture, column: Tensor | None = None) -> Tensor:
        members, shape = x.shape[0], (x.shape[0], *(1,) * (x.dim() - 2), -1)
        parts = []
        for b in range(mixture.share.shape[1]):
            scale, zero = (
                table[:, b].view(shape) if column is None else table[:, b].index_select(1, column)
                for table in (mixture.scale, mixture.zero)
            )
            ends = aligned(mixture.low[:, b], x), aligned(mixture.high[:, b], x)
            quantized = straight_through.learned_affine(x, scale, zero, ends)
            parts.append(mixture.share[:, b].view(members, *(1,) * (x.dim() - 1)) * quantized)
        return torch.stack(parts).sum(0)

    def drop(self, x: Tensor, thresholds: Tensor, keys: Tensor, *, relu: bool) -> Tensor:
        bits = counter_bits(keys, x[0].numel()).view(x.shape)
        kept = bits >= aligned(thresholds, x)
        if relu:
            kept &= x > 0
        keep_rate = 0.5 - aligned(thresholds, x).double() / 2**32
        return x * (kept / keep_rate.to(x.dtype))

    def propagate(self, pattern: Csr, weight: Tensor | None, x: Tensor) -> Tensor:
        return cast("Tensor", _Propagate.apply(pattern, weight, x))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped

    def message_range(
        self,
        messages: Messages,
        *,
        fractions: Tensor | None = None,
        largest: float = 0.0,
        protected: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        hidden = _by_sender(protected, messages.pattern)
        if fractions is None:
            return self.value_range(messages.materialised(), protected=hidden)
        return self.percentile_range(messages.materialised(), fractions, largest=largest, protected=hidden)

    def sum_quantized(self, messages: Messages, known: KnownRange, *, protected: Tensor | None = None) -> Tensor:
        quantized = self.fake_quantize(
            messages.materialised(),
            known.limits,
            known.codes,
            clipped=known.clipped,
            protected=_by_sender(protected, messages.pattern),
        )
        return self.propagate(edges_to_rows(messages.pattern), None, quantized)

    def segment_softmax(self, pattern: Csr, logits: Tensor) -> Tensor:
        index = pattern.row.view(1, -1, 1).expand_as(logits)
        floor = logits.new_full((logits.shape[0], pattern.shape[0], logits.shape[2]), -math.inf)
        peak = floor.scatter_reduce(1, index, logits.detach(), "amax")
        exponent = torch.exp(logits - peak.index_select(1, pattern.row))
        total = self.propagate(edges_to_rows(pattern), None, exponent)
        return exponent / total.index_select(1, pattern.row)

    def sparse_linear(self, pattern: Csr, values: Tensor, weight: Tensor) -> Tensor:
        return cast("Tensor", _SparseLinear.apply(pattern, values, weight))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped

    def matmul(self, a: Tensor, b: Tensor) -> Tensor:
        return cast("Tensor", _Matmul.apply(a, b))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped

    def add_product(self, base: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return cast("Tensor", AddProduct.apply(base, a, b))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped

    def inject(self, x: Tensor, prompt: Injection, then: KnownRange | None = None) -> Tensor:
        turned = x.mT
        for factor in prompt.score:  # from the wide side: N r (d + k) multiplications, not N d k
            turned = self.matmul(factor.mT, turned)
        basis = prompt.basis[0]
        for factor in prompt.basis[1:]:
            basis = self.matmul(basis, factor)
        weights = _GATES[prompt.gate](turned / prompt.temperature + prompt.bias)
        prompted = x + self.matmul(weights.mT, basis)
        if then is None:
            return prompted
        return self.fake_quantize(prompted, then.limits, then.codes, clipped=then.clipped)

    def cut(self, pattern: Csr, rows: Tensor, columns: Tensor | None) -> tuple[Csr, Tensor]:
        return cut(pattern, rows, columns)

    def adam(self, flat: Tensor, gradient: Tensor, state: AdamState, scalars: tuple[Tensor, Tensor]) -> None:
        rate, decay = scalars
        if state.corrections is None:
            state.steps += 1
            corrections: Any = 1 - _BETA1**state.steps, 1 - _BETA2**state.steps
        else:
            corrections = state.corrections
        gradient = gradient + decay * flat
        state.first.lerp_(gradient, 1 - _BETA1)
        state.second.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
        root = (state.second / corrections[1]).sqrt_().add_(ADAM_EPSILON)
        flat.sub_((rate / corrections[0]) * state.first / root)


class _Matmul(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return _each(a, b)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        a, b = ctx.saved_tensors
        to_a = _each(gradient, b.mT) if ctx.needs_input_grad[0] else None
        to_b = _each(a.mT, gradient) if ctx.needs_input_grad[1] else None
        return to_a, to_b


class AddProduct(torch.autograd.Function):
    """``base + a b``, base a constant; the gradients are a backend's own products where it has no better."""

    @staticmethod
    def forward(ctx: Any, base: Tensor, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        out = b.new_empty(b.shape[0], a.shape[1], b.shape[2])
        for s, target in enumerate(out):
            torch.addmm(base[s if base.shape[0] > 1 else 0], a[s], b[s], out=target)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, Tensor]:
        a, b = ctx.saved_tensors
        return None, _each(gradient, b.mT), _each(a.mT, gradient)


class _Propagate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pattern: Csr, weight: Tensor | None, x: Tensor) -> Tensor:
        ctx.pattern = pattern
        wants_weight = weight is not None and weight.requires_grad
        ctx.save_for_backward(weight, x if wants_weight else None)
        return _spmm(pattern.rowptr, pattern.col, weight, x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor | None, Tensor | None]:
        pattern: Csr = ctx.pattern
        weight, x = ctx.saved_tensors
        gradient = gradient.contiguous()
        to_x = to_weight = None
        if ctx.needs_input_grad[2]:
            turned = None if weight is None else derived(_turned, weight, pattern)
            to_x = _spmm(pattern.t_rowptr, pattern.t_col, turned, gradient)
        if x is not None:
            heads = weight.shape[2] if weight.dim() == 3 else 1
            ends = gradient.index_select(1, pattern.row).unflatten(2, (heads, -1))
            starts = x.index_select(1, pattern.col).unflatten(2, (heads, -1))
            to_weight = (ends * starts).sum(-1).view_as(weight)
        return None, to_weight, to_x


class _SparseLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pattern: Csr, values: Tensor, weight: Tensor) -> Tensor:
        ctx.pattern = pattern
        ctx.save_for_backward(values, weight if values.requires_grad else None)
        return _spmm(pattern.rowptr, pattern.col, values, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor | None, Tensor]:
        pattern: Csr = ctx.pattern
        values, weight = ctx.saved_tensors
        gradient = gradient.contiguous()
        to_values = None
        if weight is not None:
            to_values = _sampled(pattern, gradient, weight)
        return None, to_values, _spmm(pattern.t_rowptr, pattern.t_col, derived(_turned, values, pattern), gradient)


def _by_sender(protected: Tensor | None, pattern: Csr) -> Tensor | None:
    """Return which messages are protected, ``[S, E]``, by who sends them."""
    return None if protected is None else protected.index_select(1, pattern.col)


def _turned(values: Tensor, pattern: Csr) -> Tensor:
    """Return values ``[S, E, …]`` in the order of the transpose."""
    return values.index_select(1, pattern.t_perm)


def _sampled(pattern: Csr, a: Tensor, b: Tensor) -> Tensor:
    """Return the stored entries ``[S, E]`` of each member's ``a bᵀ``: ``[S, rows, d]`` · ``[S, columns, d]``."""
    places = torch.sparse_csr_tensor(pattern.rowptr, pattern.col, a.new_zeros(pattern.entries), pattern.shape)
    parts = [torch.sparse.sampled_addmm(places, a[s], b[s].mT, beta=0.0).values() for s in range(a.shape[0])]
    return torch.stack(parts)


def _each(a: Tensor, b: Tensor) -> Tensor:
    """Multiply member by member: ``[S or 1, n, k]`` · ``[S, k, m]``."""
    out = b.new_empty(b.shape[0], a.shape[1], b.shape[2])
    for s, target in enumerate(out):
        torch.mm(a[s if a.shape[0] > 1 else 0], b[s], out=target)
    return out


def _spmm(rowptr: Tensor, col: Tensor, weight: Tensor | None, x: Tensor) -> Tensor:
    """Multiply one CSR pattern with values ``[1 or S, E]`` or ``[S, E, H]`` by dense ``[S, columns, d]``."""
    members, columns, width = x.shape
    shape = (rowptr.numel() - 1, columns)
    out = x.new_empty(members, shape[0], width)
    if weight is None:
        weight = x.new_ones(1, col.numel())
    if weight.dim() == 2:
        matrices = [torch.sparse_csr_tensor(rowptr, col, values, shape) for values in weight]
        for s, (source, target) in enumerate(zip(x, out, strict=True)):
            torch.addmm(target, matrices[s if len(matrices) > 1 else 0], source, beta=0, out=target)
        return out
    for s, values in enumerate(weight.expand(members, -1, -1)):
        per_head = zip(values.unbind(1), x[s].chunk(values.shape[1], 1), out[s].chunk(values.shape[1], 1), strict=True)
        for head, source, target in per_head:
            target.copy_(torch.sparse_csr_tensor(rowptr, col, head.contiguous(), shape) @ source)
    return out


with warnings.catch_warnings():
    # torch says once a process that CSR tensors are in beta and unchecked: spend both warnings here, where
    # they are expected (patterns are built and tested in this package).
    warnings.filterwarnings("ignore", message="Sparse (CSR tensor|invariant checks)", category=UserWarning)
    torch.sparse_csr_tensor(torch.tensor([0, 0]), torch.tensor([], dtype=torch.int64), torch.tensor([]), (1, 1))
