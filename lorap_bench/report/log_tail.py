"""The end of a training as its log would have shown it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import Curves, TrialRecord

__all__ = ["Logged", "log_tail"]

TAIL = 5


@dataclass(frozen=True, slots=True)
class Logged:
    """One epoch of one seed, counted from 1; the validation figures are None where it was not evaluated."""

    seed: int
    epoch: int
    train_loss: float
    val_loss: float | None
    val_metric: float | None


def log_tail(record: TrialRecord, curves: Curves, epochs: int = TAIL) -> list[Logged]:
    """Return the last epochs of each seed that trained, in the order of the seeds."""
    every = int(record.config.get("optim", {}).get("eval_every", 1))
    names = ("train_loss", "val_loss", "val_metric")
    found: list[Logged] = []
    for member, *values in zip(record.members, *(curves.get(name, []) for name in names), strict=False):
        losses, *judged = values
        loss, metric = (_by_epoch(each, len(losses), every) for each in judged)
        found += [
            Logged(member.seed, epoch, losses[epoch - 1], loss.get(epoch), metric.get(epoch))
            for epoch in range(max(len(losses) - epochs, 0) + 1, len(losses) + 1)
        ]
    return found


def _by_epoch(values: Sequence[float], epochs: int, every: int) -> dict[int, float]:
    """Return epoch → value of a validation curve: it has one every so many epochs, and one at the end.

    Where the stages of a training add values of their own, only those after the last of them can be told, and those
    are counted from the end.
    """
    ends = [epoch for epoch in range(1, epochs + 1) if epoch % every == 0 or epoch == epochs]
    if len(values) < len(ends):  # the last ones were not finite
        return dict(zip(ends, values, strict=False))
    return dict(zip(reversed(ends), reversed(values), strict=False))
