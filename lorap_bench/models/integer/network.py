"""A trained network of one member on integers."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, final

import torch
from torch import Tensor, nn

from lorap_bench.cost.ledger import FULL_PRECISION
from lorap_bench.errors import ConfigError, Fault, LorapBenchError
from lorap_bench.kernels.members import MemberModule
from lorap_bench.models.batch_norm import BatchNorm
from lorap_bench.models.head import Head
from lorap_bench.models.hooks import Conv
from lorap_bench.models.integer.arithmetic import sparse_product
from lorap_bench.models.integer.codes import Coded, SparseCoded, Value, real
from lorap_bench.models.integer.layers import (
    LAYERS,
    IntegerConv,
    IntegerGraph,
    IntegerHead,
    IntegerResidual,
    largest,
)
from lorap_bench.models.readout import READOUTS
from lorap_bench.models.residual import Residual
from lorap_bench.quant.affine import AffineQuantizer
from lorap_bench.quant.quantizer import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.kernels.features import Features
    from lorap_bench.models.graph import GraphBatch
    from lorap_bench.models.integer.codes import Coder
    from lorap_bench.models.network import Network

__all__ = ["IntegerNetwork", "Prepared", "Storage", "integer_model", "one_member"]

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of a network at rest.

    ``packed`` weights at their bit widths, ``stored`` as the int8 or uint8 they are kept in here, ``full`` the
    same weights in float32; ``parameters`` the biases and batch norms, ``prompts`` the prompts, in float32.
    """

    packed: int
    stored: int
    full: int
    parameters: int
    prompts: int


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A batch with the codes of its constants; the features stay raw where a prompt adds to them first."""

    features: Coded | SparseCoded | Features
    graphs: list[IntegerGraph]
    batch: GraphBatch


def integer_model(network: Network, member: int = 0) -> IntegerNetwork:
    """Turn one member of a trained network into integers, on the CPU.

    Raises:
        ConfigError: the architecture, the scheme or a width of 32 bits has no integer form; all faults at once.
        LorapBenchError: the network was never trained, or has diverged.
    """
    faults = list(_faults(network))
    if faults:
        raise ConfigError(faults)
    alone = one_member(network, member).cpu()
    for name, value in alone.state_dict().items():
        if not torch.isfinite(value).all():
            raise LorapBenchError("is not finite: the training diverged, and no code stands for it", where=name)
    return IntegerNetwork(alone)


@final
class IntegerNetwork:
    """``models.network.Network`` of one member in evaluation, on integers.

    Prompts, biases, batch norm and the means over graphs are 32-bit arithmetic, as the costs count them.
    """

    @torch.no_grad()
    def __init__(self, network: Network) -> None:
        convs = [part for part in network.parts if isinstance(part, Conv)]
        self.convs = [LAYERS[type(conv)](conv) for conv in convs]
        self.residuals = {
            int(index): IntegerResidual(each)
            for index, each in network.residuals.items()
            if isinstance(each, Residual)  # ModuleDict forgets its items' type
        }
        self.head = None if network.head is None else IntegerHead(network.head)
        self.norms = [each if isinstance(each, BatchNorm) else None for each in network.norms]
        self.node_prompt = network.node_prompt
        self.readout = network.readout
        self.bytes = _storage(self._parts, network)

    @torch.no_grad()
    def prepare(self, batch: GraphBatch) -> Prepared:
        """Code the constant tensors of a batch once.

        Raises:
            LorapBenchError: a feature is not finite.
        """
        if not torch.isfinite(batch.features.values).all():
            raise LorapBenchError("a raw feature is NaN or infinite; no code stands for it", where="layers.0.input")
        raw = self.node_prompt is not None
        features = batch.features if raw else self.convs[0].constant(batch.features)
        return Prepared(features, [conv.graph(batch.pattern, batch.norm) for conv in self.convs], batch)

    @torch.no_grad()
    def infer(self, prepared: Prepared) -> Tensor:
        """Return logits ``[N, C]`` or ``[G, C]``, the values the last codes stand for."""
        x: Value | SparseCoded | Features = prepared.features
        for index, (conv, graph) in enumerate(zip(self.convs, prepared.graphs, strict=True)):
            entered, x = x, conv.forward(self._enter(conv, x), graph)
            if index < len(self.norms):
                x = self._activate(index, x)
            if index in self.residuals:
                assert isinstance(entered, Coded | Tensor)
                x = self.residuals[index].forward(x, entered)
        assert isinstance(x, Coded | Tensor)
        return real(x if self.head is None else self.head.forward(self._pool(x, prepared.batch)))

    def forward(self, batch: GraphBatch) -> Tensor:
        """Return the logits of a batch: ``[N, C]`` or ``[G, C]``."""
        return self.infer(self.prepare(batch))

    def codes(self, batch: GraphBatch) -> dict[str, Coded]:
        """Return what every activation and constant site holds for a batch, by site, in the order of computation."""
        kept: dict[str, Coded] = {}
        for part in self._parts:
            part.coders.kept = kept
        try:
            self.forward(batch)
        finally:
            for part in self._parts:
                part.coders.kept = None
        return kept

    @property
    def grids(self) -> dict[str, Coder]:
        """The grid of every site that has codes, by site."""
        return {site: coder for part in self._parts for site, coder in part.coders.grids.items()}

    @property
    def weights(self) -> dict[str, Coded]:
        """The codes of every weight, by site."""
        return {part.coders.prefix + name: coded for part in self._parts for name, coded in part.coders.weights}

    @property
    def _parts(self) -> list[IntegerConv | IntegerResidual | IntegerHead]:
        head = [] if self.head is None else [self.head]
        return [*self.convs, *self.residuals.values(), *head]

    def _enter(self, conv: IntegerConv, x: Value | SparseCoded | Features) -> Coded | SparseCoded:
        if conv is not self.convs[0]:
            assert isinstance(x, Coded | Tensor)
            return conv.enter(x)
        if isinstance(x, Coded | SparseCoded):
            return x
        assert self.node_prompt is not None
        prompted: Tensor = self.node_prompt(x)
        return conv.enter(prompted[0])

    def _activate(self, index: int, x: Value) -> Value:
        """Batch norm in float where there is one, then ReLU."""
        norm = self.norms[index]
        return x.relu() if norm is None else norm(real(x).unsqueeze(0))[0].relu()

    def _pool(self, x: Value, batch: GraphBatch) -> Tensor:
        """Pool the rows of each graph: codes as integers, values after batch norm in float."""
        if self.readout == "max":
            return largest(x, batch)
        if not isinstance(x, Coded):
            return READOUTS[self.readout](x.unsqueeze(0), batch)[0]
        total = sparse_product(batch.pool, None, x, "head.pool").real()
        return total / batch.sizes.clamp(min=1) if self.readout == "mean" else total


def one_member(module: M, member: int) -> M:
    """Copy a module with one of its members alone, in evaluation mode."""
    alone = deepcopy(module).eval()
    for each in alone.modules():
        for name, parameter in list(each.named_parameters(recurse=False)):
            kept = parameter.detach()[member : member + 1].clone()
            each.register_parameter(name, nn.Parameter(kept, requires_grad=False))
        for name, buffer in list(each.named_buffers(recurse=False)):
            setattr(each, name, buffer[member : member + 1].clone())
        if isinstance(each, MemberModule):
            each.members = 1
    return alone


def _faults(network: Network) -> Iterator[Fault]:
    convs = [part for part in network.parts if isinstance(part, Conv)]
    if type(convs[0]) not in LAYERS:
        known = ", ".join(kind.__name__ for kind in LAYERS)
        arch = type(convs[0]).__name__
        yield Fault(path="model.arch", message="has no integer form", got=arch, allowed=known)
        return
    for part in network.parts:
        operands = IntegerHead.operands(part) if isinstance(part, Head) else LAYERS[type(convs[0])].operands
        for site in part.sizes:
            quantizer = part.quantizer(site.removeprefix(part.prefix))
            if not isinstance(quantizer, AffineQuantizer | Identity):
                yield Fault(
                    path="quant.scheme",
                    message="integers stand for values on a fixed affine grid",
                    got=type(quantizer).__name__,
                    allowed="QAT, DegreeQuant",
                )
                return
            if isinstance(quantizer, Identity) and site.removeprefix(part.prefix) in operands:
                yield Fault(
                    path=f"quant.site_bits.{site}",
                    message="a factor of integer products needs codes",
                    got=FULL_PRECISION,
                    allowed="2 to 8",
                )


def _storage(parts: Sequence[IntegerConv | IntegerResidual | IntegerHead], network: Network) -> Storage:
    weights = [(coders.bits(name), coded) for coders in (p.coders for p in parts) for name, coded in coders.weights]
    floats = {name: 4 * each.numel() for name, each in network.named_parameters() if not _is_weight(name)}
    prompts = sum(size for name, size in floats.items() if "prompt" in name)
    return Storage(
        packed=sum(-(-coded.codes.numel() * bits // 8) for bits, coded in weights),
        stored=sum(coded.codes.nbytes for _, coded in weights),
        full=sum(4 * coded.codes.numel() for _, coded in weights),
        parameters=sum(floats.values()) - prompts,
        prompts=prompts,
    )


def _is_weight(parameter: str) -> bool:
    return parameter.rpartition(".")[2].startswith("weight")
