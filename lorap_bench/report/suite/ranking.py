"""The table that ranks are made from: one row a group in which every arm is whole, one column an arm."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorap_bench.report.suite.entry import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.report.suite.entry import Arm
    from lorap_bench.report.suite.material import Group

__all__ = ["Ranking", "ranking"]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Means of arms over groups, turned so that more is better.

    Attributes:
        arms: the columns; an arm that the suite skips everywhere is none of them.
        table: the rows.
        blocks: the group of each row.
        left_out: name of a group in which not all arms are whole → what of them is missing.

    Shape:
        table ``[blocks, arms]``.
    """

    arms: list[Arm]
    table: list[list[float]]
    blocks: list[Group]
    left_out: dict[str, str]


def ranking(groups: Sequence[Group], arms: Sequence[Arm]) -> Ranking:
    """Return the table of some arms over the groups that have all of them whole."""
    present = [arm for arm in arms if any(_state(group, arm) is not State.SKIPPED for group in groups)]
    table, blocks, left_out = [], [], {}
    for group in groups:
        means = [mean for arm in present if group.done(arm) and (mean := group.mean(arm)) is not None]
        if present and len(means) == len(present):
            table.append([group.score.metric.quality(mean) for mean in means])
            blocks.append(group)
        else:
            missing = Counter(_state(group, arm).value for arm in present if not group.done(arm))
            left_out[group.name] = ", ".join(f"{count} {state}" for state, count in missing.items())
    return Ranking(present, table, blocks, left_out)


def _state(group: Group, arm: Arm) -> State:
    entry = group.entries.get(arm)
    return State.SKIPPED if entry is None else entry.state
