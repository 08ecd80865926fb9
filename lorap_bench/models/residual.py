"""Residual connections: a hidden layer adds what it was given, in float, and the sum has a quantizer of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from lorap_bench.cost.site import Operation
from lorap_bench.models.hooks import LayerShape, Quantized

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.cost.site import Site
    from lorap_bench.quant.context import Context
    from lorap_bench.quant.scheme import Scheme

__all__ = ["Residual", "ResidualShape"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualShape:
    """The sizes of a layer's residual connection.

    ``layer`` is as wide as what enters it. ``terms`` are the sites that hold what the layer made and what it was
    given, empty where batch norm leaves one of them in full precision.
    """

    layer: LayerShape
    terms: tuple[str, ...]

    @property
    def name(self) -> str:
        """The full name of the sum's site."""
        return self.site.name

    @property
    def site(self) -> Site:
        """The sum: of values without negative ones, and without negative values itself."""
        return self.layer.activation("residual.sum", "update", self.layer.d_out, nonnegative=True)

    @property
    def operation(self) -> Operation:
        """One addition a value: between codes, or in float."""
        count = self.layer.nodes * self.layer.d_out
        between = (*self.terms, self.name) if self.terms else ()
        return Operation(name=f"layers.{self.layer.layer}.residual", count=count, sites=between)


@final
class Residual(Quantized):
    """``ReLU(y) + x → Q_sum``, x what entered the layer and y what it made (batch norm included).

    Dropout follows the sum.

    Source: Dwivedi et al. 2020, "Benchmarking graph neural networks", the layers of GCN and GIN; the quantizer is
    ours: without it the sum would go round all quantizers from layer to layer in full precision.
    """

    def __init__(self, shape: ResidualShape, scheme: Scheme, context: Context) -> None:
        super().__init__(f"layers.{shape.layer.layer}.residual.", (shape.site,), scheme, context)

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        """Add: two of ``[S, N, d]`` → ``[S, N, d]``."""
        return self.quantize("sum", y.relu() + x)
