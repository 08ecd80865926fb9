"""Integer codes: what is stored at a site, and how real values and sums of products become codes again."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorap_bench.errors import LorapBenchError
from lorap_bench.kernels.straight_through import Grid, affine_grid
from lorap_bench.quant.affine import ActivationQuantizer, AffineQuantizer, WeightQuantizer

if TYPE_CHECKING:
    from lorap_bench.kernels.csr import Csr
    from lorap_bench.models.hooks import Quantized

__all__ = ["Coded", "Coder", "Coders", "SparseCoded", "Sums", "Value", "real"]


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """Integers and the grid they stand on: ``x = (code - zero) scale``.

    Shape: codes ``[…, C]`` int8 or uint8; scale float32 and zero int32, both ``[]`` or ``[1, C]``.
    """

    codes: Tensor
    scale: Tensor
    zero: Tensor

    def real(self) -> Tensor:
        """Return the values, float32."""
        return (self.codes - self.zero.float()).mul_(self.scale)

    def relu(self) -> Coded:
        """Return max(x, 0), which is max(code, zero)."""
        return replace(self, codes=torch.maximum(self.codes, self.zero.to(self.codes.dtype)))

    def signed(self) -> Coded:
        """Return the same values on int8 codes: unsigned codes and their zero point move by 128."""
        if self.codes.dtype == torch.int8:
            return self
        return replace(self, codes=(self.codes ^ 128).view(torch.int8), zero=self.zero - 128)

    def magnitude(self) -> int:
        """Return a bound of |code| + |zero| for any codes of this storage."""
        return (128 if self.codes.dtype == torch.int8 else 255) + int(self.zero.abs().max())


@dataclass(frozen=True, slots=True, eq=False)
class SparseCoded:
    """A matrix whose stored entries have codes and whose other entries are exactly zero; entries ``[E]``."""

    pattern: Csr
    entries: Coded

    def dense(self) -> Coded:
        """Return every entry: ``[N, F]``, the code of zero where nothing is stored."""
        codes = self.entries.codes.new_full(self.pattern.shape, int(self.entries.zero))
        codes[self.pattern.row, self.pattern.col.long()] = self.entries.codes
        return replace(self.entries, codes=codes)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Accumulated integers, zero points already taken out: ``x = sums scale``; sums ``[…, C]`` int32."""

    sums: Tensor
    scale: Tensor

    def real(self) -> Tensor:
        """Return the values, float32."""
        return self.sums * self.scale


Value = Coded | Tensor
"""Codes, or real values where a tensor has no codes: after batch norm, a late prompt, or at 32 bits."""


def real(x: Value) -> Tensor:
    """Return the values, float32."""
    return x.real() if isinstance(x, Coded) else x


@dataclass(frozen=True, slots=True, eq=False)
class Coder:
    """The grid of one site; ``grid`` as in ``kernels.straight_through``, each part ``[]`` or ``[1, C]``."""

    site: str
    grid: Grid

    @property
    def bits(self) -> int:
        """The width of a code."""
        return math.ceil(math.log2(float(self.grid.high - self.grid.low) + 1))

    @property
    def dtype(self) -> torch.dtype:
        """The smallest storage: signed where codes are negative."""
        return torch.int8 if self.grid.low < 0 else torch.uint8

    def code(self, x: Tensor) -> Coded:
        """Round real values, or rescaled sums, to codes: ``clamp(round(x / scale + zero), low, high)``.

        The division by this scale follows the multiplication by the last one, as in fake quantization: sums
        of equal values often lie half-way between codes, and both must then round alike.
        """
        place = torch.div(x, self.grid.scale).add_(self.grid.zero).round_()
        codes = place.clamp_(self.grid.low, self.grid.high).to(self.dtype)
        return Coded(codes, self.grid.scale, self.grid.zero.to(torch.int32))


class Coders:
    """The coders of one part of a network of one member; where ``kept`` is a dict, it receives what they code."""

    def __init__(self, part: Quantized) -> None:
        self.prefix = part.prefix
        self.kept: dict[str, Coded] | None = None
        self.weights: list[tuple[str, Coded]] = []
        locals_ = [site.removeprefix(part.prefix) for site in part.sizes]
        self._coders = {name: _coder(part, name) for name in locals_ if _is_affine(part, name)}

    def code(self, local: str, x: Tensor) -> Value:
        """Return the codes of a site; the values themselves where it has none (32 bits)."""
        return self.operand(local, x) if local in self._coders else x

    def operand(self, local: str, x: Tensor) -> Coded:
        """Return the codes of a site that must have them, as a factor of integer products."""
        coded = self._coders[local].code(x)
        if self.kept is not None:
            self.kept[self.prefix + local] = coded
        return coded

    def weight(self, local: str, parameter: Tensor) -> Coded:
        """Return the codes of a parameter ``[1, d_in, d_out]``: ``[d_in, d_out]``."""
        coded = self.operand(local, parameter.detach()[0])
        self.weights.append((local, coded))
        return coded

    @property
    def grids(self) -> dict[str, Coder]:
        """The grid of every site that has codes, by the site's full name."""
        return {coder.site: coder for coder in self._coders.values()}

    def has(self, local: str) -> bool:
        """Return whether a site has codes."""
        return local in self._coders

    def bits(self, local: str) -> int:
        """Return the width of a site's codes."""
        return self._coders[local].bits


def _is_affine(part: Quantized, local: str) -> bool:
    return isinstance(part.quantizer(local), AffineQuantizer)


def _coder(part: Quantized, local: str) -> Coder:
    quantizer, site = part.quantizer(local), part.prefix + local
    if isinstance(quantizer, WeightQuantizer):
        parameter = part.get_parameter(PARAMETERS.get(local, local)).detach()
        grid = affine_grid(parameter, quantizer.limits(parameter), quantizer.codes)
    else:
        assert isinstance(quantizer, ActivationQuantizer)
        if not quantizer.get_buffer("seen").all():
            raise LorapBenchError("its quantizer has seen no values yet; train the network first", where=site)
        grid = affine_grid(torch.empty(1), quantizer.limits, quantizer.codes)
    return Coder(site, Grid(*(_narrow(each) for each in grid)))


PARAMETERS = {
    "mlp.0.weight": "weight0",
    "mlp.1.weight": "weight1",
    "0.weight": "weight0",
    "1.weight": "weight1",
}
"""Where a weight's site is not named like its parameter."""


def _narrow(each: Tensor) -> Tensor:
    """Drop the member axis: ``[]``, or ``[1, C]`` per channel."""
    return each.reshape(()) if each.numel() == 1 else each[0]
