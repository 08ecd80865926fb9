"""The network of a cohort: prompt, convolutions, readout, for all members at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, final

import torch
from torch import Tensor, nn

from lorap_bench.kernels.features import Features
from lorap_bench.kernels.members import MemberModule
from lorap_bench.models.batch_norm import BatchNorm
from lorap_bench.models.dropout import Dropout
from lorap_bench.models.head import Head
from lorap_bench.models.hooks import Conv, Fittings, Input, LayerShape, Quantized
from lorap_bench.models.readout import READOUTS
from lorap_bench.models.residual import Residual
from lorap_bench.quant.context import Context, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.kernels.prompted import Prompted
    from lorap_bench.kernels.random import Draws
    from lorap_bench.models.blueprint import Blueprint
    from lorap_bench.models.graph import GraphBatch
    from lorap_bench.prompts.prompt import NodePrompt
    from lorap_bench.quant.quantizer import Quantizer

__all__ = ["Constants", "Network"]


class Constants(NamedTuple):
    """A batch as one layer reads it: ``features`` and the graph's edge weights have passed that layer's quantizers."""

    features: Features
    graph: GraphBatch


@final
class Network(MemberModule):
    """Features → node prompt → (convolution → batch norm → ReLU → residual → dropout) × layers → readout → logits.

    At node level the last convolution gives the logits; at graph level the hidden rows of each graph
    are pooled and the head gives them.
    """

    def __init__(self, plan: Blueprint, configs: Sequence[TrialConfig], draws: Draws) -> None:
        super().__init__(len(configs))
        self.level, self.readout = plan.shape.level, plan.trial.model.readout
        scheme = plan.scheme(tuple(config.quant for config in configs), plan.ledger.sites, plan.shape.level)
        self.context = Context(draws)
        self.protection, self.penalty = scheme.protection(), scheme.penalty()
        prompt = plan.prompt(tuple(config.prompt for config in configs))
        rates = tuple(config.model.dropout for config in configs)
        self.node_prompt: NodePrompt | None = prompt.node(plan.shape.features)

        def conv(layer: LayerShape) -> Conv:
            fittings = Fittings(
                scheme=scheme,
                context=self.context,
                prompt=prompt.aggregate(plan.conv.aggregate_width(layer)),
                post_requant=plan.trial.prompt.inject == "post_requant",
                rates=rates,
            )
            return plan.conv(layer, fittings)

        self.convs = nn.ModuleList(conv(layer) for layer in plan.layers)
        hidden = plan.layers if self.level == "graph" else plan.layers[:-1]
        self.norms = nn.ModuleList(
            BatchNorm(self.members, layer.d_out) if plan.trial.model.batch_norm else nn.Identity() for layer in hidden
        )
        self.residuals = nn.ModuleDict(
            {shape.layer.layer: Residual(shape, scheme, self.context) for shape in plan.residuals}
        )
        self.drops = nn.ModuleList(
            Dropout(f"layers.{layer.layer}.dropout", rates, draws, relu=layer.layer not in self.residuals)
            for layer in hidden
        )
        self.head = None
        if plan.head is not None:
            self.head = Head(
                plan.head, scheme, self.context, rates=tuple(config.model.head_dropout for config in configs)
            )

    @property
    def parts(self) -> Iterator[Quantized]:
        """The parts with quantizers: the convolutions, the residual connections, then the head."""
        yield from self.convs  # type: ignore[misc]  # ModuleList forgets its items' type
        yield from self.residuals.values()  # type: ignore[misc]  # as above
        if self.head is not None:
            yield self.head

    @torch.no_grad()
    def calibrate(self, batch: GraphBatch) -> None:
        """Fix the ranges of the constant tensors on the graphs that training may see."""
        first: Conv = self.convs[0]  # type: ignore[assignment]  # ModuleList forgets its items' type
        if self.node_prompt is None:
            first.calibrate("input", batch.features.values)
        if batch.norm is not None:
            for conv in self.convs:
                conv.calibrate("norm", batch.norm)  # type: ignore[operator]  # as above

    @torch.no_grad()
    def begin(self, stage: Stage, batch: GraphBatch) -> None:
        """Enter a stage of training; quantizers that learn take their first values from one pass over a batch."""
        self.context.stage = stage
        learning = [quantizer for _, quantizer in self._quantizers() if quantizer.live]
        if stage is Stage.FLOAT or not learning:
            return
        for quantizer in learning:
            quantizer.begin(stage)
        self.context.calibrating = True
        self.train()(self.prepare(batch))
        self.context.calibrating = False

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
                graph = replace(batch, norm=norm)
            constants.append(Constants(features, graph))
        return constants

    def forward(self, constants: list[Constants]) -> Tensor:
        """Return logits ``[S, N, C]`` (node level) or ``[S, G, C]`` (graph level) for a prepared batch."""
        self._enter(constants[0].graph)
        x: Input = self._inputs(constants[0])
        for index, (conv, constant) in enumerate(zip(self.convs, constants, strict=True)):
            entered, x = x, conv(x, constant.graph)
            if index < len(self.drops):
                x = self.norms[index](x)
                if str(index) in self.residuals:
                    x = self.residuals[str(index)](x, entered)
                x = self.drops[index](x)
        assert isinstance(x, Tensor)
        return x if self.head is None else self.head(READOUTS[self.readout](x, constants[-1].graph))

    def bits(self) -> dict[str, Tensor]:
        """Return the learned mean width of each site that has one, with its gradient: ``[S]`` each."""
        found = ((site, quantizer.bits()) for site, quantizer in self._quantizers())
        return {site: bits for site, bits in found if bits is not None}

    def row_bits(self) -> dict[str, Tensor]:
        """Return the learned width of every row, or group of rows, of each site that has them: ``[S, N]``."""
        found = ((site, quantizer.row_bits()) for site, quantizer in self._quantizers())
        return {site: bits for site, bits in found if bits is not None}

    def price(self) -> Tensor | float:
        """Return what the scheme adds to the loss for the memory of learned widths ``[S]``; 0 if nothing."""
        if self.penalty is None or self.context.stage is Stage.FLOAT:
            return 0.0
        learned = self.bits()
        if not learned:  # the allocation may leave a scheme nothing to learn
            return 0.0
        sizes = {name: size for part in self.parts for name, size in part.sizes.items()}
        kilobytes = [bits * (sizes[site] / 8192) for site, bits in learned.items()]
        price: Tensor = self.penalty(torch.stack(kilobytes).sum(0))
        return price

    def _quantizers(self) -> Iterator[tuple[str, Quantizer]]:
        for part in self.parts:
            for name in part.sizes:
                yield name, part.quantizer(name.removeprefix(part.prefix))

    def _enter(self, graph: GraphBatch) -> None:
        """Tell the quantizers what pass they are in."""
        context = self.context
        protects = self.training and context.stage is Stage.QUANTIZED and not context.calibrating
        context.source, context.nodes, context.protected = graph.pattern.col, graph.nodes, None
        if protects and self.protection is not None:
            context.protected = self.protection(graph.ranks, context.draws)

    def _inputs(self, constants: Constants) -> Input:
        """Return the first layer's input: prompted, or raw and quantized but for protected rows."""
        if self.node_prompt is not None and not self.context.bare:
            first: Conv = self.convs[0]  # type: ignore[assignment]  # ModuleList forgets its items' type
            mixture = self.node_prompt.mixture(constants.features) if first.linear_first else None
            prompted: Tensor | Prompted = self.node_prompt(constants.features) if mixture is None else mixture
            return prompted
        quantized, raw, protected = constants.features, constants.graph.features, self.context.protected
        if protected is None or quantized.values is raw.values:
            return quantized
        if raw.pattern is not None:
            kept = protected.index_select(1, raw.pattern.row)
            return Features(torch.where(kept, raw.values, quantized.values), raw.pattern)
        return Features(torch.where(protected.unsqueeze(2), raw.values, quantized.values))
