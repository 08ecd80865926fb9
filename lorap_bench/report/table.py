"""The tidy view of a study: one summary and one table of trials, both from records alone."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lorap_bench.metric import Metric, metric_in
from lorap_bench.record import Status
from lorap_bench.report.provenance import redact
from lorap_bench.report.trial import command, confirmed_score, gain, objective, roles, score
from lorap_bench.stats.front import REFERENCE, Direction, box_hypervolume, front_mask
from lorap_bench.study.spec import OBJECTIVES, objectives_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.stats.intervals import Interval
    from lorap_bench.store.look import Baseline, Confirmation
    from lorap_bench.study.spec import StudySpec

__all__ = ["SUMMARY_VERSION", "Summary", "directions", "front_records", "objective_matrix", "summarise", "trial_rows"]

SUMMARY_VERSION = 1
_STATES = ("complete", "pruned", "failed", "running", "invalid", "duplicate", "interrupted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Where a study stands.

    ``states`` counts trials by state, ``budget`` holds ``trials`` (asked for) and ``counted``
    (spent), ``front`` the number and values of each front trial in order of number,
    ``hypervolume`` the share of the reference box (version ``reference``) that they dominate.
    """

    name: str
    objectives: dict[str, Direction]
    states: dict[str, int]
    budget: dict[str, int]
    front: list[dict[str, Any]]
    hypervolume: float
    reference: int = REFERENCE.version
    schema_version: int = SUMMARY_VERSION

    def to_mapping(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)


def summarise(
    spec: StudySpec,
    records: Sequence[TrialRecord],
    confirmations: Mapping[int, Confirmation] | None = None,
    running: int = 0,
) -> Summary:
    """Count the trials by state and find the front; ``running`` trials have no record yet."""
    counts = Counter(_state(record.status) for record in records)
    counts["running"] += running
    front = front_records(spec, records)
    confirmed = confirmations or {}
    return Summary(
        name=spec.name,
        objectives=directions(spec),
        states={state: counts[state] for state in _STATES},
        budget={"trials": spec.budget.trials, "counted": sum(record.status.counts for record in records)},
        front=[_front_entry(spec, record, confirmed.get(record.number)) for record in front],
        hypervolume=box_hypervolume(objective_matrix(spec, front), directions(spec)),
    )


def directions(spec: StudySpec) -> dict[str, Direction]:
    """Return the study's objectives with their directions, in the study's order."""
    return {name: OBJECTIVES[name] for name in spec.objectives}


def front_records(spec: StudySpec, records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the non-dominated trials among the complete feasible ones, each configuration once."""
    unique: dict[str, TrialRecord] = {}
    for record in sorted(records, key=lambda record: record.number):
        if record.status is Status.COMPLETE and record.feasible:
            unique.setdefault(record.digest, record)
    candidates = list(unique.values())
    mask = front_mask(objective_matrix(spec, candidates), list(directions(spec).values()))
    return [record for record, kept in zip(candidates, mask, strict=True) if kept]


def objective_matrix(spec: StudySpec, records: Sequence[TrialRecord]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the objectives of trials, NaN where one has none.

    Shape:
        ``[len(records), number of objectives]``.
    """
    rows = [[objective(record, name) for name in spec.objectives] for record in records]
    return np.array(rows, dtype=np.float64).reshape(len(records), len(spec.objectives))


def trial_rows(
    spec: StudySpec,
    records: Sequence[TrialRecord],
    confirmations: Mapping[int, Confirmation] | None = None,
    file: str = "",
) -> pd.DataFrame:
    """Return one row a trial, in order of number; its command names the study ``file`` (``<name>.toml``).

    Columns: number, status, reason, front, feasible; the metric and costs; accuracy_std, _low, _high
    (95 % t interval of the mean; or mae_std, …) and seeds; test_accuracy likewise where confirmed, look, and
    gain_no_prompt, gain_fp32 likewise (differences paired by seed), and gain_gpf, gain_lorap where a look had a
    ladder; ``params.*``, ``costs.*``, ``violations.*``; then duplicate_of, attempt, started, seconds, digest, command.
    A column of whole numbers stays whole (``Int64``) even where some trials lack it.
    """
    front = {record.number for record in front_records(spec, records)}
    confirmed = confirmations or {}
    shown = roles(confirmed.values())
    metric = metric_in(
        [*spec.objectives, *spec.constraints, *(name for record in records for name in record.objectives)]
    )
    rows = [
        _row(record, confirmed.get(record.number), shown, metric.value)
        | {"front": record.number in front, "command": command(spec, record, file)}
        for record in sorted(records, key=lambda record: record.number)
    ]
    frame = pd.DataFrame(rows, columns=_columns(rows))
    for name in frame.columns:
        present = [row[name] for row in rows if row.get(name) is not None]
        if present and all(isinstance(value, int) and not isinstance(value, bool) for value in present):
            frame[name] = pd.array([row.get(name) for row in rows], dtype="Int64")
    return frame


def _state(status: Status) -> str:
    if status is Status.INTERRUPTED:
        return "interrupted"
    return "failed" if status.failed else status.value


def _front_entry(spec: StudySpec, record: TrialRecord, confirmation: Confirmation | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "number": record.number,
        "values": {name: objective(record, name) for name in spec.objectives},
    }
    test = confirmed_score(confirmation)
    return entry | ({f"test_{spec.metric.value}": test.mean, "test_seeds": test.n} if test else {})


def _row(
    record: TrialRecord, confirmation: Confirmation | None, shown: Sequence[Baseline], metric: str
) -> dict[str, Any]:
    interval, test = score(record), confirmed_score(confirmation)
    row: dict[str, Any] = {
        "number": record.number,
        "status": record.status.value,
        "reason": redact(record.reason),
        "front": False,
        "feasible": record.feasible if record.violations else None,
    }
    row |= {name: _finite(record.objectives.get(name)) for name in objectives_of(Metric(metric))}
    row |= {f"{metric}_{part}": getattr(interval, part, None) for part in ("std", "low", "high")}
    row["seeds"] = interval.n if interval else 0
    row |= {f"test_{metric}": getattr(test, "mean", None), "test_seeds": getattr(test, "n", None)}
    row |= {f"test_{metric}_{part}": getattr(test, part, None) for part in ("std", "low", "high")}
    row["look"] = getattr(confirmation, "look", None)
    for baseline in shown:
        row |= _gain(f"gain_{baseline}", gain(confirmation, baseline))
    for prefix, values in (("params", record.params), ("costs", record.costs), ("violations", record.violations)):
        row |= {f"{prefix}.{name}": value for name, value in values.items()}
    return row | {name: getattr(record, name) for name in ("duplicate_of", "attempt", "started", "seconds", "digest")}


def _gain(name: str, found: Interval | None) -> dict[str, Any]:
    parts = {f"{name}_{part}": getattr(found, part, None) for part in ("std", "low", "high")}
    return {name: getattr(found, "mean", None), f"{name}_seeds": getattr(found, "n", None), **parts}


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return every column name, groups kept together in the order of ``trial_rows``."""
    names = dict.fromkeys(name for row in rows for name in row)
    groups = ("", "params", "costs", "violations")
    tail = ("duplicate_of", "attempt", "started", "seconds", "digest", "command")

    def place(name: str) -> int:
        return len(groups) if name in tail else groups.index(name.partition(".")[0] if "." in name else "")

    return sorted(names, key=place)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
