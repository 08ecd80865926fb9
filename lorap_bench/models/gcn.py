"""Graph convolution: ``h'_i = Σ_j (x_j W) / sqrt(d_i d_j) + b`` over neighbours and the node itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from lorap_bench.kernels.members import glorot, zeros
from lorap_bench.models.hooks import Conv, Fittings, Input, LayerShape

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.cost.site import Operation, Site
    from lorap_bench.models.graph import GraphBatch

__all__ = ["GCN"]


@final
class GCN(Conv):
    """x → Q_input; W → Q_weight; XW → Q_feature; norm → Q_norm; sum, prompt → Q_aggregate; + b → Q_update.

    Source: Kipf & Welling 2017, equation 2; hook points of Degree-Quant's GCN.
    """

    self_loops = True
    normalized = True
    linear_first = True

    def __init__(self, shape: LayerShape, fittings: Fittings) -> None:
        super().__init__(shape, fittings)
        self.declare("weight", (shape.d_in, shape.d_out), glorot)
        self.declare("bias", (1, shape.d_out), zeros)

    @classmethod
    def sites(cls, shape: LayerShape) -> tuple[Site, ...]:
        loops = shape.edges + shape.nodes
        return (
            shape.input_site(feeds_linear=True),
            shape.weight("weight", "weight", shape.d_in, shape.d_out),
            shape.parameters("bias", shape.d_out),
            shape.activation("feature", "feature", shape.d_out, leaves_linear=True, propagates=True),
            shape.constant("norm", "norm", loops),
            *shape.message_sites(loops, shape.d_out),
            shape.activation("aggregate", "aggregate", shape.d_out),
            shape.activation("update", "update", shape.d_out),
        )

    @classmethod
    def operations(cls, shape: LayerShape) -> tuple[Operation, ...]:
        loops = shape.edges + shape.nodes
        normalize = [shape.operation("normalize", 2 * loops)] if shape.layer == "0" else []
        return (
            *normalize,
            shape.operation("linear", shape.nodes * shape.d_in * shape.d_out, "input", "weight", "feature"),
            shape.operation("propagate", 2 * loops * shape.d_out, "feature", *shape.message_names, "aggregate"),
        )

    @classmethod
    def aggregate_width(cls, shape: LayerShape) -> int:
        return shape.d_out

    def forward(self, x: Input, graph: GraphBatch) -> Tensor:
        weight = self.quantize("weight", self.get_parameter("weight"))
        feature = self.quantize("feature", self.map_input(x, weight))
        aggregate = self.finish(self.sum_messages(graph.pattern, self.edge_weight(graph), feature))
        return self.quantize("update", aggregate + self.get_parameter("bias"))
