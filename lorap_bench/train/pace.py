"""What each member's learning rates are multiplied by: halved by the calendar, and where validation stands still."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import OptimConfig

__all__ = ["Pace"]


@final
class Pace:
    """The factors of a cohort, in one tensor that stays where it is while nobody leaves.

    Formula: ``0.5^(⌊epochs / halve_every⌋ + h)``, epochs those of the stage so far, h how often ``plateau``
    evaluations in a row brought no better validation loss; each time the count begins anew. Members differ in
    ``plateau``, and each in its losses alone.

    Attributes:
        values: the factors ``[S, 1]``.

    Source: the plateau schedule of Dwivedi et al. 2020, "Benchmarking graph neural networks"; torch's
    ``ReduceLROnPlateau`` with patience p and threshold 0 is ``plateau = p + 1``.
    """

    def __init__(self, optims: Sequence[OptimConfig], where: torch.device) -> None:
        self.values = torch.ones(len(optims), 1, device=where)
        self._halve_every = optims[0].halve_every
        self._patience = [optim.plateau for optim in optims]
        self.begin()

    def begin(self) -> None:
        """Enter a stage: full rates, nothing seen."""
        members = len(self._patience)
        self._halvings, self._waited, self._best = [0] * members, [0] * members, [math.inf] * members

    def at(self, epochs: int) -> Tensor:
        """Write and return the factors after so many epochs of the stage."""
        passed = epochs // self._halve_every if self._halve_every else 0
        if any(self._halvings):
            self.values.copy_(torch.tensor([[0.5 ** (passed + own)] for own in self._halvings]))
        else:
            self.values.fill_(0.5**passed)
        return self.values

    def heed(self, losses: Sequence[float]) -> None:
        """Take note of the members' validation losses."""
        for member, loss in enumerate(losses):
            if loss < self._best[member]:
                self._best[member], self._waited[member] = loss, 0
                continue
            self._waited[member] += 1
            if self._waited[member] == self._patience[member]:
                self._halvings[member] += 1
                self._waited[member] = 0

    def select(self, keep: Sequence[int]) -> None:
        """Keep only the members at these positions."""
        self.values = self.values[list(keep)]
        for name in ("_patience", "_halvings", "_waited", "_best"):
            setattr(self, name, [getattr(self, name)[position] for position in keep])
