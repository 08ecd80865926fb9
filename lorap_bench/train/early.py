"""Early stopping of trials that train together: who is asked for a verdict, and on what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.train.cohort import Member
    from lorap_bench.train.loop import Trainee
    from lorap_bench.train.outcome import Trial
    from lorap_bench.train.watch import Judge

__all__ = ["Early"]


@final
class Early:
    """What stands between a cohort and the judge of its trials.

    A trial whose members memory keeps apart is judged with each part of them, by all that have reached the rung so
    far; once it is stopped, the rest of them are not trained.

    Args:
        owners: each member's trial.
        members: the members in the same order.
        judge: who decides; None: nobody.

    Attributes:
        running: the members of the cohort that trains now.
    """

    def __init__(self, owners: Sequence[Trial], members: Sequence[Member], judge: Judge | None) -> None:
        self.running: list[Trainee] = []
        self._owners = {id(member): trial for member, trial in zip(members, owners, strict=True)}
        self._judge = judge
        self._asked = 0

    def start(self, trainees: Sequence[Trainee]) -> None:
        """Note that a cohort begins to train."""
        self.running = list(trainees)
        self._asked = 0

    def after(self, finished: int, epochs: int) -> None:
        """Ask the judge at each rung that an evaluation has reached, and mark the members of trials that end.

        A rung between two evaluations is the later one's: nothing is evaluated for it, so that a trial which is not
        stopped ends as it would without a judge.

        Args:
            finished: epochs of the last stage that are behind the cohort (negative in an earlier one).
            epochs: all of that stage's.
        """
        if self._judge is None or finished >= epochs:
            return
        for rung in self._judge.rungs(epochs)[self._asked :]:
            if rung > finished:
                return
            self._ask(self._judge, rung)
            self._asked += 1

    def stopped(self, member: Member) -> str:
        """Return why the member's trial has been stopped; empty if it has not."""
        trainees = (ended.trainee for ended in self._owners[id(member)].ended.values())
        return next((trainee.stopped for trainee in trainees if trainee.stopped), "")

    def _ask(self, judge: Judge, rung: int) -> None:
        asked: dict[int, Trial] = {}
        for trainee in self.running:
            if not trainee.diverged and not trainee.stopped:
                assert trainee.val is not None
                trainee.val_best.append(trainee.val)
                trial = self._owners[id(trainee.member)]
                asked[trial.position] = trial
        verdicts = judge.stops(rung, {position: self._values(trial) for position, trial in asked.items()})
        for trainee in self.running:
            position = self._owners[id(trainee.member)].position
            if position in verdicts and not trainee.diverged and not trainee.stopped:
                trainee.stopped = verdicts[position] or "stopped"

    def _values(self, trial: Trial) -> list[float]:
        """Return what a trial's members had at the present rung, those of earlier cohorts first."""
        here = [trainee for trainee in self.running if self._owners[id(trainee.member)] is trial]
        before = [trial.ended[place].trainee for place in sorted(trial.ended)]
        place = self._asked
        return [one.val_best[place] if place < len(one.val_best) else math.nan for one in [*before, *here]]
