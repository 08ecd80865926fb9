"""The network of a cohort: prompt, convolutions, readout, for all members at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

import torch
from torch import Tensor, nn

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.features import Features
from lorap_bench.kernels.members import MemberModule, glorot, zeros
from lorap_bench.models.batch_norm import BatchNorm
from lorap_bench.models.blueprint import Blueprint, head_sites
from lorap_bench.models.dropout import Draws, Dropout
from lorap_bench.models.graph import GraphBatch
from lorap_bench.models.hooks import Conv, Fittings, LayerShape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.prompts.prompt import NodePrompt
    from lorap_bench.quant.scheme import Scheme

__all__ = ["Constants", "Network"]


class Constants(NamedTuple):
    """A batch as one layer reads it: its constant tensors have passed that layer's quantizers."""

    features: Features
    graph: GraphBatch


@final
class Network(MemberModule):
    """Features → node prompt → (convolution → batch norm → ReLU → dropout) × layers → readout → logits.

    At node level the last convolution gives the logits; at graph level the hidden rows of each graph
    are pooled and a quantized linear map gives them.
    """

    def __init__(self, plan: Blueprint, configs: Sequence[TrialConfig], draws: Draws) -> None:
        super().__init__(len(configs))
        self.level, self.mean_readout = plan.shape.level, plan.trial.model.readout == "mean"
        scheme = plan.scheme(tuple(config.quant for config in configs), plan.ledger.sites)
        prompt = plan.prompt(tuple(config.prompt for config in configs))
        rates = tuple(config.model.dropout for config in configs)
        self.node_prompt: NodePrompt | None = prompt.node(plan.shape.features)

        def conv(layer: LayerShape) -> Conv:
            fittings = Fittings(
                scheme=scheme,
                prompt=prompt.aggregate(plan.conv.aggregate_width(layer)),
                post_requant=plan.trial.prompt.inject == "post_requant",
                rates=rates,
                draws=draws,
            )
            return plan.conv(layer, fittings)

        self.convs = nn.ModuleList(conv(layer) for layer in plan.layers)
        hidden = plan.layers if self.level == "graph" else plan.layers[:-1]
        self.norms = nn.ModuleList(
            BatchNorm(self.members, layer.d_out) if plan.trial.model.batch_norm else nn.Identity() for layer in hidden
        )
        self.drops = nn.ModuleList(
            Dropout(f"layers.{layer.layer}.dropout", rates, draws, relu=True) for layer in hidden
        )
        self.head = _Head(scheme, plan.layers[-1].d_out, plan.shape.classes) if self.level == "graph" else None

    @torch.no_grad()
    def calibrate(self, batch: GraphBatch) -> None:
        """Fix the ranges of the constant tensors on the graphs that training may see."""
        first: Conv = self.convs[0]  # type: ignore[assignment]  # ModuleList forgets its items' type
        if self.node_prompt is None:
            first.constant("input", batch.features.values, batch.features.values)
        if batch.norm is not None:
            for conv in self.convs:
                conv.constant("norm", batch.norm, batch.norm)  # type: ignore[operator]  # as above

    @torch.no_grad()
    def prepare(self, batch: GraphBatch) -> list[Constants]:
        """Quantize the constant tensors of a batch: raw features and edge weights, per layer."""
        constants = []
        for index, conv in enumerate(self.convs):
            features, graph = batch.features, batch
            if index == 0 and self.node_prompt is None:
                features = Features(conv.constant("input", features.values), features.pattern)  # type: ignore[operator]  # ModuleList forgets its items' type
            if batch.norm is not None:
                norm = conv.constant("norm", batch.norm)  # type: ignore[operator]  # as above
                graph = GraphBatch(features, batch.pattern, norm, batch.pool, batch.sizes)
            constants.append(Constants(features, graph))
        return constants

    def forward(self, constants: list[Constants]) -> Tensor:
        """Return logits ``[S, N, C]`` (node level) or ``[S, G, C]`` (graph level) for a prepared batch."""
        x: Tensor | Features = constants[0].features
        if self.node_prompt is not None:
            x = self.node_prompt(constants[0].features)
        for index, (conv, constant) in enumerate(zip(self.convs, constants, strict=True)):
            x = conv(x, constant.graph)
            if index < len(self.drops):
                x = self.drops[index](self.norms[index](x))
        assert isinstance(x, Tensor)
        return x if self.head is None else self.head(self._pool(x, constants[-1].graph))

    def _pool(self, x: Tensor, graph: GraphBatch) -> Tensor:
        total = kernels().propagate(graph.pool, None, x)
        return total / graph.sizes if self.mean_readout else total


@final
class _Head(MemberModule):
    """The quantized linear classifier of graph-level tasks."""

    def __init__(self, scheme: Scheme, width: int, classes: int) -> None:
        super().__init__(len(scheme.configs))
        self.declare("weight", (width, classes), glorot)
        self.declare("bias", (1, classes), zeros)
        self.quantizers = nn.ModuleDict(
            {
                site.name.removeprefix("head."): scheme.quantizer(site)
                for site in head_sites(width, classes)
                if site.quantized
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        weight = self.quantizers["weight"](self.get_parameter("weight"))
        product = kernels().matmul(self.quantizers["input"](x), weight) + self.get_parameter("bias")
        logits: Tensor = self.quantizers["output"](product)
        return logits
