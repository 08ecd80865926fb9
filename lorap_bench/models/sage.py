"""GraphSAGE: ``h'_i = mean_j(x_j) W_1 + x_i W_2 + b`` over neighbours, the mean of none being 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from lorap_bench.kernels.features import Features
from lorap_bench.kernels.members import glorot, zeros
from lorap_bench.models.hooks import Conv, Fittings, LayerShape, linear

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.cost.site import Operation, Site
    from lorap_bench.models.graph import GraphBatch

__all__ = ["SAGE"]


@final
class SAGE(Conv):
    """x → Q_input; mean, prompt → Q_aggregate; W_1, W_2 → Q_weight; the sum of both maps + b → Q_update.

    Source: Hamilton et al. 2017, algorithm 1 with the mean aggregator, as PyG's ``SAGEConv`` sums it.
    """

    self_loops = False
    normalized = False

    def __init__(self, shape: LayerShape, fittings: Fittings) -> None:
        super().__init__(shape, fittings)
        self.declare("weight", (shape.d_in, shape.d_out), glorot)
        self.declare("root_weight", (shape.d_in, shape.d_out), glorot)
        self.declare("bias", (1, shape.d_out), zeros)

    @classmethod
    def sites(cls, shape: LayerShape) -> tuple[Site, ...]:
        means_nonnegative = shape.nonnegative and not shape.prompted
        return (
            shape.input_site(feeds_linear=True, propagates=True),
            *shape.message_sites(shape.edges, shape.d_in),
            shape.activation("aggregate", "aggregate", shape.d_in, feeds_linear=True, nonnegative=means_nonnegative),
            shape.weight("weight", "weight", shape.d_in, shape.d_out),
            shape.weight("root.weight", "weight", shape.d_in, shape.d_out),
            shape.parameters("bias", shape.d_out),
            shape.activation("update", "update", shape.d_out, leaves_linear=True),
        )

    @classmethod
    def operations(cls, shape: LayerShape) -> tuple[Operation, ...]:
        count = shape.nodes * shape.d_in * shape.d_out
        return (
            shape.operation("propagate", shape.edges * shape.d_in, "input", *shape.message_names, "aggregate"),
            # one division a value, in float
            shape.operation("mean", shape.nodes * shape.d_in),
            shape.operation("linear", count, "aggregate", "weight", "update"),
            shape.operation("root", count, "input", "root.weight", "update"),
            shape.operation("combine", shape.nodes * shape.d_out, "update"),
        )

    @classmethod
    def aggregate_width(cls, shape: LayerShape) -> int:
        return shape.d_in

    def forward(self, x: Tensor | Features, graph: GraphBatch) -> Tensor:
        entered = self.enter(x)
        own = entered.dense() if isinstance(entered, Features) else entered
        total = self.sum_messages(graph.pattern, None, own)
        aggregate = self.finish(total / graph.pattern.rowptr.diff().clamp(min=1).view(1, -1, 1))
        weight = self.quantize("weight", self.get_parameter("weight"))
        root = self.quantize("root.weight", self.get_parameter("root_weight"))
        return self.quantize("update", linear(aggregate, weight) + linear(entered, root) + self.get_parameter("bias"))
