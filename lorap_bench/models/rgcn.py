"""Relational graph convolution: ``h'_i = x_i W_0 + Σ_r Σ_j (x_j W_r) / |N_r(i)| + b`` over neighbours by relation."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from lorap_bench.kernels.members import glorot, zeros
from lorap_bench.models.hooks import Conv, Fittings, Input, LayerShape

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.cost.site import Operation, Site
    from lorap_bench.models.graph import GraphBatch

__all__ = ["RGCN"]


@final
class RGCN(Conv):
    """x → Q_input; each W_r, W_0 → Q_weight; XW_1 … XW_R → Q_feature; 1 / |N_r(i)| → Q_norm; sum, prompt → Q_aggregate.

    Then ``aggregate + X W_0 + b`` → Q_update. All maps are one product, and one sum takes all relations: node j
    sends ``x_j W_r`` as row j R + r. A graph whose edges have no types has one relation.

    Source: Schlichtkrull et al. 2018, equation 2, without basis or block-diagonal decomposition; the bias as in PyG's
    ``RGCNConv``; hook points as in ``GCN``.
    """

    self_loops = False
    normalized = False
    relational = True
    linear_first = True

    def __init__(self, shape: LayerShape, fittings: Fittings) -> None:
        super().__init__(shape, fittings)
        self.relations, self.width = shape.relations, shape.d_out
        for relation in range(shape.relations):
            self.declare(f"weight{relation}", (shape.d_in, shape.d_out), glorot)
        self.declare("root_weight", (shape.d_in, shape.d_out), glorot)
        self.declare("bias", (1, shape.d_out), zeros)

    @classmethod
    def sites(cls, shape: LayerShape) -> tuple[Site, ...]:
        return (
            shape.input_site(feeds_linear=True),
            *(shape.weight(_site(r), "weight", shape.d_in, shape.d_out) for r in range(shape.relations)),
            shape.weight("root.weight", "weight", shape.d_in, shape.d_out),
            shape.parameters("bias", shape.d_out),
            shape.activation("feature", "feature", shape.relations * shape.d_out, leaves_linear=True, propagates=True),
            shape.constant("norm", "norm", shape.edges),
            *shape.message_sites(shape.edges, shape.d_out),
            shape.activation("aggregate", "aggregate", shape.d_out),
            shape.activation("update", "update", shape.d_out, leaves_linear=True),
        )

    @classmethod
    def operations(cls, shape: LayerShape) -> tuple[Operation, ...]:
        count = shape.nodes * shape.d_in * shape.d_out
        normalize = [shape.operation("normalize", shape.edges)] if shape.layer == "0" else []
        return (
            *normalize,
            *(shape.operation(f"linear.{r}", count, "input", _site(r), "feature") for r in range(shape.relations)),
            shape.operation("root", count, "input", "root.weight", "update"),
            shape.operation("propagate", 2 * shape.edges * shape.d_out, "feature", *shape.message_names, "aggregate"),
            shape.operation("combine", shape.nodes * shape.d_out, "aggregate", "update"),
        )

    @classmethod
    def aggregate_width(cls, shape: LayerShape) -> int:
        return shape.d_out

    def forward(self, x: Input, graph: GraphBatch) -> Tensor:
        weights = [self.quantize(_site(r), self.get_parameter(f"weight{r}")) for r in range(self.relations)]
        root = self.quantize("root.weight", self.get_parameter("root_weight"))
        mapped = self.map_input(x, torch.cat([*weights, root], 2))
        feature, own = mapped.split([self.relations * self.width, self.width], 2)
        sent = self.quantize("feature", feature.contiguous()).unflatten(2, (self.relations, -1)).flatten(1, 2)
        pattern = graph.pattern if graph.relations is None else graph.relations
        aggregate = self.finish(self.sum_messages(pattern, self.edge_weight(graph), sent))
        return self.quantize("update", aggregate + own + self.get_parameter("bias"))


def _site(relation: int) -> str:
    return f"relations.{relation}.weight"
