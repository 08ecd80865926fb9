"""Ours beside a published figure: reproduced, better, worse, or not comparable, and why.

The rule is ours. Two figures are **not comparable** where they are of another data set, metric, architecture, scheme
or prompt; where their protocols are known to differ in what decides a figure (split, folds, whether the test split
chose what is reported, cleaned data); or where the average bits, counted as the paper counts them, are unknown or
more than 0.5 apart. Widths, depths and poolings of the model may differ: they are told, and decide nothing.

Otherwise the means are compared. The tolerance is one published standard deviation, or 1.0 point (0.01) where
none is given. A difference within it is **reproduced**; beyond it ours is **better** or **worse**, as the metric goes.
Welch's interval of the difference stands beside it where deviation and runs are published; it decides nothing, for
few runs would make everything reproduced.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from lorap_bench.published.result import Protocol
from lorap_bench.stats.intervals import Interval
from lorap_bench.stats.welch import welch_interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.published.result import PublishedResult
    from lorap_bench.published.setting import Setting

__all__ = ["BITS_APART", "TOLERANCE", "Judgement", "Verdict", "verdict"]

TOLERANCE = 0.01
BITS_APART = 0.5
_DECISIVE = ("split", "folds", "selection", "data")
_ROUNDING = 1e-9  # a difference of exactly the tolerance is within it, whatever binary fractions make of it


class Verdict(StrEnum):
    """How a result of ours stands to a published one."""

    REPRODUCED = "reproduced"
    BETTER = "better"
    WORSE = "worse"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with its reason.

    Attributes:
        verdict: how ours stands to theirs.
        reason: why, in words.
        differences: in what the protocols are known to differ (``folds: 10 there, 1 here``).
        difference: ours − theirs in the metric's unit; None where they are not comparable.
        low: lower end of its 95 % interval, None where deviation or runs of a side are not known.
        high: upper end.
    """

    verdict: Verdict
    reason: str
    differences: tuple[str, ...] = ()
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def verdict(ours: Interval, setting: Setting, published: PublishedResult) -> Judgement:
    """Judge a result of ours, measured under ``setting``, beside a published one by the rule above.

    ``ours`` is to come from the test split and from seeds that selected nothing: a confirmation's.

    Units: accuracies are fractions.
    """
    differences = _protocols(setting, published, tuple(field.name for field in fields(Protocol)))
    obstacles = [*_subjects(setting, published), *_protocols(setting, published, _DECISIVE), *_bits(setting, published)]
    if obstacles:
        reason = "; ".join(obstacles)
        return Judgement(verdict=Verdict.NOT_COMPARABLE, reason=reason, differences=differences)
    difference = ours.mean - published.value
    tolerance = TOLERANCE if published.std is None else published.std
    found = _compared(difference if published.metric.higher_is_better else -difference, tolerance)
    theirs = Interval(mean=published.value, std=published.std, low=None, high=None, n=published.runs or 1)
    low, high = welch_interval(ours, theirs) or (None, None)
    return Judgement(
        verdict=found,
        reason=_reason(found, difference, published),
        differences=differences,
        difference=difference,
        low=low,
        high=high,
    )


def _subjects(setting: Setting, published: PublishedResult) -> Iterator[str]:
    """Tell in what the two are of different things."""
    pairs = (
        ("data set", published.dataset, setting.dataset),
        ("metric", published.metric.label, setting.metric.label),
        ("architecture", published.arch, setting.arch),
        ("scheme", published.framework, setting.framework),
        ("prompt", published.prompt, setting.prompt),
    )
    return (f"another {name}: {theirs} there, {ours} here" for name, theirs, ours in pairs if theirs != ours)


def _protocols(setting: Setting, published: PublishedResult, names: tuple[str, ...]) -> tuple[str, ...]:
    """Tell in which of some parts the protocols are known to differ."""
    values = ((name, getattr(published.protocol, name), getattr(setting.protocol, name)) for name in names)
    return tuple(
        f"{name}: {theirs} there, {ours} here"
        for name, theirs, ours in values
        if theirs is not None and ours is not None and theirs != ours
    )


def _bits(setting: Setting, published: PublishedResult) -> Iterator[str]:
    """Tell whether the average bits, as the paper counts them, are unknown or too far apart."""
    ours = setting.costs.get(published.definition.cost)
    if published.average_bits is None or not published.definition.cost:
        yield "the published average bits are not stated, or not what they are an average of"
    elif ours is None:
        yield f"our average bits are not known by their definition ({published.definition})"
    elif abs(ours - published.average_bits) > BITS_APART + _ROUNDING:
        yield f"average bits ({published.definition}): {published.average_bits:g} there, {ours:.3g} here"


def _compared(advantage: float, tolerance: float) -> Verdict:
    """Return the verdict on how much better ours is; negative where it is worse."""
    if abs(advantage) <= tolerance + _ROUNDING:
        return Verdict.REPRODUCED
    return Verdict.BETTER if advantage > 0 else Verdict.WORSE


def _reason(found: Verdict, difference: float, published: PublishedResult) -> str:
    side = "below" if difference < 0 else "above"
    amount = published.metric.amount
    measure = "the tolerance, for no deviation is published" if published.std is None else "one published deviation"
    place = "within" if found is Verdict.REPRODUCED else "beyond"
    tolerance = amount(TOLERANCE if published.std is None else published.std)
    return f"{amount(difference)} {side} the published mean, {place} {measure} ({tolerance})"
