"""Degree-Quant's GIN on graph classification: PyG's mini-batches, mean pooling, a quantized linear classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812  # the name torch users know
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn import MessagePassing, global_mean_pool

from benchmarks.naive.degree_quant import PercentileQuant, protection
from benchmarks.naive.fake_quant import WeightQuant
from benchmarks.naive.trainer import Trainer

if TYPE_CHECKING:
    from lorap_bench.config import QuantConfig, TrialConfig
    from lorap_bench.data.task import GraphTask

__all__ = ["degree_quant_gin"]


@dataclass
class GraphTrainer(Trainer):
    """Mini-batch training at graph level."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loader: Any  # PyG is untyped

    def step(self) -> Tensor:
        """Pass over the training graphs once; return the mean loss of its batches."""
        self.model.train()
        losses = []
        for data in self.loader:
            protected = torch.bernoulli(data.chance).bool()
            losses.append(self.take(F.cross_entropy(self.model(data, protected), data.y)))
        return torch.stack(losses).mean()


def degree_quant_gin(task: GraphTask, config: TrialConfig) -> GraphTrainer:
    """Return Degree-Quant's GIN, from a trial's configuration."""
    model = QuantGIN((task.x.shape[1], config.model.hidden, task.classes), config)
    adam = torch.optim.Adam(model.parameters(), lr=config.optim.lr, weight_decay=config.optim.weight_decay)
    graphs = [_graph(task, number, config.quant) for number in task.splits["train"].tolist()]
    return GraphTrainer(model, adam, DataLoader(graphs, batch_size=config.task.batch_size, shuffle=True))


class QuantGIN(nn.Module):
    """Layers with ReLU and dropout after each, then the mean of each graph's nodes and a linear map."""

    def __init__(self, widths: tuple[int, int, int], config: TrialConfig) -> None:
        super().__init__()
        features, hidden, classes = widths
        self.dropout = config.model.dropout
        entering = [features, *[hidden] * (config.model.layers - 1)]
        self.convs = nn.ModuleList(QuantGINConv(d_in, hidden, config.quant) for d_in in entering)
        self.head = QuantLinear(hidden, classes, config.quant)

    def forward(self, data: Data, protected: Tensor) -> Tensor:
        """Return the logits of a batch of graphs."""
        x = data.x
        for conv in self.convs:
            x = F.dropout(conv(x, data.edge_index, protected).relu(), self.dropout, self.training)
        logits: Tensor = self.head(global_mean_pool(x, data.batch))
        return logits


class QuantGINConv(MessagePassing):  # type: ignore[misc]  # PyG is untyped
    """One layer: ``MLP(x + sum of neighbours)``, every tensor quantized."""

    def __init__(self, d_in: int, d_out: int, quant: QuantConfig) -> None:
        super().__init__(aggr="add")
        self.q_input = PercentileQuant(quant.bits, quant.percentile)
        self.q_aggregate = PercentileQuant(quant.bits, quant.percentile)
        self.inner, self.outer = QuantLinear(d_in, d_out, quant), QuantLinear(d_out, d_out, quant)

    def forward(self, x: Tensor, edge_index: Tensor, protected: Tensor) -> Tensor:
        """Convolve ``[N, d_in]`` → ``[N, d_out]``."""
        x = self.q_input(x, protected)
        aggregate = self.q_aggregate(self.propagate(edge_index, x=x), protected)
        out: Tensor = self.outer(self.inner(x + aggregate, protected).relu(), protected)
        return out


class QuantLinear(nn.Module):
    """A linear map with quantized input, weight and output."""

    def __init__(self, d_in: int, d_out: int, quant: QuantConfig) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(d_in, d_out)))
        self.bias = nn.Parameter(torch.zeros(d_out))
        self.q_weight = WeightQuant(quant.bits, clipped=True)
        self.q_input = PercentileQuant(quant.bits, quant.percentile)
        self.q_output = PercentileQuant(quant.bits, quant.percentile)

    def forward(self, x: Tensor, protected: Tensor | None = None) -> Tensor:
        """Map ``[N, d_in]`` → ``[N, d_out]``."""
        product = self.q_input(x, protected) @ self.q_weight(self.weight) + self.bias
        out: Tensor = self.q_output(product, protected)
        return out


def _graph(task: GraphTask, number: int, quant: QuantConfig) -> Data:
    """Return one graph as PyG's data, with its nodes' chances of protection."""
    first, last = task.graph_ptr[number : number + 2].tolist()
    start, stop = torch.searchsorted(task.edge_index[1], torch.tensor([first, last])).tolist()
    edges = task.edge_index[:, start:stop] - first
    chance = protection(torch.bincount(edges[1], minlength=last - first), quant.p_min, quant.p_max)
    return Data(x=task.x[first:last], edge_index=edges, y=task.y[number], chance=chance)
