"""Published figures that fit a trained cell: same data set, architecture, scheme, prompt and metric."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lorap_bench.published import Setting, Verdict, published, verdict

if TYPE_CHECKING:
    from lorap_bench.published import Judgement, PublishedResult
    from lorap_bench.report.suite.entry import Arm
    from lorap_bench.report.suite.material import Group, SuiteMaterial
    from lorap_bench.stats.intervals import Interval

__all__ = ["Match", "matches", "others"]


@dataclass(frozen=True, slots=True)
class Match:
    """A published figure, the cell of ours that comes nearest to its bits, and how the two stand.

    ``bits`` are ours, counted as the paper counts; None where we do not know them so.
    ``note`` says which of our trainings are missing.
    """

    theirs: PublishedResult
    group: Group
    ours: Interval
    bits: float | None
    judgement: Judgement
    note: str = ""


def matches(material: SuiteMaterial) -> list[Match]:
    """Return the published figures that fit a trained cell, each with the nearest one, comparable ones first."""
    settings = _settings(material)
    found: list[Match] = []
    for theirs in _known(material):
        fitting = [_match(theirs, *one) for one in settings if _fits(theirs, one[-1])]
        if fitting:
            found.append(min(fitting, key=_distance))
    order = list(Verdict)
    return sorted(found, key=lambda one: (order.index(one.judgement.verdict), one.theirs.line))


def others(material: SuiteMaterial) -> int:
    """Return how many published figures are of the same sets and architectures, but fit no trained cell."""
    settings = [one for *_, one in _settings(material)]
    places = {(one.dataset, one.arch) for one in settings}
    near = [theirs for theirs in _known(material) if (theirs.dataset, theirs.arch) in places]
    return sum(not any(_fits(theirs, one) for one in settings) for theirs in near)


def _known(material: SuiteMaterial) -> list[PublishedResult]:
    return [one for name in material.datasets for one in published(name, unverified=material.unverified)]


def _settings(material: SuiteMaterial) -> list[tuple[Group, Arm, Interval, Setting]]:
    """Return every cell that has a test figure, with what it was measured on."""
    found = []
    for group in material.groups:
        for arm in group.entries:
            test = group.test(arm)
            if test is not None:
                found.append((group, arm, test, _setting(group, arm)))
    return found


def _setting(group: Group, arm: Arm) -> Setting:
    entry = group.entries[arm]
    folds = len({record.config["task"]["fold"] for record in entry.records})
    setting = Setting.of(entry.records[0].config, entry.mean_costs, folds=folds)
    return replace(setting, metric=group.score.metric)


def _fits(theirs: PublishedResult, ours: Setting) -> bool:
    return (theirs.dataset, theirs.arch, theirs.framework, theirs.prompt, theirs.metric) == (
        ours.dataset,
        ours.arch,
        ours.framework,
        ours.prompt,
        ours.metric,
    )


def _match(theirs: PublishedResult, group: Group, arm: Arm, ours: Interval, setting: Setting) -> Match:
    bits = setting.costs.get(theirs.definition.cost)
    return Match(theirs, group, ours, bits, verdict(ours, setting, theirs), group.entries[arm].note)


def _distance(one: Match) -> tuple[bool, float]:
    apart = abs(one.bits - one.theirs.average_bits) if one.bits is not None and one.theirs.average_bits else 32.0
    return one.judgement.verdict is Verdict.NOT_COMPARABLE, apart
