"""Trials of equal shapes that train together: their members in order, and what has become of each."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, final

from lorap_bench.train.cohort import Member
from lorap_bench.train.early import Early
from lorap_bench.train.loop import Trainee
from lorap_bench.train.memory import fits
from lorap_bench.train.together import Ended, Errand, train_together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lorap_bench.data.task import GraphTask, Split
    from lorap_bench.record import Status
    from lorap_bench.train.outcome import Trial
    from lorap_bench.train.watch import Watch

__all__ = ["Group"]


@final
class Group:
    """Train trials of equal shapes, one member a seed.

    Args:
        trials: the trials; what becomes of their members is noted there.
        split: see ``fit``.
        watch: who looks on; its deadline is left to the caller.
    """

    def __init__(self, trials: Sequence[Trial], split: Split, watch: Watch) -> None:
        self._trials, self._split, self._watch = trials, split, watch
        self._owners = [(trial, place) for trial in trials for place in range(len(trial.seeds))]
        self._members = [Member(trial.plan.trial, trial.seeds[place]) for trial, place in self._owners]
        self._early = Early([trial for trial, _ in self._owners], self._members, watch.judge)

    def train(self, check: Callable[[], None] | None = None) -> None:
        """Train them; ``check`` is called before every epoch and may raise to stop."""
        whole, split = self._trials[0].task, self._split
        errand = Errand(
            task=whole if split == "test" else _without_test(whole),
            split=split,
            on_epoch=_both(check, self._watch.on_epoch),
            early=self._early,
        )
        started = datetime.now(UTC).isoformat(timespec="seconds")
        for trial in self._trials:
            trial.started = started
        for cohort in train_together(self._members, errand, most=fits(self._trials[0].plan, errand.task)):
            for index, ended in cohort:
                trial, place = self._owners[index]
                trial.ended[place] = ended

    def abandon(self, status: Status, reason: str) -> None:
        """End the members that have not ended, with the curves they have."""
        running = {id(trainee.member): trainee for trainee in self._early.running}
        for (trial, place), member in zip(self._owners, self._members, strict=True):
            if place not in trial.ended:
                trainee = running.get(id(member)) or Trainee(member)
                trial.ended[place] = Ended(trainee, status, reason, cohort=len(running))


@lru_cache(maxsize=4)
def _without_test(task: GraphTask) -> GraphTask:
    """Return one and the same stripped task each time, so that what is prepared for it is found again."""
    return task.without_test()


def _both(check: Callable[[], None] | None, on_epoch: Callable[[int], None] | None) -> Callable[[int], None] | None:
    if check is None:
        return on_epoch

    def call(epoch: int) -> None:
        check()
        if on_epoch is not None:
            on_epoch(epoch)

    return call
