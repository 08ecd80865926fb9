"""What a prompt adds to a scheme: paired by seed within each group, and over data sets as blocks.

A gain is more than 0 where the prompt is better, whatever the metric's direction. Over data sets, the gains of a data
set's groups are averaged first: architectures on one set share its graphs and are no further evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from lorap_bench.report.format import LEAST_FOR_INTERVAL
from lorap_bench.report.suite.entry import BARE, Arm
from lorap_bench.stats.significance import Comparison, compare_paired, holm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lorap_bench.report.score import Score
    from lorap_bench.report.suite.material import Group

__all__ = ["SCATTER", "Gain", "Pooled", "gains", "pooled"]


SCATTER = 1e-6
"""Below it, differences do not scatter: it is the noise of single precision."""


@dataclass(frozen=True, slots=True)
class Gain:
    """A prompt against none in one group.

    Attributes:
        group: where.
        arm: scheme and prompt.
        comparison: prompt less none, seed by seed, turned so that more is better.
        lost: trainings of either side without a partner, or that failed.
        adjusted: p of the t test by Holm among all gains of the metric.
    """

    group: Group
    arm: Arm
    comparison: Comparison
    lost: int
    adjusted: float | None = None


@dataclass(frozen=True, slots=True)
class Pooled:
    """The mean gain of a prompt over data sets, each with the mean of its groups' gains.

    Attributes:
        scheme: under which scheme; empty: the mean over all.
        prompt: which prompt.
        comparison: the gain against 0; its n counts data sets.
        sets: the data sets.
        gains: how many gains in groups it is made from.
        adjusted: p of the t test by Holm among those that were pooled together.
    """

    scheme: str
    prompt: str
    comparison: Comparison
    sets: tuple[str, ...]
    gains: int
    adjusted: float | None = None

    @property
    def clear(self) -> bool:
        """Whether the gain, or the loss, is told apart from 0 at 5 %."""
        return self.adjusted is not None and self.adjusted < 0.05


def gains(groups: Iterable[Group], score: Score) -> list[Gain]:
    """Return the gain of every prompt in every group of a metric where both sides have a figure."""
    found = [
        gain
        for group in groups
        if group.score == score
        for arm in group.entries
        if arm.prompt != BARE and (gain := _gain(group, arm)) is not None
    ]
    adjusted = holm([one.comparison.t_test for one in found])
    return [replace(one, adjusted=p) for one, p in zip(found, adjusted, strict=True)]


def pooled(found: Sequence[Gain], *, by_scheme: bool) -> list[Pooled]:
    """Return the gains over data sets, of each scheme and prompt, or of each prompt over all schemes.

    Over all schemes only those places count, a group and a scheme, where every prompt has a gain, so that all prompts
    are compared over the same; where there is no such place, all do.
    """
    if not by_scheme:
        found = _balanced(found) or found
    parts: dict[tuple[str, str], list[Gain]] = {}
    for gain in found:
        parts.setdefault((gain.arm.scheme if by_scheme else "", gain.arm.prompt), []).append(gain)
    ordered = [_pooled(*key, part) for key, part in parts.items()]
    adjusted = holm([one.comparison.t_test for one in ordered])
    return [replace(one, adjusted=p) for one, p in zip(ordered, adjusted, strict=True)]


def _balanced(found: Sequence[Gain]) -> list[Gain]:
    """Return the gains of the groups and schemes in which every prompt has one."""
    prompts = {gain.arm.prompt for gain in found}
    there: dict[tuple[str, str], set[str]] = {}
    for gain in found:
        there.setdefault((gain.group.name, gain.arm.scheme), set()).add(gain.arm.prompt)
    return [gain for gain in found if there[gain.group.name, gain.arm.scheme] == prompts]


def _gain(group: Group, arm: Arm) -> Gain | None:
    with_, without = group.entries[arm], group.entries.get(Arm(arm.scheme, BARE))
    if without is None:
        return None
    sides = [{seed: group.score.metric.quality(value) for seed, value in one.tests.items()} for one in (with_, without)]
    comparison = compare_paired(*sides)
    if comparison is None:
        return None
    return Gain(group, arm, _sober(comparison), max(with_.trainings, without.trainings) - comparison.n)


def _sober(comparison: Comparison) -> Comparison:
    """Return a comparison without tests where they say nothing: of less than three differences, or without any scatter.

    A difference that is the same in all of few seeds would have p = 0, and on few test items is no rare chance.
    """
    gap = comparison.difference
    if comparison.n < LEAST_FOR_INTERVAL:
        return replace(comparison, t_test=None, rank_test=None, d=None)
    alike = gap.std is not None and gap.std < SCATTER and abs(gap.mean) >= SCATTER
    return replace(comparison, t_test=None) if alike else comparison


def _pooled(scheme: str, prompt: str, part: Sequence[Gain]) -> Pooled:
    by_set: dict[str, list[float]] = {}
    for gain in part:
        by_set.setdefault(gain.group.dataset, []).append(gain.comparison.difference.mean)
    means = {place: fmean(values) for place, values in enumerate(by_set.values())}
    comparison = compare_paired(means, dict.fromkeys(means, 0.0))
    assert comparison is not None  # means are finite
    return Pooled(scheme, prompt, _sober(comparison), tuple(by_set), len(part))
