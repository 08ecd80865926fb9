"""The hook points where quantizers and prompts meet in a graph convolution: input · message · aggregate · update.

A convolution declares its sites and its arithmetic from shapes alone (so costs need no training),
and calls the hooks by site name in ``forward``. What acts at a hook is the scheme's and the
prompt's business.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from torch import Tensor, nn

from lorap_bench.cost.site import Operation, Role, Site
from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.features import Features
from lorap_bench.kernels.interface import Messages
from lorap_bench.kernels.members import MemberModule
from lorap_bench.kernels.prompted import Prompted
from lorap_bench.quant.constants import quantized_constant
from lorap_bench.quant.context import Stage
from lorap_bench.quant.quantizer import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lorap_bench.kernels.csr import Csr
    from lorap_bench.kernels.interface import KnownRange
    from lorap_bench.models.graph import GraphBatch
    from lorap_bench.prompts.prompt import AggregatePrompt
    from lorap_bench.quant.context import Context
    from lorap_bench.quant.quantizer import Quantizer
    from lorap_bench.quant.scheme import Scheme

__all__ = ["Conv", "Fittings", "Input", "LayerShape", "Quantized", "linear"]

Input = Tensor | Features | Prompted
"""What a layer reads: hidden rows; raw features, quantized already; or prompted ones, where it is ``linear_first``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerShape:
    """The sizes of one layer.

    ``nodes`` and ``edges`` (no self-loops) are those of one inference; ``raw`` says that the input is
    the constant raw features (``binary`` and ``two_valued`` as in ``TaskShape``); ``nonnegative`` that the
    input has no negative values; ``prompted`` that a prompt joins the aggregate; ``hidden`` is the
    backbone's width; ``messages`` that per-edge messages are materialised and quantized; ``relations`` is
    how many relations the edges are of.
    """

    layer: str
    nodes: float
    edges: float
    d_in: int
    d_out: int
    hidden: int
    heads: int
    raw: bool
    binary: bool
    two_valued: bool
    nonnegative: bool
    prompted: bool
    messages: bool
    relations: int = 1

    def activation(self, local: str, component: str, columns: int, **marks: bool) -> Site:
        """Return a quantizable activation with one row a node; marks as in ``Site``."""
        return self._site(
            local, component, Role.ACTIVATION, self.nodes * columns, columns=columns, rows="node", **marks
        )

    def edge_activation(self, local: str, component: str, edges: float, columns: int) -> Site:
        """Return a quantizable activation with one row an edge."""
        return self._site(local, component, Role.ACTIVATION, edges * columns, columns=columns, rows="edge")

    def weight(self, local: str, component: str, rows: int, columns: int) -> Site:
        """Return quantizable parameters of this layer."""
        return self._site(local, component, Role.WEIGHT, rows * columns, columns=columns)

    def constant(self, local: str, component: str, elements: float) -> Site:
        """Return a quantizable constant of this layer."""
        return self._site(local, component, Role.CONSTANT, elements)

    def message_sites(self, edges: float, columns: int) -> tuple[Site, ...]:
        """Return the per-edge messages, if they are materialised."""
        return (self.edge_activation("message", "message", edges, columns),) if self.messages else ()

    @property
    def message_names(self) -> tuple[str, ...]:
        """The local name of the messages, for operations; empty if they are not materialised."""
        return ("message",) if self.messages else ()

    def input_site(self, *, feeds_linear: bool, propagates: bool = False) -> Site:
        """Return the site of the layer's input: constant where it is the raw features."""
        site = self.activation(
            "input",
            "input",
            self.d_in,
            feeds_linear=feeds_linear,
            propagates=propagates,
            nonnegative=self.nonnegative,
            binary=self.raw and self.binary,
            two_valued=self.raw and self.two_valued,
        )
        return replace(site, role=Role.CONSTANT) if self.raw else site

    def parameters(self, local: str, elements: float) -> Site:
        """Return learned parameters that no scheme quantizes: always 32 bits."""
        return replace(self._site(local, "parameter", Role.WEIGHT, elements), quantized=False)

    def operation(self, name: str, count: float, *locals_: str) -> Operation:
        """Return arithmetic between this layer's sites."""
        sites = tuple(f"layers.{self.layer}.{local}" for local in locals_)
        return Operation(name=f"layers.{self.layer}.{name}", count=count, sites=sites)

    def _site(self, local: str, component: str, role: Role, elements: float, **more: Any) -> Site:
        name = f"layers.{self.layer}.{local}"
        return Site(name=name, layer=self.layer, component=component, role=role, elements=elements, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fittings:
    """What is fitted into a convolution: scheme and its context, the aggregate prompt and its place, dropout."""

    scheme: Scheme
    context: Context
    prompt: AggregatePrompt | None
    post_requant: bool
    rates: tuple[float, ...]


class Quantized(MemberModule):
    """A part of the model whose tensors have quantizers, one a site."""

    def __init__(self, prefix: str, sites: Iterable[Site], scheme: Scheme, context: Context) -> None:
        super().__init__(len(scheme.configs))
        self.prefix, self.context = prefix, context
        self.sizes = {site.name: site.elements for site in sites if site.quantized}
        self.quantizers = nn.ModuleDict(
            {_key(site.name.removeprefix(prefix)): scheme.quantizer(site, context) for site in sites if site.quantized}
        )

    def quantizer(self, local: str) -> Quantizer:
        """Return the quantizer of a site by its name within this part."""
        return cast("Quantizer", self.quantizers[_key(local)])

    def quantize(self, local: str, x: Tensor) -> Tensor:
        """Pass a tensor through the quantizer of a site; through nothing if the site is not there."""
        key = _key(local)
        if self.context.stage is Stage.FLOAT or key not in self.quantizers:
            return x
        quantized: Tensor = self.quantizers[key](x)
        return quantized


class Conv(Quantized, ABC):
    """A graph convolution over the member axis."""

    self_loops: ClassVar[bool]
    normalized: ClassVar[bool]
    relational: ClassVar[bool] = False
    """Whether it tells the relations of edges apart and takes the mean in each; not with the two above."""
    uses_heads: ClassVar[bool] = False
    linear_first: ClassVar[bool] = False
    """Whether nothing but a linear map reads the quantized input (``map_input``)."""

    def __init__(self, shape: LayerShape, fittings: Fittings) -> None:
        super().__init__(f"layers.{shape.layer}.", self.sites(shape), fittings.scheme, fittings.context)
        self.prompt = fittings.prompt
        self.post_requant = fittings.post_requant

    @classmethod
    @abstractmethod
    def sites(cls, shape: LayerShape) -> tuple[Site, ...]:
        """Return the layer's tensors."""

    @classmethod
    @abstractmethod
    def operations(cls, shape: LayerShape) -> tuple[Operation, ...]:
        """Return the layer's arithmetic."""

    @classmethod
    @abstractmethod
    def aggregate_width(cls, shape: LayerShape) -> int:
        """Return the width of the aggregated features, where an aggregate prompt acts."""

    @abstractmethod
    def forward(self, x: Tensor | Features, graph: GraphBatch) -> Tensor:
        """Convolve: ``[S, N, d_in]``, or raw features already quantized, → ``[S, N, d_out]``."""

    def calibrate(self, local: str, seen: Tensor) -> None:
        """Fix the range of a constant ``[1, …]`` on the part of it that may set one (training graphs)."""
        self.quantizer(local).calibrate_shared(seen)

    def constant(self, local: str, values: Tensor) -> Tensor:
        """Quantize a constant ``[1, …]`` for good: ``[1 or S, …]``; not where its quantizer still learns."""
        quantizer = self.quantizer(local)
        if isinstance(quantizer, Identity) or quantizer.live or self.context.stage is Stage.FLOAT:
            return values
        known = self._known_range(local)
        if known is not None:
            return quantized_constant(values, known)
        return self.quantize(local, values.expand(self.members, *values.shape[1:]))

    def enter(self, x: Tensor | Features) -> Tensor | Features:
        """Hook *input*: quantize a hidden input; raw features come quantized unless their quantizer still learns."""
        if not isinstance(x, Features):
            return self.quantize("input", x)
        if not self.quantizer("input").live:
            return x
        values = x.values.expand(self.members, *x.values.shape[1:])
        if x.pattern is None or self.context.stage is Stage.FLOAT:
            return Features(self.quantize("input", values), x.pattern)
        return Features(self.quantizer("input").sparse(values, x.pattern), x.pattern)

    def map_input(self, x: Input, weight: Tensor) -> Tensor:
        """Hook *input*, and a linear map: ``[S, N, d_in]`` · ``[S, d_in, d_out]``."""
        if not isinstance(x, Prompted):
            return linear(self.enter(x), weight)
        if self.quantizer("input").straight:
            return replace(x, through=partial(self.quantize, "input")).linear(weight)
        return linear(self.enter(x.dense()), weight)

    def edge_weight(self, graph: GraphBatch) -> Tensor | None:
        """Hook *norm*: the edge weights ``[1 or S, E]``; they come quantized unless their quantizer still learns."""
        if graph.norm is None or not self.quantizer("norm").live:
            return graph.norm
        return self.quantize("norm", graph.norm.expand(self.members, -1))

    def sum_messages(self, pattern: Csr, weight: Tensor | None, x: Tensor) -> Tensor:
        """Hook *message*: sum weighted neighbours, each message quantized first if the site is there.

        What all members share is summed once for all.

        Shape: weight as for ``Kernels.propagate``, None where x is ``[1, N, d]``; x ``[1 or S, N, d]`` → like x, or
        ``[S, N, d]`` where messages are quantized.
        """
        if _key("message") not in self.quantizers or self.context.stage is Stage.FLOAT:
            return kernels().propagate(pattern, weight, x)
        every = x.expand(self.members, *x.shape[1:])
        return self.quantizer("message").sum_messages(Messages(pattern, weight, every))

    def finish(self, aggregate: Tensor) -> Tensor:
        """Hook *aggregate*: the prompt before the requantizer, or after it as a float correction.

        Shape: ``[1 or S, N, d]`` → ``[S, N, d]``.
        """
        aggregate = aggregate.expand(self.members, *aggregate.shape[1:]).contiguous()
        if self.prompt is None or self.context.bare:
            self._trace(aggregate, aggregate)
            return self.quantize("aggregate", aggregate)
        known = None if self.post_requant or self.context.trace is not None else self._known_range("aggregate")
        if known is not None:
            return self.prompt.quantized(aggregate, known)
        plain = self.quantize("aggregate", aggregate) if self.post_requant else aggregate
        prompted: Tensor = self.prompt(plain)
        self._trace(plain, prompted)
        return prompted if self.post_requant else self.quantize("aggregate", prompted)

    def _known_range(self, local: str) -> KnownRange | None:
        """Return range and codes of a site where they alone decide and nobody watches; else None."""
        key = _key(local)
        if key not in self.quantizers or self.context.stage is Stage.FLOAT or self.quantizer(local).watched:
            return None
        return self.quantizer(local).known_range()

    def _trace(self, plain: Tensor, prompted: Tensor) -> None:
        if self.context.trace is not None:
            self.context.trace.append((plain, prompted))


def linear(x: Tensor | Features, weight: Tensor) -> Tensor:
    """Multiply by each member's weight: ``[S, N, d_in]`` · ``[S, d_in, d_out]``."""
    return kernels().matmul(x, weight) if isinstance(x, Tensor) else x.linear(weight)


def _key(local: str) -> str:
    # A module's name may hold no dot and must not be one of ModuleDict's own ("update").
    return "at_" + local.replace(".", "_")
