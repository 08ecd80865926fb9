"""A few trials that stand for the front, in order of bits, and what a figure calls a trial."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from lorap_bench.metric import metric_in
from lorap_bench.report.format import number_text
from lorap_bench.report.score import Score
from lorap_bench.report.trial import objective, score

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lorap_bench.record import TrialRecord

__all__ = ["average_bits", "by_bits", "evenly", "label", "spread"]

T = TypeVar("T")


def average_bits(record: TrialRecord) -> float:
    """Return a trial's average bits, whether they are an objective of the study or only known; NaN without any."""
    value = record.costs.get("average_bits")
    return float(value) if value is not None else objective(record, "average_bits")


def by_bits(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return trials by average bits, then by number; those without come last."""

    def place(record: TrialRecord) -> tuple[float, int]:
        bits = average_bits(record)
        return (bits if math.isfinite(bits) else math.inf, record.number)

    return sorted(records, key=place)


def evenly(values: Sequence[T], most: int) -> list[T]:
    """Return at most ``most`` of the values, in order, evenly spread, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    places = np.linspace(0, len(values) - 1, most).round().astype(int)
    return [values[place] for place in dict.fromkeys(places.tolist())]


def spread(records: Sequence[TrialRecord], most: int, always: Collection[int] = ()) -> list[TrialRecord]:
    """Return at most ``most`` trials by bits: those whose numbers are in ``always``, and others evenly between."""
    ordered = by_bits(records)
    kept = evenly([record for record in ordered if record.number in always], most)
    numbers = {record.number for record in kept}
    others = evenly([record for record in ordered if record.number not in numbers], most - len(kept))
    return by_bits([*kept, *others])


def label(record: TrialRecord) -> str:
    """Return what stands for a trial on an axis or in a legend: its number, validation metric and average bits."""
    mean, written = score(record), Score(metric_in(record.objectives))
    parts = [f"trial {record.number}"]
    if mean is not None:
        parts.append(f"{written.text(mean.mean)}{written.unit or ' ' + written.name}")
    if math.isfinite(average_bits(record)):
        parts.append(f"{number_text(average_bits(record))} bits")
    return " · ".join(parts)
