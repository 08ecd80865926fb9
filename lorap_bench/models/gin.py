"""Graph isomorphism network: ``h'_i = MLP(x_i + Σ_j x_j)`` over neighbours, epsilon 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.features import Features
from lorap_bench.kernels.members import glorot, zeros
from lorap_bench.models.hooks import Conv, Fittings, LayerShape

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.cost.site import Operation, Site
    from lorap_bench.models.graph import GraphBatch

__all__ = ["GIN"]


@final
class GIN(Conv):
    """x → Q_input; sum, prompt → Q_aggregate; x + sum → two linear maps with Q_input, Q_weight, Q_output.

    The second map's output is the layer's: its quantizer is ``update``. Inside, Degree-Quant spares no node: the sums
    of protected hubs would else reach batch norm whole, and leave nothing of the others (its code does the same).

    Source: Xu et al. 2019, equation 4.1; hook points of Degree-Quant's GIN.
    """

    self_loops = False
    normalized = False

    def __init__(self, shape: LayerShape, fittings: Fittings) -> None:
        super().__init__(shape, fittings)
        self.declare("weight0", (shape.d_in, shape.hidden), glorot)
        self.declare("bias0", (1, shape.hidden), zeros)
        self.declare("weight1", (shape.hidden, shape.d_out), glorot)
        self.declare("bias1", (1, shape.d_out), zeros)

    @classmethod
    def sites(cls, shape: LayerShape) -> tuple[Site, ...]:
        sums_nonnegative = shape.nonnegative and not shape.prompted
        return (
            shape.input_site(feeds_linear=False, propagates=True),
            *shape.message_sites(shape.edges, shape.d_in),
            shape.activation("aggregate", "aggregate", shape.d_in, nonnegative=sums_nonnegative),
            shape.activation(
                "mlp.0.input", "input", shape.d_in, spared=False, feeds_linear=True, nonnegative=sums_nonnegative
            ),
            shape.weight("mlp.0.weight", "weight", shape.d_in, shape.hidden),
            shape.activation("mlp.0.output", "feature", shape.hidden, spared=False, leaves_linear=True),
            shape.activation("mlp.1.input", "input", shape.hidden, spared=False, feeds_linear=True, nonnegative=True),
            shape.weight("mlp.1.weight", "weight", shape.hidden, shape.d_out),
            shape.parameters("bias", shape.hidden + shape.d_out),
            shape.activation("update", "update", shape.d_out, leaves_linear=True),
        )

    @classmethod
    def operations(cls, shape: LayerShape) -> tuple[Operation, ...]:
        nodes, inner = shape.nodes, shape.hidden
        return (
            shape.operation("propagate", shape.edges * shape.d_in, "input", *shape.message_names, "aggregate"),
            shape.operation("combine", nodes * shape.d_in, "input", "aggregate", "mlp.0.input"),
            shape.operation("mlp.0", nodes * shape.d_in * inner, "mlp.0.input", "mlp.0.weight", "mlp.0.output"),
            shape.operation("activate", nodes * inner, "mlp.0.output"),
            shape.operation("mlp.1", nodes * inner * shape.d_out, "mlp.1.input", "mlp.1.weight", "update"),
        )

    @classmethod
    def aggregate_width(cls, shape: LayerShape) -> int:
        return shape.d_in

    def forward(self, x: Tensor | Features, graph: GraphBatch) -> Tensor:
        entered = self.enter(x)
        own = entered.dense() if isinstance(entered, Features) else entered
        aggregate = self.finish(self.sum_messages(graph.pattern, None, own))
        inner = self._linear("mlp.0.input", 0, own + aggregate)
        inner = self.quantize("mlp.0.output", inner).relu()
        return self.quantize("update", self._linear("mlp.1.input", 1, inner))

    def _linear(self, site: str, index: int, x: Tensor) -> Tensor:
        weight = self.quantize(f"mlp.{index}.weight", self.get_parameter(f"weight{index}"))
        return kernels().matmul(self.quantize(site, x), weight) + self.get_parameter(f"bias{index}")
