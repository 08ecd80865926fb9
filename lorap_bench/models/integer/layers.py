"""The hooks of ``models.hooks`` on integers: one function a hook, for GCN, GIN, residual sums and the head.

A layer takes codes or real values and returns codes, or real values where its last site has 32 bits.
Sums of codes are integers; the prompt and the biases are 32-bit terms added to the rescaled sums before they
are rounded to codes again. A prompt after the requantizer adds to the values its codes stand for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from lorap_bench.kernels.csr import Csr, edges_to_rows
from lorap_bench.models.gcn import GCN
from lorap_bench.models.gin import GIN
from lorap_bench.models.integer.arithmetic import dense_product, edge_product, linear, sparse_product
from lorap_bench.models.integer.codes import Coded, Coders, SparseCoded, Value, real
from lorap_bench.models.readout import READOUTS

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.kernels.features import Features
    from lorap_bench.models.graph import GraphBatch
    from lorap_bench.models.head import Head
    from lorap_bench.models.hooks import Conv
    from lorap_bench.models.residual import Residual

__all__ = [
    "LAYERS",
    "IntegerConv",
    "IntegerGCN",
    "IntegerGIN",
    "IntegerGraph",
    "IntegerHead",
    "IntegerResidual",
    "largest",
]


@dataclass(frozen=True, slots=True, eq=False)
class IntegerGraph:
    """A graph as one layer reads it: its pattern, and the codes ``[E]`` of its edge weights if it has any."""

    pattern: Csr
    norm: Coded | None


class IntegerConv(ABC):
    """A graph convolution of one member on integers."""

    operands: ClassVar[tuple[str, ...]]
    """The sites that are factors of integer products: they must have codes."""

    def __init__(self, conv: Conv) -> None:
        self.coders = Coders(conv)
        self.name = conv.prefix
        self.prompt, self.post_requant = conv.prompt, conv.post_requant

    @abstractmethod
    def forward(self, x: Coded | SparseCoded, graph: IntegerGraph) -> Value:
        """Convolve: codes ``[N, d_in]`` → ``[N, d_out]``."""

    def constant(self, features: Features) -> Coded | SparseCoded:
        """Hook *input* of raw features: codes of what is stored, ``[N, F]`` or ``[E]``."""
        entries = self.coders.operand("input", features.values[0])
        return entries if features.pattern is None else SparseCoded(features.pattern, entries)

    def enter(self, x: Value) -> Coded:
        """Hook *input* of hidden or prompted features."""
        return self.coders.operand("input", real(x))

    def graph(self, pattern: Csr, norm: Tensor | None) -> IntegerGraph:
        """Hook *norm*: the codes of edge weights ``[1, E]``."""
        return IntegerGraph(pattern, None if norm is None else self.coders.operand("norm", norm[0]))

    def sum_messages(self, graph: IntegerGraph, x: Coded) -> Tensor:
        """Hook *message*: sum weighted neighbours; where messages have codes, requantize each edge's first."""
        site = f"{self.name}aggregate"
        if not self.coders.has("message"):
            return sparse_product(graph.pattern, graph.norm, x, site).real()
        messages = self.coders.operand("message", edge_product(graph.pattern, graph.norm, x).real())
        return sparse_product(edges_to_rows(graph.pattern), None, messages, site).real()

    def finish(self, aggregate: Tensor) -> Value:
        """Hook *aggregate*: requantize; the prompt is a term before it, or a correction after it."""
        if self.prompt is None:
            return self.coders.code("aggregate", aggregate)
        if self.post_requant:
            return self._prompted(real(self.coders.code("aggregate", aggregate)))
        return self.coders.code("aggregate", self._prompted(aggregate))

    def _prompted(self, x: Tensor) -> Tensor:
        assert self.prompt is not None
        prompted: Tensor = self.prompt(x.unsqueeze(0))
        return prompted[0]


@final
class IntegerGCN(IntegerConv):
    """``models.gcn.GCN`` on integers."""

    operands = ("input", "weight", "feature", "norm")

    def __init__(self, conv: Conv) -> None:
        super().__init__(conv)
        self.weight = self.coders.weight("weight", conv.get_parameter("weight"))
        self.bias = conv.get_parameter("bias").detach()[0]

    def forward(self, x: Coded | SparseCoded, graph: IntegerGraph) -> Value:
        product = linear(x, self.weight, f"{self.name}feature")
        feature = self.coders.operand("feature", product.real())
        aggregate = self.finish(self.sum_messages(graph, feature))
        return self.coders.code("update", real(aggregate) + self.bias)


@final
class IntegerGIN(IntegerConv):
    """``models.gin.GIN`` on integers."""

    operands = ("input", "mlp.0.input", "mlp.0.weight", "mlp.1.input", "mlp.1.weight")

    def __init__(self, conv: Conv) -> None:
        super().__init__(conv)
        self.weights = [self.coders.weight(f"mlp.{i}.weight", conv.get_parameter(f"weight{i}")) for i in range(2)]
        self.biases = [conv.get_parameter(f"bias{i}").detach()[0] for i in range(2)]

    def forward(self, x: Coded | SparseCoded, graph: IntegerGraph) -> Value:
        own = x.dense() if isinstance(x, SparseCoded) else x
        aggregate = self.finish(self.sum_messages(graph, own))
        inner = self.coders.code("mlp.0.output", self._linear("mlp.0.input", 0, own.real() + real(aggregate)))
        inner = inner.relu()
        return self.coders.code("update", self._linear("mlp.1.input", 1, real(inner)))

    def _linear(self, site: str, index: int, x: Tensor) -> Tensor:
        coded = self.coders.operand(site, x)
        return dense_product(coded, self.weights[index], f"{self.name}mlp.{index}").real() + self.biases[index]


@final
class IntegerResidual:
    """``models.residual.Residual`` on integers: the rescaled terms are added and requantized."""

    def __init__(self, residual: Residual) -> None:
        self.coders = Coders(residual)

    def forward(self, y: Value, x: Value) -> Value:
        """Add what a layer made, after its ReLU, and what it was given: two of ``[N, d]`` → ``[N, d]``."""
        return self.coders.code("sum", real(y) + real(x))


@final
class IntegerHead:
    """``models.head.Head`` on integers: one linear map, or two with a ReLU between them."""

    def __init__(self, head: Head) -> None:
        self.coders = Coders(head)
        self.maps = head.maps
        parameters = [head.get_parameter(f"weight{each.number}") for each in self.maps]
        self.weights = [
            self.coders.weight(each.local("weight"), weight) for each, weight in zip(self.maps, parameters, strict=True)
        ]
        self.biases = [head.get_parameter(f"bias{each.number}").detach()[0] for each in self.maps]

    @staticmethod
    def operands(head: Head) -> tuple[str, ...]:
        """Return the sites that are factors of integer products: they must have codes."""
        return tuple(each.local(name) for each in head.maps for name in ("input", "weight"))

    def forward(self, pooled: Tensor) -> Value:
        """Classify: ``[G, d]`` → ``[G, C]``."""
        x = self._linear(0, pooled)
        for index in range(1, len(self.maps)):
            x = self._linear(index, real(x.relu()))
        return x

    def _linear(self, index: int, x: Tensor) -> Value:
        each = self.maps[index]
        coded = self.coders.operand(each.local("input"), x)
        product = dense_product(coded, self.weights[index], each.site("output")).real()
        return self.coders.code(each.local("output"), product + self.biases[index])


def largest(x: Value, graph: GraphBatch) -> Tensor:
    """Take each column's largest value in each graph ``[N, d]`` → ``[G, d]``: that of the largest code."""
    if not isinstance(x, Coded):
        return READOUTS["max"](x.unsqueeze(0), graph)[0]
    # graphs without nodes keep the code of zero
    floor = x.zero.to(x.codes.dtype).expand(graph.pool.shape[0], x.codes.shape[1])
    index = graph.pool.row.unsqueeze(1).expand_as(x.codes)
    return replace(x, codes=floor.scatter_reduce(0, index, x.codes, "amax", include_self=False)).real()


LAYERS: dict[type[Conv], type[IntegerConv]] = {GCN: IntegerGCN, GIN: IntegerGIN}
