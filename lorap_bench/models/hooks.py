"""The hook points where quantizers and prompts meet in a graph convolution: input · message · aggregate · update.

A convolution declares its sites and its arithmetic from shapes alone (so costs need no training),
and calls the hooks by site name in ``forward``. What acts at a hook is the scheme's and the
prompt's business.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from torch import Tensor, nn

from lorap_bench.cost.site import Operation, Role, Site
from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.csr import Csr, edges_to_rows
from lorap_bench.kernels.features import Features
from lorap_bench.kernels.members import MemberModule
from lorap_bench.quant.quantizer import Identity

if TYPE_CHECKING:
    from lorap_bench.models.dropout import Draws
    from lorap_bench.models.graph import GraphBatch
    from lorap_bench.prompts.prompt import AggregatePrompt
    from lorap_bench.quant.quantizer import Quantizer
    from lorap_bench.quant.scheme import Scheme

__all__ = ["Conv", "Fittings", "LayerShape", "linear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerShape:
    """The sizes of one layer.

    ``nodes`` and ``edges`` (no self-loops) are those of one inference; ``raw`` says that the input is
    the constant raw features (``binary``: zeros and ones); ``hidden`` is the backbone's width;
    ``messages`` that per-edge messages are materialised and quantized.
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
    messages: bool

    def activation(self, local: str, component: str, elements: float, *, feeds_linear: bool = False) -> Site:
        """Return a quantizable activation of this layer."""
        return self._site(local, component, Role.ACTIVATION, elements, feeds_linear=feeds_linear)

    def weight(self, local: str, component: str, elements: float) -> Site:
        """Return quantizable parameters of this layer."""
        return self._site(local, component, Role.WEIGHT, elements)

    def constant(self, local: str, component: str, elements: float) -> Site:
        """Return a quantizable constant of this layer."""
        return self._site(local, component, Role.CONSTANT, elements)

    def message_sites(self, elements: float) -> tuple[Site, ...]:
        """Return the per-edge messages, if they are materialised."""
        return (self.activation("message", "message", elements),) if self.messages else ()

    @property
    def message_names(self) -> tuple[str, ...]:
        """The local name of the messages, for operations; empty if they are not materialised."""
        return ("message",) if self.messages else ()

    def input_site(self, *, feeds_linear: bool) -> Site:
        """Return the site of the layer's input: constant where it is the raw features."""
        role = Role.CONSTANT if self.raw else Role.ACTIVATION
        site = self._site("input", "input", role, self.nodes * self.d_in, feeds_linear=feeds_linear)
        return replace(site, binary=self.raw and self.binary)

    def parameters(self, local: str, elements: float) -> Site:
        """Return learned parameters that no scheme quantizes: always 32 bits."""
        return replace(self._site(local, "parameter", Role.WEIGHT, elements), quantized=False)

    def operation(self, name: str, count: float, *locals_: str) -> Operation:
        """Return arithmetic between this layer's sites."""
        sites = tuple(f"layers.{self.layer}.{local}" for local in locals_)
        return Operation(name=f"layers.{self.layer}.{name}", count=count, sites=sites)

    def _site(  # the fields of a site
        self, local: str, component: str, role: Role, elements: float, *, feeds_linear: bool = False
    ) -> Site:
        return Site(
            name=f"layers.{self.layer}.{local}",
            layer=self.layer,
            component=component,
            role=role,
            elements=elements,
            feeds_linear=feeds_linear,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fittings:
    """What is fitted into a convolution: the scheme, the aggregate prompt and where it goes, dropout draws."""

    scheme: Scheme
    prompt: AggregatePrompt | None
    post_requant: bool
    rates: tuple[float, ...]
    draws: Draws


class Conv(MemberModule, ABC):
    """A graph convolution over the member axis."""

    self_loops: ClassVar[bool]
    normalized: ClassVar[bool]
    uses_heads: ClassVar[bool] = False

    def __init__(self, shape: LayerShape, fittings: Fittings) -> None:
        super().__init__(len(fittings.scheme.configs))
        self.prefix = f"layers.{shape.layer}."
        self.quantizers = nn.ModuleDict(
            {
                _key(site.name.removeprefix(self.prefix)): fittings.scheme.quantizer(site)
                for site in self.sites(shape)
                if site.quantized
            }
        )
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

    def quantize(self, local: str, x: Tensor) -> Tensor:
        """Pass a tensor through the quantizer of a site; through nothing if the site is not there."""
        key = _key(local)
        quantized: Tensor = self.quantizers[key](x) if key in self.quantizers else x
        return quantized

    def constant(self, local: str, values: Tensor, seen: Tensor | None = None) -> Tensor:
        """Quantize a constant ``[1, …]``: ``[1 or S, …]``.

        Args:
            local: the site.
            values: the constant.
            seen: the part of it that may set the range (training graphs); given once.
        """
        quantizer = cast("Quantizer", self.quantizers[_key(local)])
        if isinstance(quantizer, Identity):
            return values
        if seen is not None:
            quantizer.calibrate(seen.expand(self.members, *seen.shape[1:]))
        quantized: Tensor = quantizer(values.expand(self.members, *values.shape[1:]))
        return quantized

    def enter(self, x: Tensor | Features) -> Tensor | Features:
        """Hook *input*: quantize a hidden input; raw features come quantized."""
        return x if isinstance(x, Features) else self.quantize("input", x)

    def sum_messages(self, pattern: Csr, weight: Tensor | None, x: Tensor) -> Tensor:
        """Hook *message*: sum weighted neighbours, each message quantized first if the site is there.

        Shape: weight as for ``Kernels.propagate``; x ``[S, N, d]`` → ``[S, N, d]``.
        """
        if _key("message") not in self.quantizers:
            return kernels().propagate(pattern, weight, x)
        messages = x.index_select(1, pattern.col)
        if weight is not None:
            heads = weight.shape[2] if weight.dim() == 3 else 1
            messages = (messages.unflatten(2, (heads, -1)) * weight.view(*weight.shape[:2], heads, 1)).flatten(2)
        return kernels().propagate(edges_to_rows(pattern), None, self.quantize("message", messages))

    def finish(self, aggregate: Tensor) -> Tensor:
        """Hook *aggregate*: the prompt before the requantizer, or after it as a float correction."""
        if self.prompt is None:
            return self.quantize("aggregate", aggregate)
        if self.post_requant:
            prompted: Tensor = self.prompt(self.quantize("aggregate", aggregate))
            return prompted
        return self.quantize("aggregate", self.prompt(aggregate))


def linear(x: Tensor | Features, weight: Tensor) -> Tensor:
    """Multiply by each member's weight: ``[S, N, d_in]`` · ``[S, d_in, d_out]``."""
    return x.linear(weight) if isinstance(x, Features) else kernels().matmul(x, weight)


def _key(local: str) -> str:
    # A module's name may hold no dot and must not be one of ModuleDict's own ("update").
    return "at_" + local.replace(".", "_")
