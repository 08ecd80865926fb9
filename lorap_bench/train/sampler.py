"""The contract of a sampler: which nodes of one graph a training batch holds, and which of them count in its loss.

What is drawn is a function of the task and the number of the drawing, the same for every member and every trial.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

__all__ = ["Drawn", "Sampler"]


class Drawn(NamedTuple):
    """The nodes of a batch ``[n]`` int64, ascending, and the places ``[r]`` among them whose logits count; r > 0."""

    nodes: Tensor
    rows: Tensor


class Sampler(ABC):
    """Draws the batches of an epoch, on the CPU."""

    @abstractmethod
    def draw(self, number: int) -> Iterator[Drawn]:
        """Yield the batches of one drawing; an epoch takes each of them once."""
