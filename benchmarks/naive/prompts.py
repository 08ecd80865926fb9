"""The prompts as their formulas read: one node per row, softmax over the last axis."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["LowRankPrompt", "NodePrompt"]


class LowRankPrompt(nn.Module):
    """LoRAP at one layer: ``x + softmax(x D E + c) U V``."""

    def __init__(self, width: int, count: int, rank: int) -> None:
        super().__init__()
        rank = min(rank, count, width)
        self.down = nn.Parameter(nn.init.xavier_uniform_(torch.empty(width, rank)))
        self.score = nn.Parameter(nn.init.xavier_uniform_(torch.empty(rank, count)))
        self.bias = nn.Parameter(torch.zeros(count))
        self.mix = nn.Parameter(nn.init.xavier_uniform_(torch.empty(count, rank)))
        self.basis = nn.Parameter(torch.zeros(rank, width))

    def forward(self, x: Tensor) -> Tensor:
        """Prompt every row."""
        weights = torch.softmax(x @ self.down @ self.score + self.bias, dim=-1)
        return x + weights @ (self.mix @ self.basis)


class NodePrompt(nn.Module):
    """GPF-plus at the input: ``x + softmax(x A + c) P``."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.scorer = nn.Linear(width, count)
        self.basis = nn.Parameter(nn.init.xavier_uniform_(torch.empty(count, width)))

    def forward(self, x: Tensor) -> Tensor:
        """Prompt every row."""
        out: Tensor = x + torch.softmax(self.scorer(x), dim=-1) @ self.basis
        return out
