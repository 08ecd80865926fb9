"""A two-layer GCN whose tensors pass quantizers: the same sites as ours, whatever the scheme puts there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812  # the name torch users know
from torch import Tensor, nn
from torch_geometric.nn import GCNConv, MessagePassing
from torch_geometric.nn.conv.gcn_conv import gcn_norm

from benchmarks.naive.fake_quant import Untouched

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FP32GCN", "QuantGCN", "Sites"]

Sites = dict[str, nn.Module]
"""The quantizers of one layer: input, weight, feature, norm, message, aggregate, update; a missing one does nothing."""


class QuantGCN(nn.Module):
    """Two layers with ReLU and dropout between them, and a prompt at the input if there is one."""

    def __init__(self, layers: tuple[QuantGCNConv, QuantGCNConv], node_prompt: nn.Module | None = None) -> None:
        super().__init__()
        self.first, self.second = layers
        self.node_prompt = node_prompt
        self.dropout = 0.5

    def forward(self, x: Tensor, edge_index: Tensor, protected: Tensor | None = None) -> Tensor:
        """Return logits; ``protected`` ``[N]`` are the rows that a scheme may leave in full precision."""
        if self.node_prompt is not None:
            x = self.node_prompt(x)
        hidden = F.dropout(self.first(x, edge_index, protected).relu(), self.dropout, self.training)
        logits: Tensor = self.second(hidden, edge_index, protected)
        return logits


class QuantGCNConv(MessagePassing):  # type: ignore[misc]  # PyG is untyped
    """One layer; the normalised edges are kept from the first pass on."""

    def __init__(self, d_in: int, d_out: int, sites: Mapping[str, nn.Module], prompt: nn.Module | None = None) -> None:
        super().__init__(aggr="add")
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(d_in, d_out)))
        self.bias = nn.Parameter(torch.zeros(d_out))
        self.prompt = prompt
        names = ("input", "weight", "feature", "norm", "message", "aggregate", "update")
        # ModuleDict has an `update` of its own.
        self.sites = nn.ModuleDict({f"q_{name}": sites.get(name, Untouched()) for name in names})
        self.cached: tuple[Tensor, Tensor] | None = None

    def quantize(self, site: str, x: Tensor, protected: Tensor | None = None) -> Tensor:
        """Pass a tensor through its quantizer."""
        quantized: Tensor = self.sites[f"q_{site}"](x, protected)
        return quantized

    def forward(self, x: Tensor, edge_index: Tensor, protected: Tensor | None = None) -> Tensor:
        """Convolve ``[N, d_in]`` → ``[N, d_out]``."""
        if self.cached is None:
            self.cached = gcn_norm(edge_index, num_nodes=x.shape[0], add_self_loops=True)
        index, norm = self.cached
        feature = self.quantize("input", x, protected) @ self.quantize("weight", self.weight)
        feature = self.quantize("feature", feature, protected)
        sources = None if protected is None else protected[index[0]]
        aggregate = self.propagate(index, x=feature, norm=self.quantize("norm", norm), sources=sources)
        if self.prompt is not None:
            aggregate = self.prompt(aggregate)
        return self.quantize("update", self.quantize("aggregate", aggregate, protected) + self.bias, protected)

    def message(self, x_j: Tensor, norm: Tensor, sources: Tensor | None) -> Tensor:
        """Weigh a neighbour's features; ``sources`` says which messages start from protected nodes."""
        return self.quantize("message", norm.view(-1, 1) * x_j, sources)


class FP32GCN(nn.Module):
    """PyG's own GCN in full precision."""

    def __init__(self, d_in: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.first, self.second = GCNConv(d_in, hidden, cached=True), GCNConv(hidden, classes, cached=True)
        self.dropout = 0.5

    def forward(self, x: Tensor, edge_index: Tensor, protected: Tensor | None = None) -> Tensor:
        """Return logits."""
        hidden = F.dropout(self.first(x, edge_index).relu(), self.dropout, self.training)
        logits: Tensor = self.second(hidden, edge_index)
        return logits
