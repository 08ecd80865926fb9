"""Which arms of a group are best, and which of the others chance may have parted from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.format import LEAST_FOR_INTERVAL
from lorap_bench.report.result import Result, Standing
from lorap_bench.report.suite.entry import State
from lorap_bench.report.suite.gains import SCATTER
from lorap_bench.stats.paired import paired_interval

if TYPE_CHECKING:
    from lorap_bench.report.suite.entry import Arm
    from lorap_bench.report.suite.material import Group

__all__ = ["result", "standings"]


def standings(group: Group) -> dict[Arm, Standing]:
    """Return how each arm stands whose trainings all ended well; the others, whose means flatter them, are left out.

    Best is the best mean. Near are those whose difference from it, seed by seed, has a 95 % t interval that holds 0,
    or that have too few seeds for an interval to say anything: less than three, or a difference that is the same in
    all of them, which on few test items is no rare chance.
    """
    means = {arm: mean for arm in group.entries if group.done(arm) and (mean := group.mean(arm)) is not None}
    if not means:
        return {}
    best = max(means, key=lambda arm: group.score.metric.quality(means[arm]))
    return {
        arm: Standing.BEST
        if means[arm] == means[best]
        else Standing.NEAR
        if _may_be_chance(group, best, arm)
        else Standing.OTHER
        for arm in means
    }


def result(group: Group, arm: Arm, standing: dict[Arm, Standing]) -> Result | None:
    """Return what a table shows of an arm; None where the suite has no such cell."""
    entry = group.entries.get(arm)
    if entry is None:
        return None
    return Result(
        test=group.test(arm),
        bits=entry.cost("average_bits") if entry.state in {State.DONE, State.FAILED} else None,
        standing=standing.get(arm, Standing.OTHER),
        note=entry.note,
        fraction=group.score.percent,
    )


def _may_be_chance(group: Group, best: Arm, other: Arm) -> bool:
    gap = paired_interval(group.entries[best].tests, group.entries[other].tests)
    if gap is None or gap.low is None or gap.high is None or gap.n < LEAST_FOR_INTERVAL:
        return True
    if gap.std is not None and gap.std < SCATTER:
        return True
    return gap.low <= 0.0 <= gap.high
