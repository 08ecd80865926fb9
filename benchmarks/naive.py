"""The straightforward trainers our speed is compared with: plain PyG layers, one seed, nothing cached.

``NaiveQAT`` is what one writes first: fake quantization as composed tensor operations with a
straight-through estimator, gather and scatter through ``MessagePassing``, softmax over the last axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812  # the name torch users know
from torch import Tensor, nn
from torch_geometric.nn import GCNConv, MessagePassing
from torch_geometric.nn.conv.gcn_conv import gcn_norm

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.data.task import GraphTask

__all__ = ["fp32_epoch", "naive_epoch"]


class _FakeQuant(nn.Module):
    """Moving-average min-max, affine, straight-through."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.levels = 2**bits - 1
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        low, high = self.get_buffer("low"), self.get_buffer("high")
        if self.training:
            with torch.no_grad():
                low += 0.1 * (x.min().clamp(max=0) - low)
                high += 0.1 * (x.max().clamp(min=0) - high)
        scale = ((high - low) / self.levels).clamp(min=1e-7)
        zero_point = torch.round(-low / scale)
        quantized = (torch.clamp(torch.round(x / scale + zero_point), 0, self.levels) - zero_point) * scale
        out: Tensor = x + (quantized - x).detach()
        return out


class _LoRAP(nn.Module):
    def __init__(self, width: int, count: int, rank: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(width, rank, bias=False), nn.Linear(rank, count))
        self.mix = nn.Parameter(torch.randn(count, rank))
        self.basis = nn.Parameter(torch.zeros(rank, width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + torch.softmax(self.score(x), dim=-1) @ (self.mix @ self.basis)
        return out


class _QuantGCN(MessagePassing):  # type: ignore[misc]  # PyG is untyped
    def __init__(self, d_in: int, d_out: int, bits: int, prompt: tuple[int, int]) -> None:
        super().__init__(aggr="add")
        self.linear = nn.Linear(d_in, d_out, bias=False)
        self.bias = nn.Parameter(torch.zeros(d_out))
        self.prompt = _LoRAP(d_out, *prompt)
        self.q = nn.ModuleDict(
            {name: _FakeQuant(bits) for name in ("input", "weight", "feature", "norm", "aggregated", "updated")}
        )

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        index, norm = gcn_norm(edge_index, num_nodes=x.shape[0], add_self_loops=True)
        feature = self.q["feature"](F.linear(self.q["input"](x), self.q["weight"](self.linear.weight)))
        aggregated = self.propagate(index, x=feature, norm=self.q["norm"](norm))
        out: Tensor = self.q["updated"](self.q["aggregated"](self.prompt(aggregated)) + self.bias)
        return out

    def message(self, x_j: Tensor, norm: Tensor) -> Tensor:
        return norm.view(-1, 1) * x_j


class _FP32GCN(nn.Module):
    def __init__(self, d_in: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.first, self.second = GCNConv(d_in, hidden, cached=True), GCNConv(hidden, classes, cached=True)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        hidden = F.dropout(self.first(x, edge_index).relu(), 0.5, self.training)
        logits: Tensor = self.second(hidden, edge_index)
        return logits


class _NaiveQAT(nn.Module):
    def __init__(self, widths: tuple[int, int, int], bits: int, prompt: tuple[int, int]) -> None:
        super().__init__()
        self.first = _QuantGCN(widths[0], widths[1], bits, prompt)
        self.second = _QuantGCN(widths[1], widths[2], bits, prompt)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        hidden = F.dropout(self.first(x, edge_index).relu(), 0.5, self.training)
        logits: Tensor = self.second(hidden, edge_index)
        return logits


def naive_epoch(task: GraphTask, *, hidden: int, bits: int, prompt: tuple[int, int]) -> Callable[[], None]:
    """Return one training step followed by an evaluation, for one seed of QAT with LoRAP."""
    return _epoch(task, _NaiveQAT((task.x.shape[1], hidden, task.classes), bits, prompt))


def fp32_epoch(task: GraphTask, *, hidden: int) -> Callable[[], None]:
    """Return the same for PyG's own full-precision GCN."""
    return _epoch(task, _FP32GCN(task.x.shape[1], hidden, task.classes))


def _epoch(task: GraphTask, model: nn.Module) -> Callable[[], None]:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
    train, val = task.splits["train"], task.splits["val"]

    def run() -> None:
        model.train()
        optimizer.zero_grad()
        F.cross_entropy(model(task.x, task.edge_index)[train], task.y[train]).backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            (model(task.x, task.edge_index)[val].argmax(1) == task.y[val]).float().mean().item()

    return run
