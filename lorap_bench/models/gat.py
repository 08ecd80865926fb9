"""Graph attention: ``h'_i = Σ_j α_ij (x_j W) + b`` with softmax attention over neighbours and the node itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, final

import torch
import torch.nn.functional as F  # noqa: N812  # the name torch users know

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.members import glorot, zeros
from lorap_bench.models.dropout import Dropout
from lorap_bench.models.hooks import Conv, Fittings, Input, LayerShape

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from lorap_bench.cost.site import Operation, Site
    from lorap_bench.kernels.csr import Csr
    from lorap_bench.models.graph import GraphBatch

__all__ = ["GAT"]

_NEGATIVE_SLOPE = 0.2


@final
class GAT(Conv):
    """x → Q_input; XW → Q_feature; att → Q_attention; logits → Q_logits; softmax in float; sum, prompt → Q_aggregate.

    Formula: ``α_ij = softmax_j(LeakyReLU(a_src · x_j W + a_dst · x_i W))`` per head, dropout on α.

    Source: Veličković et al. 2018, equations 1-5; hook points of Degree-Quant's GAT.
    """

    self_loops = True
    normalized = False
    linear_first = True
    uses_heads = True

    def __init__(self, shape: LayerShape, fittings: Fittings) -> None:
        super().__init__(shape, fittings)
        self.heads = shape.heads
        self.declare("weight", (shape.d_in, shape.d_out), glorot)
        self.declare("attention", (2, shape.d_out), partial(_glorot_by_head, heads=shape.heads))
        self.declare("bias", (1, shape.d_out), zeros)
        self.drop = Dropout(f"{self.prefix}alpha", fittings.rates, fittings.context.draws, relu=False)

    @classmethod
    def sites(cls, shape: LayerShape) -> tuple[Site, ...]:
        loops = shape.edges + shape.nodes
        return (
            shape.input_site(feeds_linear=True),
            shape.weight("weight", "weight", shape.d_in, shape.d_out),
            shape.parameters("bias", shape.d_out),
            shape.activation("feature", "feature", shape.d_out, leaves_linear=True, propagates=True),
            shape.weight("attention", "attention", 2, shape.d_out),
            shape.edge_activation("logits", "logits", loops, shape.heads),
            *shape.message_sites(loops, shape.d_out),
            shape.activation("aggregate", "aggregate", shape.d_out),
            shape.activation("update", "update", shape.d_out),
        )

    @classmethod
    def operations(cls, shape: LayerShape) -> tuple[Operation, ...]:
        loops = shape.edges + shape.nodes
        rows = shape.nodes * shape.d_out
        return (
            shape.operation("linear", rows * shape.d_in, "input", "weight", "feature"),
            shape.operation("score", 2 * rows, "feature", "attention", "logits"),
            # addition, leaky ReLU, exponential, sum, division: one each per edge and head, in float
            shape.operation("attend", 5 * loops * shape.heads),
            shape.operation("propagate", 2 * loops * shape.d_out, "feature", *shape.message_names, "aggregate"),
        )

    @classmethod
    def aggregate_width(cls, shape: LayerShape) -> int:
        return shape.d_out

    def forward(self, x: Input, graph: GraphBatch) -> Tensor:
        weight = self.quantize("weight", self.get_parameter("weight"))
        feature = self.quantize("feature", self.map_input(x, weight))
        alpha = self.drop(self._attention(graph.pattern, feature))
        aggregate = self.finish(self.sum_messages(graph.pattern, alpha, feature))
        return self.quantize("update", aggregate + self.get_parameter("bias"))

    def _attention(self, pattern: Csr, feature: Tensor) -> Tensor:
        """Return α ``[S, E, H]`` for features ``[S, N, d_out]``."""
        vectors = self.quantize("attention", self.get_parameter("attention"))
        by_head = (feature.unsqueeze(1) * vectors.unsqueeze(2)).unflatten(3, (self.heads, -1)).sum(-1)
        source, target = by_head.unbind(1)
        logits = source.index_select(1, pattern.col) + target.index_select(1, pattern.row)
        logits = F.leaky_relu(self.quantize("logits", logits), _NEGATIVE_SLOPE)
        return kernels().segment_softmax(pattern, logits)


def _glorot_by_head(shape: tuple[int, ...], generator: Generator, *, heads: int) -> Tensor:
    """Draw both attention vectors ``[2, H C]`` as Glorot's ``[H, C]``."""
    by_head = (heads, shape[1] // heads)
    return torch.stack([glorot(by_head, generator).flatten() for _ in range(shape[0])])
