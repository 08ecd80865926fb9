"""A quantizer that searches its width: a softmax over candidates, then the likeliest of them.

Every candidate width has a learned scale and zero point of its own: the scale as its logarithm, so that a
step of the optimizer changes it by a share of itself.

Source: MixQ-GNN (Moustafa et al. 2024), section 4; LSQ+ (Bhalgat et al. 2020) for the gradients of scale
and zero point; the logarithm is ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

import torch
from torch import Tensor

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.interface import CodeRange, Mixture
from lorap_bench.kernels.members import Group, zeros
from lorap_bench.quant.context import Context, Stage
from lorap_bench.quant.quantizer import Quantizer, is_weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.cost.site import Site
    from lorap_bench.kernels.csr import Csr

__all__ = ["RelaxedQuantizer"]

_SMALLEST_SCALE = torch.finfo(torch.float32).eps


@final
class RelaxedQuantizer(Quantizer):
    """One site of MixQ; per column for activations with rows of nodes, else per tensor.

    Formula: in the search ``Σ_i softmax(α)_i Q_i(x)`` over the candidates, then ``Q_j(x)``, j = argmax α.
    Weights have signed codes (±s at 1 bit), activations unsigned ones with a zero point. α starts at
    ``softmax(candidates)``: near even, leaning to more bits.
    """

    live: ClassVar[bool] = True

    def __init__(self, candidates: Sequence[int], members: int, site: Site, context: Context) -> None:
        super().__init__(members)
        self.site, self.context = site, context
        self.signed = is_weight(site)
        columns = site.columns if site.rows in {"node", "graph"} else 1
        widths = torch.tensor(candidates, dtype=torch.float32)
        for name in ("log_scale", "zero"):
            self.declare(name, (len(candidates), columns), zeros, Group.SCALE)
        self.declare("choice", (len(candidates),), lambda *_: widths.softmax(0), Group.CHOICE)
        # One signed bit is ±s: the codes 0 and 1 around a zero point of one half.
        halved = (widths > 1) & self.signed
        power = torch.exp2(widths - halved.float()).round()
        tables = {
            "widths": widths,
            "low": torch.where(halved, -power, 0.0),
            "high": power - 1,
            "fixed_zero": torch.where((widths == 1) & self.signed, 0.5, 0.0),
        }
        for name, values in tables.items():
            self.register_buffer(name, values.repeat(members, 1))
        self.register_buffer("chosen", torch.zeros(members, 1, dtype=torch.int64))

    def calibrate(self, x: Tensor) -> None:
        """Do nothing: the scale is learned."""

    def begin(self, stage: Stage) -> None:
        if stage is Stage.QUANTIZED:
            self.get_buffer("chosen").copy_(self.get_parameter("choice").argmax(1, keepdim=True))

    def forward(self, x: Tensor) -> Tensor:
        if self.context.calibrating:
            rows = x.flatten(1, -2) if self._per_column else x.flatten(1).unsqueeze(2)
            self._fit(rows.amin(1), rows.amax(1))
        quantized = self._quantized(x, None)
        protected = self.context.protected_rows(self.site.rows)
        if protected is None:
            return quantized
        return torch.where(protected.view(*protected.shape, *(1,) * (x.dim() - 2)), x, quantized)

    def sparse(self, values: Tensor, pattern: Csr) -> Tensor:
        """Quantize stored entries; LSQ's factor is that of one value each, which Adam does not notice."""
        if self.context.calibrating:
            index, empty = pattern.col.long().expand_as(values), values.new_zeros(values.shape[0], pattern.shape[1])
            self._fit(*(empty.scatter_reduce(1, index, values, kind) for kind in ("amin", "amax")))
        quantized = self._quantized(values, pattern.col)
        protected = self.context.protected_rows(self.site.rows)
        return (
            quantized if protected is None else torch.where(protected.index_select(1, pattern.row), values, quantized)
        )

    def bits(self) -> Tensor:
        widths = self.get_buffer("widths")
        if self.context.stage is Stage.SEARCH:
            return (self.get_parameter("choice").softmax(1) * widths).sum(1)
        return widths.gather(1, self.get_buffer("chosen")).squeeze(1)

    @property
    def _per_column(self) -> bool:
        return self.get_parameter("zero").shape[2] > 1

    def _quantized(self, x: Tensor, column: Tensor | None) -> Tensor:
        """Mix the candidates in the search, then take the chosen one; ``column`` as in ``Kernels.mix_quantize``."""
        low, high, fixed = (self.get_buffer(name) for name in ("low", "high", "fixed_zero"))
        scale: Tensor = self.get_parameter("log_scale")
        zero: Tensor = self.get_parameter("zero")
        searching = self.context.stage is Stage.SEARCH
        if not searching:
            index = self.get_buffer("chosen")
            low, high, fixed = (table.gather(1, index) for table in (low, high, fixed))
            scale, zero = (
                table.gather(1, index.unsqueeze(2).expand(-1, -1, table.shape[2])) for table in (scale, zero)
            )
        ends = low.unsqueeze(2), high.unsqueeze(2)
        rounded = torch.minimum(torch.maximum(zero.detach().round(), ends[0]), ends[1])
        zero = fixed.unsqueeze(2).expand_as(zero) if self.signed else rounded + (zero - zero.detach())
        scale = scale.exp().clamp(min=_SMALLEST_SCALE)
        if searching:
            share = self.get_parameter("choice").softmax(1)
            return kernels().mix_quantize(x, Mixture(share, scale, zero, low, high), column)
        scale, zero = (_spread(table.squeeze(1), x, column) for table in (scale, zero))
        return kernels().affine_quantize(x, scale, zero, CodeRange(low.squeeze(1), high.squeeze(1), self.signed))

    @torch.no_grad()
    def _fit(self, least: Tensor, most: Tensor) -> None:
        """Take scale and zero point of every candidate from a range ``[S, C]`` that is widened to hold 0."""
        least, most = least.clamp(max=0).unsqueeze(1), most.clamp(min=0).unsqueeze(1)
        low, high = self.get_buffer("low").unsqueeze(2), self.get_buffer("high").unsqueeze(2)
        if self.signed:
            reach = torch.where(low < 0, high, 0.5)
            scale = (torch.maximum(-least, most) / reach).clamp(min=_SMALLEST_SCALE)
            zero = torch.zeros_like(scale)
        else:
            scale = ((most - least) / (high - low)).clamp(min=_SMALLEST_SCALE)
            zero = (low - least / scale).round()
        self.get_parameter("log_scale").data.copy_(scale.log())
        self.get_parameter("zero").data.copy_(zero)


def _spread(table: Tensor, x: Tensor, column: Tensor | None) -> Tensor:
    """Bring one value a column, ``[S, C]``, to the shape of the tensor at hand."""
    if column is not None:
        return table.index_select(1, column)
    return table.view(x.shape[0], *(1,) * (x.dim() - 2), -1)
