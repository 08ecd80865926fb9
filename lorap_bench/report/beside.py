"""Ours beside the published: every figure of the data set with the result of ours that comes nearest to its setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorap_bench.metric import metric_in
from lorap_bench.published import Judgement, PublishedResult, Setting, Verdict, published, verdict
from lorap_bench.report.trial import prompt_text, tested

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.material import Material
    from lorap_bench.stats.intervals import Interval

__all__ = ["Beside", "Ours", "beside", "measured"]


@dataclass(frozen=True, slots=True)
class Ours:
    """A configuration of ours that was measured on the test split: for which trial, what it is, what it reached."""

    trial: int
    words: str
    record: TrialRecord
    test: Interval


@dataclass(frozen=True, slots=True)
class Beside:
    """A published figure, ours that comes nearest to its setting, and how the two stand."""

    theirs: PublishedResult
    ours: Ours
    judgement: Judgement


def measured(material: Material) -> list[Ours]:
    """Return every configuration that the confirmation measured on the test split, each once.

    One that is a confirmed trial stands as that, and not as the baseline of another. The order is that of the trials,
    each before its baselines.
    """
    own = {one.record.digest for one in material.confirmations.values()}
    found: dict[str, Ours] = {}
    for number in sorted(material.confirmations):
        for place, record in enumerate(_records(material, number)):
            test = tested(record)
            if test is not None and record.digest not in found and (place == 0 or record.digest not in own):
                words = f"{record.config['quant']['scheme']}, {prompt_text(record)}"
                found[record.digest] = Ours(number, words, record, test)
    return list(found.values())


def beside(material: Material) -> list[Beside]:
    """Return the published figures on the study's data set with its architectures, the comparable ones first."""
    ours = measured(material)
    if not ours:
        return []
    archs = {one.record.config["model"]["arch"] for one in ours}
    datasets = sorted({one.record.config["task"]["dataset"] for one in ours})
    theirs = [figure for name in datasets for figure in published(name) if figure.arch in archs]
    found = [min((_judged(one, figure) for one in ours), key=_distance) for figure in theirs]
    order = list(Verdict)
    return sorted(found, key=lambda one: (order.index(one.judgement.verdict), one.theirs.line))


def _records(material: Material, number: int) -> Iterator[TrialRecord]:
    confirmation = material.confirmations[number]
    yield confirmation.record
    yield from confirmation.baselines.values()


def _judged(ours: Ours, theirs: PublishedResult) -> Beside:
    setting = Setting.of(ours.record.config, ours.record.costs, metric=metric_in(ours.record.objectives))
    return Beside(theirs, ours, verdict(ours.test, setting, theirs))


def _distance(one: Beside) -> tuple[bool, int, float, int]:
    """Return how far a result of ours is from the published setting: comparable first, then the fewest obstacles."""
    judged = one.judgement
    comparable = judged.verdict is not Verdict.NOT_COMPARABLE
    own = one.ours.record.costs.get(one.theirs.definition.cost)
    bits = abs(own - one.theirs.average_bits) if own is not None and one.theirs.average_bits is not None else 32.0
    return not comparable, 0 if comparable else judged.reason.count(";"), bits, one.ours.trial
