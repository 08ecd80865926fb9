"""Which finished trials a sampler is shown once they are many, so that a suggestion stays fast.

The best are kept, front after front, up to a quarter of the cap; the rest is an even sample of all others in the
order of their keys. Both follow from the trials alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import TrialState

from lorap_bench.stats.front import front_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.trial import FrozenTrial

    from lorap_bench.stats.front import Direction

__all__ = ["Merit", "even", "kept"]

Merit: TypeAlias = tuple[float, ...]
"""The values of a finished trial that may be among the best; empty for one that may not."""

_BEST = 4
"""The best are one in so many of those kept."""


def kept(
    trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection], cap: int, merits: dict[int, Merit]
) -> list[FrozenTrial]:
    """Return at most ``cap`` of the finished trials, and all that are not finished, in their order.

    Args:
        trials: the trials.
        directions: of their values.
        cap: how many.
        merits: what was found out about finished trials by their id; filled here, for the next time.
    """
    found = [_merit(trial, merits) for trial in trials]
    finished = [place for place, merit in enumerate(found) if merit is not None]
    if len(finished) <= cap:
        return list(trials)
    words: list[Direction] = ["max" if one is StudyDirection.MAXIMIZE else "min" for one in directions]
    best = set(_best({place: merit for place, merit in enumerate(found) if merit}, words, cap // _BEST))
    others = [place for place in finished if place not in best]
    chosen = best | {others[index] for index in even(len(others), cap - len(best))}
    return [trial for place, trial in enumerate(trials) if place in chosen or found[place] is None]


def even(count: int, wanted: int) -> list[int]:
    """Return ``wanted`` of the numbers 0 … count - 1, evenly spread; all where there are no more."""
    if wanted >= count:
        return list(range(count))
    return [(2 * index + 1) * count // (2 * wanted) for index in range(wanted)]


def _merit(trial: FrozenTrial, merits: dict[int, Merit]) -> Merit | None:
    """Return the values of a trial that is complete and feasible, () for any other finished one, else None."""
    found = merits.get(trial._trial_id)  # noqa: SLF001  # its one name in the storage
    if found is None and trial.state.is_finished():
        good = trial.state is TrialState.COMPLETE and all(value <= 0 for value in trial.constraints.values())
        found = merits[trial._trial_id] = tuple(trial.values) if good else ()  # noqa: SLF001  # as above
    return found


def _best(merits: dict[int, Merit], words: list[Direction], wanted: int) -> list[int]:
    """Return about ``wanted`` places of the best: whole fronts, an even sample of the last one."""
    places, values = np.array(list(merits), dtype=np.int64), np.array(list(merits.values()), dtype=np.float64)
    best: list[int] = []
    while len(best) < wanted and len(places):
        front = front_mask(values, words)
        if not front.any():
            break
        on_front = places[front].tolist()
        best.extend(on_front[index] for index in even(len(on_front), wanted - len(best)))
        places, values = places[~front], values[~front]
    return best
