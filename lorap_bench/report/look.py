"""What a look at the test split found, trial by trial: for the screen and for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lorap_bench.metric import metric_in
from lorap_bench.report.score import Score
from lorap_bench.report.trial import confirmed_score, gain, roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorap_bench.stats.intervals import Interval
    from lorap_bench.store.look import Baseline, Confirmation, Look

__all__ = ["LOOK_REPORT_VERSION", "look_columns", "look_entry", "look_mapping", "look_rows"]

LOOK_REPORT_VERSION = 1


def look_columns(confirmations: Mapping[int, Confirmation]) -> list[str]:
    """Return the headings of ``look_rows``: a gain for every baseline of ``roles``."""
    written = _written(confirmations)
    gains = [written.gains(f"gain over {role.words}") for role in roles(confirmations.values())]
    return ["trial", *(column.label for column in (written.column("test"), *gains)), "n"]


def look_rows(confirmations: Mapping[int, Confirmation]) -> list[list[str]]:
    """Return one row a trial under ``look_columns``: means with their 95 % t intervals.

    ``n`` counts the seeds of the test metric and, where a seed failed on one side, the pairs of each gain.
    """
    shown, written = roles(confirmations.values()), _written(confirmations)
    return [_row(number, confirmations[number], shown, written) for number in sorted(confirmations)]


def look_entry(look: Look) -> dict[str, Any]:
    """Return a look without its trials, in plain values."""
    return {
        "number": look.number,
        "seeds": list(look.seeds),
        "started": look.started,
        "finished": look.finished,
        "again": look.again,
        "ladder": look.ladder,
        "counted": look.counted,
        "budget": look.budget,
    }


def look_mapping(name: str, look: Look, confirmations: Mapping[int, Confirmation]) -> dict[str, Any]:
    """Return a study's look and what it found as plain values, ready for JSON."""
    return {
        "schema_version": LOOK_REPORT_VERSION,
        "name": name,
        "look": look_entry(look),
        "trials": [_trial(number, confirmations[number]) for number in sorted(confirmations)],
    }


def _written(confirmations: Mapping[int, Confirmation]) -> Score:
    """Return how the metric of the looks is written."""
    return Score(metric_in(name for one in confirmations.values() for name in one.record.objectives))


def _row(number: int, confirmation: Confirmation, shown: Sequence[Baseline], written: Score) -> list[str]:
    test = confirmed_score(confirmation)
    gains = [gain(confirmation, baseline) for baseline in shown]
    mean = "–" if test is None else f"{written.text(test.mean)} {written.spread(test)}".rstrip()
    counts = dict.fromkeys(str(found.n) for found in (test, *gains) if found is not None)
    return [str(number), mean, *(written.gain(found) for found in gains), "/".join(counts) or "0"]


def _trial(number: int, confirmation: Confirmation) -> dict[str, Any]:
    return {
        "number": number,
        "status": confirmation.record.status.value,
        f"test_{metric_in(confirmation.record.objectives).value}": _plain(confirmed_score(confirmation)),
        "baselines": {role.value: record.status.value for role, record in confirmation.baselines.items()},
        "gains": {role.value: _plain(gain(confirmation, role)) for role in confirmation.baselines},
    }


def _plain(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else asdict(interval)
