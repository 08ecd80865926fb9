"""Schemes, a prompt and an architecture that each break one promise of their contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import torch

from lorap_bench.kernels import zeros
from lorap_bench.models import Conv
from lorap_bench.models.hooks import linear
from lorap_bench.prompts import GPF, NodePrompt, Prompt, PromptCost
from lorap_bench.quant import Quantizer, Scheme
from lorap_bench.quant.allocation import allocate

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from lorap_bench.config import QuantConfig
    from lorap_bench.cost.site import Operation, Site
    from lorap_bench.kernels.features import Features
    from lorap_bench.models.graph import GraphBatch
    from lorap_bench.models.hooks import Fittings, LayerShape
    from lorap_bench.quant.context import Context


class _Spoiling(Quantizer):
    def __init__(self, members: int, spoil: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__(members)
        self.spoil = spoil
        self.register_buffer("passes", torch.zeros(members))

    def forward(self, x: Tensor) -> Tensor:
        return self.spoil(x, self.get_buffer("passes"))

    def calibrate(self, x: Tensor) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Boasting(Scheme):
    """Says few bits and quantizes nothing; its heirs spoil the tensors as well."""

    def widths(self, config: QuantConfig) -> dict[str, int]:
        return dict(allocate(self.sites, config))

    def quantizer(self, site: Site, context: Context) -> Quantizer:
        return _Spoiling(len(self.configs), self.spoil)

    def spoil(self, x: Tensor, passes: Tensor) -> Tensor:
        return x


class Peeking(Boasting):
    """Reads a value in a step."""

    def spoil(self, x: Tensor, passes: Tensor) -> Tensor:
        return x * (2 if x.detach().max().item() > 1e9 else 1)


class Sociable(Boasting):
    """Lets members see each other."""

    def spoil(self, x: Tensor, passes: Tensor) -> Tensor:
        return x + 0.1 * x.detach().mean(0, keepdim=True)


class Counting(Boasting):
    """Changes state in evaluation."""

    def spoil(self, x: Tensor, passes: Tensor) -> Tensor:
        passes.add_(1)
        return x


class Placed(Boasting):
    """Treats a row by its place."""

    def spoil(self, x: Tensor, passes: Tensor) -> Tensor:
        return x * torch.linspace(1, 2, x.shape[1], dtype=x.dtype).view(1, -1, *(1,) * (x.dim() - 2))


class Cheap(Prompt):
    """Hides what it costs."""

    def node(self, width: int) -> NodePrompt | None:
        return GPF(self.configs).node(width)

    def node_cost(self, nodes: float, width: int) -> PromptCost:
        return PromptCost(parameters=1, operations=nodes)

    def aggregate_cost(self, nodes: float, width: int) -> None:
        return None


class Shrinking(Conv):
    """Declares half of its parameters and a third of its aggregate."""

    self_loops, normalized = True, False

    def __init__(self, shape: LayerShape, fittings: Fittings) -> None:
        super().__init__(shape, fittings)
        self.declare("weight", (shape.d_in, shape.d_out), zeros)

    @classmethod
    def sites(cls, shape: LayerShape) -> tuple[Site, ...]:
        aggregate = shape.activation("aggregate", "aggregate", shape.d_out)
        return (
            shape.input_site(feeds_linear=True),
            shape.weight("weight", "weight", shape.d_in // 2, shape.d_out),
            replace(aggregate, elements=aggregate.elements / 3),
        )

    @classmethod
    def operations(cls, shape: LayerShape) -> tuple[Operation, ...]:
        return (shape.operation("propagate", 0, "nothing"),)

    @classmethod
    def aggregate_width(cls, shape: LayerShape) -> int:
        return shape.d_out

    def forward(self, x: Tensor | Features, graph: GraphBatch) -> Tensor:
        weight = self.quantize("weight", self.get_parameter("weight"))
        return self.finish(self.sum_messages(graph.pattern, None, linear(self.enter(x), weight)))


def reads_in_the_backward_pass(x: Tensor) -> Tensor:
    """Return x, with a gradient that looks at itself."""
    return cast("Tensor", _Reads.apply(x))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


class _Reads(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return gradient * gradient.max().item()
