"""Whether a suite's tables can be trusted: what is missing, how often it was trained, where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.provenance import environment
from lorap_bench.report.suite.entry import State
from lorap_bench.report.verdict import Check
from lorap_bench.report.verdict import State as Health

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.report.suite.material import SuiteMaterial

__all__ = ["checks"]

_LEAST_TRAININGS = 3
_LATE = 0.95
_MANY_LATE = 0.25
_FAR = 2.0
_NAMED = 3


def checks(material: SuiteMaterial) -> Iterator[Check]:
    """Yield the checks."""
    yield _whole(material)
    yield _failures(material)
    yield _repeats(material)
    yield _trained_long_enough(material)
    yield _learned(material)
    yield _tuned(material)
    yield _origin(material)


def _whole(material: SuiteMaterial) -> Check:
    left = material.counts[State.LEFT]
    if left:
        share = f"{left} of {len(material.entries)} cells are left: means over data sets are over those that are there"
        return Check("Cells", Health.WARN, share)
    skipped = material.counts[State.SKIPPED]
    return Check("Cells", Health.GOOD, "none is left" + (f", {skipped} are skipped with a reason" if skipped else ""))


def _failures(material: SuiteMaterial) -> Check:
    ended = sum(len(entry.members) for entry in material.entries)
    failed = sum(sum(entry.failures.values()) for entry in material.entries)
    if failed:
        return Check("Failures", Health.WARN, f"{failed} of {ended} trainings failed; their cells are marked")
    return Check("Failures", Health.GOOD, f"none of {ended} trainings failed")


def _repeats(material: SuiteMaterial) -> Check:
    numbers = [entry.trainings for entry in material.entries if entry.state is not State.SKIPPED]
    few = sum(number < _LEAST_TRAININGS for number in numbers)
    if few:
        text = f"{few} cells are trained fewer than {_LEAST_TRAININGS} times: their scatter is hardly known"
        return Check("Repeats", Health.WARN, text)
    least, most = min(numbers, default=0), max(numbers, default=0)
    told = f"{least}" if least == most else f"{least} to {most}"
    return Check("Repeats", Health.GOOD if least >= 2 * _LEAST_TRAININGS else Health.NOTE, f"{told} trainings a cell")


def _trained_long_enough(material: SuiteMaterial) -> Check:
    """Look how many trainings were best in the last twentieth of their epochs: those may not have been done."""
    name = "Epochs"
    ends = [
        (member.best_epoch + 1) / member.epochs
        for entry in material.entries
        for _, member in entry.members
        if member.best_epoch is not None and member.epochs
    ]
    if not ends:
        return Check(name, Health.NOTE, "no training has ended")
    late = sum(end > _LATE for end in ends)
    text = f"{late} of {len(ends)} trainings were best on validation in the last twentieth of their epochs"
    many = late > _MANY_LATE * len(ends)
    return Check(name, Health.WARN if many else Health.GOOD, text + (": more may help them" if many else ""))


def _learned(material: SuiteMaterial) -> Check:
    """Look for arms that are far from the best of their group: gains over them say who trains at all."""
    far = []
    for group in material.groups:
        means = {arm: found.mean for arm in group.entries if (found := group.test(arm)) is not None}
        best = max(means.values(), key=group.score.metric.quality, default=0.0)
        for arm, mean in means.items():
            better, worse = (best, mean) if group.score.percent else (mean, best)
            if worse < better / _FAR:
                far.append(f"{group.name}: {arm}")
    if not far:
        return Check("Learning", Health.GOOD, "every arm is within a factor of two of the best of its table")
    more = f" and {len(far) - _NAMED} more" if len(far) > _NAMED else ""
    told = f"not within a factor of two of the best of their table: {'; '.join(far[:_NAMED])}{more}"
    return Check("Learning", Health.WARN, f"{told}; a gain or loss there tells which arm trains at all")


def _tuned(material: SuiteMaterial) -> Check:
    trained = [entry for entry in material.entries if entry.records]
    budgets = [0 if entry.tuning is None else int(entry.tuning.get("trials", 0)) for entry in trained]
    if not any(budgets):
        return Check("Tuning", Health.NOTE, "no cell was tuned: all arms have the settings of the suite’s file")
    if len(set(budgets)) == 1:
        return Check("Tuning", Health.GOOD, f"every cell was tuned with {budgets[0]} trials")
    return Check(
        "Tuning", Health.WARN, f"cells had budgets from {min(budgets)} to {max(budgets)} trials: compare those of equal"
    )


def _origin(material: SuiteMaterial) -> Check:
    facts = {fact.label: [value for value, _ in fact.values] for fact in environment(material.records)}
    several = [f"{len(values)} of {label}" for label, values in facts.items() if len(values) > 1 and label not in _MAY]
    changed = any(value.endswith("+") for value in facts.get("Commit", []))
    found = [f"more than one value: {', '.join(several)}"] if several else []
    found += ["a commit had changes that were not committed"] if changed else []
    if found:
        return Check("Origin", Health.NOTE, "; ".join(found))
    return Check("Origin", Health.GOOD, "one commit, one set of versions, one device")


_MAY = frozenset({"Cohort", "cohort", "gpus", "Gpus"})
