"""Who looks on while trials train: may stop the run, end single trials early, or end them at a deadline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Judge", "Watch"]


class Judge(Protocol):
    """Whoever decides, at rungs, which trials need not train on.

    Epochs are those of a training's last stage, the one that its result comes from.
    """

    def rungs(self, epochs: int) -> Sequence[int]:
        """Return the numbers of finished epochs, ascending and below ``epochs``, after which it wants to be asked."""
        ...

    def stops(self, epoch: int, values: Mapping[int, Sequence[float]]) -> Mapping[int, str]:
        """Return the trials that end at a rung, and why, in words.

        Args:
            epoch: the rung.
            values: trial, by its position among the requests → best validation metric so far of each of its members
                (NaN where one diverged); all trials that are at the rung together.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who looks on.

    Attributes:
        on_epoch: called with each epoch's number before it begins; what it raises ends the training.
        judge: who ends trials early; None: nobody.
        seconds: how long a trial may take, its share of a common program; None: as long as it likes.
    """

    on_epoch: Callable[[int], None] | None = None
    judge: Judge | None = None
    seconds: float | None = None
