"""A trial's training as its curves tell it: at which epoch each value was measured, over all its members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lorap_bench.report.representatives import evenly

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lorap_bench.record import Curves

__all__ = ["Course", "course", "evaluated"]


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The least, mean and most of some members' values at some epochs; the first epoch is 0, as in records.

    Shape:
        every array ``[m]``.
    """

    epochs: NDArray[np.int64]
    low: NDArray[np.float64]
    mean: NDArray[np.float64]
    high: NDArray[np.float64]

    def thinned(self, most: int) -> Course:
        """Return at most ``most`` of the epochs, evenly spread."""
        places = evenly(range(len(self.epochs)), most)
        return Course(self.epochs[places], self.low[places], self.mean[places], self.high[places])


def course(config: Mapping[str, Any], curves: Curves, name: str) -> Course | None:
    """Return how a curve of a trial ran; None where no member has a value.

    ``val_metric`` stands at the epochs of evaluation, every other curve at each epoch. A member that ended early takes
    part while it has values.
    """
    members = [values for values in curves.get(name, []) if values]
    if not members:
        return None
    longest = max(len(values) for values in members)
    table = np.full((len(members), longest), np.nan)
    for row, values in zip(table, members, strict=True):
        row[: len(values)] = values
    trained = max((len(values) for values in curves.get("train_loss", [])), default=longest)
    at = evaluated(config, trained, longest) if name.startswith("val_") else list(range(longest))
    table = table[:, : len(at)]
    there = np.isfinite(table).any(axis=0)
    table, epochs = table[:, there], np.array(at)[there]
    if not epochs.size:
        return None
    return Course(epochs, np.nanmin(table, axis=0), np.nanmean(table, axis=0), np.nanmax(table, axis=0))


def evaluated(config: Mapping[str, Any], trained: int, count: int) -> Sequence[int]:
    """Return the first ``count`` of the epochs after which a training of ``trained`` epochs was evaluated.

    That is after every ``optim.eval_every`` of them and at the end of each stage. A training longer than
    ``optim.epochs`` has stages before the last one: a search of widths, then a training in full precision.
    """
    optim, quant = config.get("optim", {}), config.get("quant", {})
    every = int(optim.get("eval_every", 1))
    ends = {trained}
    if trained > int(optim.get("epochs", trained)):
        search = int(quant.get("search_epochs", 0))
        ends |= {search, search + int(quant.get("pretrain_epochs", 0))}
    after = {*range(every, trained + 1, every), *(end for end in ends if 0 < end <= trained)}
    return [epoch - 1 for epoch in sorted(after)][:count]
