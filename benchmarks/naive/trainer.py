"""One seed's training: a step, an evaluation, an epoch of both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812  # the name torch users know
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.data.task import GraphTask

__all__ = ["NodeTrainer", "Trainer"]


class Trainer(ABC):
    """What every trainer has: a model in ``model``, Adam in ``optimizer``."""

    model: nn.Module
    optimizer: torch.optim.Optimizer

    def take(self, loss: Tensor) -> Tensor:
        """Back-propagate and step; return the loss."""
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    @abstractmethod
    def step(self) -> Tensor:
        """Train: one step at node level, one pass over the training graphs at graph level; return the (mean) loss."""


@dataclass
class NodeTrainer(Trainer):
    """Full-batch training at node level.

    ``chances`` are the nodes' chances of protection, ``penalty`` what joins the loss.
    """

    task: GraphTask
    model: nn.Module
    optimizer: torch.optim.Optimizer
    chances: Tensor | None = None
    penalty: Callable[[nn.Module], Tensor] | None = None

    def step(self) -> Tensor:
        """Take one training step; return the loss."""
        return self.take(self.loss())

    def loss(self) -> Tensor:
        """Return the loss of one training pass."""
        self.model.train()
        rows = self.task.splits["train"]
        protected = None if self.chances is None else torch.bernoulli(self.chances).bool()
        logits = self.model(self.task.x, self.task.edge_index, protected)
        loss = F.cross_entropy(logits[rows], self.task.y[rows])
        return loss if self.penalty is None else loss + self.penalty(self.model)

    @torch.no_grad()
    def evaluate(self) -> float:
        """Return the accuracy on the validation nodes."""
        self.model.eval()
        rows = self.task.splits["val"]
        logits = self.model(self.task.x, self.task.edge_index)
        return float((logits[rows].argmax(1) == self.task.y[rows]).float().mean())

    def epoch(self) -> None:
        """Take one training step and evaluate."""
        self.step()
        self.evaluate()
