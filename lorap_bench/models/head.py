"""The head of graph-level tasks: one quantized linear map on the pooled graph, or two with a ReLU between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, final

from lorap_bench.cost.site import Operation, Role, Site
from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.members import glorot, zeros
from lorap_bench.models.dropout import Dropout
from lorap_bench.models.hooks import Quantized

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.quant.context import Context
    from lorap_bench.quant.scheme import Scheme

__all__ = ["Head", "HeadShape", "LinearMap"]

_LAYER = "head"


class LinearMap(NamedTuple):
    """One linear map of a head: its number among several (empty: the only one) and its widths."""

    number: str
    d_in: int
    d_out: int

    def local(self, name: str) -> str:
        """Return the name of one of its tensors within the head: ``"weight"``, or ``"0.weight"``."""
        return f"{self.number}.{name}" if self.number else name

    def site(self, name: str) -> str:
        """Return the full name of one of its tensors: ``"head.weight"``, or ``"head.0.weight"``."""
        return f"{_LAYER}.{self.local(name)}"

    @property
    def sites(self) -> tuple[Site, ...]:
        """Its input, weight, bias and output; every input follows a ReLU."""
        return (
            self._row("input", "input", self.d_in, feeds_linear=True, nonnegative=True),
            self._site("weight", "weight", Role.WEIGHT, self.d_in * self.d_out, columns=self.d_out),
            self._site("bias", "parameter", Role.WEIGHT, self.d_out, quantized=False),
            self._row("output", "feature", self.d_out, leaves_linear=True),
        )

    def _row(self, name: str, component: str, columns: int, **marks: bool) -> Site:
        return self._site(name, component, Role.ACTIVATION, columns, columns=columns, rows="graph", **marks)

    def _site(self, name: str, component: str, role: Role, elements: int, **more: Any) -> Site:
        return Site(name=self.site(name), layer=_LAYER, component=component, role=role, elements=elements, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadShape:
    """The sizes of a head.

    ``nodes`` and ``width`` are those of the hidden rows of one graph; ``pooled`` is the site that holds them,
    None where batch norm leaves them in full precision.
    """

    kind: Literal["linear", "mlp"]
    nodes: float
    width: int
    classes: int
    pooled: str | None

    @property
    def maps(self) -> tuple[LinearMap, ...]:
        """The linear maps, in order."""
        if self.kind == "linear":
            return (LinearMap("", self.width, self.classes),)
        return LinearMap("0", self.width, self.width), LinearMap("1", self.width, self.classes)

    @property
    def sites(self) -> tuple[Site, ...]:
        """The head's tensors."""
        return tuple(site for each in self.maps for site in each.sites)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The head's arithmetic: pooling, one row an inference through each map, and the ReLU between them."""
        between = () if self.pooled is None else (self.pooled, self.maps[0].site("input"))
        operations = [Operation(name="head.pool", count=self.nodes * self.width, sites=between)]
        for position, each in enumerate(self.maps):
            if position:
                before = (self.maps[position - 1].site("output"),)
                operations.append(Operation(name="head.activate", count=each.d_in, sites=before))
            places = (each.site("input"), each.site("weight"), each.site("output"))
            operations.append(Operation(name=each.site("linear"), count=each.d_in * each.d_out, sites=places))
        return tuple(operations)


@final
class Head(Quantized):
    """Pooled graph → (linear map → ReLU →) dropout → linear map; each map has Q_input, Q_weight and Q_output.

    Source: the readout of Degree-Quant's GIN (Tailor et al. 2021), for the two maps.
    """

    def __init__(self, shape: HeadShape, scheme: Scheme, context: Context, rates: tuple[float, ...]) -> None:
        super().__init__(f"{_LAYER}.", shape.sites, scheme, context)
        self.maps = shape.maps
        for each in self.maps:
            self.declare(f"weight{each.number}", (each.d_in, each.d_out), glorot)
            self.declare(f"bias{each.number}", (1, each.d_out), zeros)
        self.dropout = Dropout(f"{_LAYER}.dropout", rates, context.draws, relu=len(self.maps) > 1)

    def forward(self, pooled: Tensor) -> Tensor:
        """Classify: ``[S, G, d]`` → logits ``[S, G, C]``."""
        *inner, last = self.maps
        x = pooled
        for each in inner:
            x = self._linear(each, x)
        return self._linear(last, self.dropout(x))

    def _linear(self, each: LinearMap, x: Tensor) -> Tensor:
        weight = self.quantize(each.local("weight"), self.get_parameter(f"weight{each.number}"))
        product = kernels().matmul(self.quantize(each.local("input"), x), weight)
        return self.quantize(each.local("output"), product + self.get_parameter(f"bias{each.number}"))
