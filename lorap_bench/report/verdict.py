"""What to take away: the best trial under each bit budget, and whether the study can be trusted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from lorap_bench.record import Status, TrialRecord
from lorap_bench.report.provenance import redact
from lorap_bench.report.table import front_records
from lorap_bench.report.trial import objective, quality, score

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import ParameterSpec, StudySpec

__all__ = ["BIT_BUDGETS", "Check", "State", "Winner", "checks", "winners"]

BIT_BUDGETS = (3.0, 4.0, 6.0, 8.0)
_LEAST_AT_EDGE = 3


@dataclass(frozen=True, slots=True)
class Winner:
    """The best trial by the metric whose average bits stay within every one of ``budgets``.

    An infinite budget is the one of every trial.
    """

    budgets: tuple[float, ...]
    record: TrialRecord


class State(StrEnum):
    """How a check ended; a note is neither good nor bad."""

    GOOD = "good"
    NOTE = "note"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Check:
    """One health check of the study: its name, how it ended, and the figures behind it."""

    name: str
    state: State
    text: str


def winners(records: Iterable[TrialRecord]) -> list[Winner]:
    """Return the best trial under each bit budget and of all; one that wins several stands once.

    Ties go to fewer bits, then to less overhead, then to the earlier trial. Only complete feasible
    trials with a finite metric and bit width take part.
    """
    candidates = [
        record
        for record in records
        if record.status is Status.COMPLETE
        and record.feasible
        and np.isfinite([quality(record), objective(record, "average_bits")]).all()
    ]
    ordered = sorted(candidates, key=_rank)
    best: dict[int, Winner] = {}
    for budget in (*BIT_BUDGETS, float("inf")):
        within = (record for record in ordered if objective(record, "average_bits") <= budget)
        record = next(within, None)
        if record is not None:
            earlier = best[record.number].budgets if record.number in best else ()
            best[record.number] = Winner((*earlier, budget), record)
    return list(best.values())


def checks(spec: StudySpec, records: Sequence[TrialRecord], confirmations: Mapping[int, Confirmation]) -> list[Check]:
    """Run every health check, in the order a reader should see them."""
    return [
        _budget(spec, records),
        _failed(records),
        _confirmed(spec, records, confirmations),
        _seeds(spec, records),
        _infeasible(records),
        _duplicates(records),
        _edges(spec, records),
        _clamped(records),
        _code(records),
    ]


def _rank(record: TrialRecord) -> tuple[float, float, float, int]:
    overhead = objective(record, "overhead")
    bits = objective(record, "average_bits")
    return -quality(record), bits, overhead if np.isfinite(overhead) else np.inf, record.number


def _budget(spec: StudySpec, records: Sequence[TrialRecord]) -> Check:
    counted, asked = sum(record.status.counts for record in records), spec.budget.trials
    text = f"{counted} of {asked} trials spent"
    if counted >= asked:
        return Check("Budget", State.GOOD, text)
    epochs = sum(member.epochs for record in records for member in record.members)
    limits = [f"{epochs:,} of {spec.budget.epochs:,} epochs"] if spec.budget.epochs is not None else []
    hours = (("GPU hours", spec.budget.gpu_hours), ("hours", spec.budget.hours))
    limits += [f"a limit of {most:g} {name}" for name, most in hours if most is not None]
    if limits:  # how much of the last trial, or which hours, is not on record
        return Check("Budget", State.NOTE, f"{text}; beside {' and '.join(limits)}, which may have ended the search")
    return Check("Budget", State.WARN, f"{text}: the search is not finished")


def _failed(records: Sequence[TrialRecord]) -> Check:
    failed = [record for record in records if record.status.failed]
    if not failed:
        return Check("Failed trials", State.GOOD, f"none of {len(records)}")
    kinds = Counter(f"{record.status.value.replace('_', ' ')}" for record in failed)
    reasons = Counter(redact(record.reason) for record in failed if record.reason)
    text = f"{len(failed)} of {len(records)}: " + ", ".join(f"{kind} ({n})" for kind, n in kinds.most_common())
    if reasons:
        text += "; most often “" + _short(reasons.most_common(1)[0][0]) + "”"
    return Check("Failed trials", State.WARN, text)


def _confirmed(spec: StudySpec, records: Sequence[TrialRecord], confirmations: Mapping[int, Confirmation]) -> Check:
    front = [record.number for record in front_records(spec, records)]
    if not front:
        return Check("Confirmation", State.NOTE, "no front to confirm")
    done = sum(number in confirmations for number in front)
    if spec.replicas.confirm == 0 and not done:
        return Check("Confirmation", State.NOTE, f"the study asked for none, so there is no test {spec.metric.label}")
    text = f"{done} of {len(front)} front trials have test {spec.metric.label} on fresh seeds"
    looks = max((found.look for found in confirmations.values()), default=0)
    if looks > 1:
        text += f"; the test split was looked at {looks} times"
    failed = _failed_confirmations(confirmations[number] for number in front if number in confirmations)
    if failed:
        text += f"; not complete: {failed}"
    good = done == len(front) and looks == 1 and not failed
    return Check("Confirmation", State.GOOD if good else State.WARN, text)


def _failed_confirmations(confirmations: Iterable[Confirmation]) -> str:
    """Say which confirmations and baselines ended otherwise than complete."""
    ended = (
        (name, record.status)
        for found in confirmations
        for name, record in (
            (f"trial {found.record.number}", found.record),
            *((f"{role.words} of trial {found.record.number}", other) for role, other in found.baselines.items()),
        )
    )
    return ", ".join(f"{name} ({status.value.replace('_', ' ')})" for name, status in ended if status.failed)


def _seeds(spec: StudySpec, records: Sequence[TrialRecord]) -> Check:
    complete = [record for record in records if record.status is Status.COMPLETE]
    if not complete:
        return Check("Seeds", State.NOTE, "no trial completed")
    found = [interval.n if (interval := score(record)) else 0 for record in complete]
    most, screen = spec.replicas.search, spec.replicas.screen
    short = sum(n < min(most, screen or most) for n in found)
    screened = sum(n < most for n in found) - short
    if screened and not short:
        text = f"{most} in {len(complete) - screened} of {len(complete)} complete trials, the others screened with"
        return Check("Seeds", State.NOTE, f"{text} {screen}: their means scatter more")
    if short:
        return Check("Seeds", State.WARN, f"{short} of {len(complete)} complete trials lack some of their seeds")
    return Check("Seeds", State.GOOD, f"{spec.replicas.search} in each of {len(complete)} complete trials")


def _infeasible(records: Sequence[TrialRecord]) -> Check:
    rules = Counter(name for record in records for name, value in record.violations.items() if value > 0)
    broken = sum(not record.feasible for record in records)
    invalid = sum(record.status is Status.INVALID for record in records)
    text = f"broken by {broken} of {len(records)} trials" if broken else f"kept by all {len(records)} trials"
    if rules:
        text += " (" + ", ".join(f"{name}: {n}" for name, n in rules.most_common()) + ")"
    if invalid:
        text += f"; refused before training: {invalid}"
    return Check("Constraints", State.NOTE if broken or invalid else State.GOOD, text)


def _duplicates(records: Sequence[TrialRecord]) -> Check:
    count = sum(record.status is Status.DUPLICATE for record in records)
    text = (
        f"answered from an earlier trial: {count} of {len(records)} proposals"
        if count
        else "no configuration was proposed twice"
    )
    return Check("Duplicates", State.NOTE if count else State.GOOD, text)


def _clamped(records: Sequence[TrialRecord]) -> Check:
    count = sum(bool(record.effective.get("clamped")) for record in records)
    clamped = f"clamped by the prompt count or a layer's width in {count} of {len(records)} trials"
    text = clamped if count else "none was clamped"
    return Check("Prompt rank", State.NOTE if count else State.GOOD, text)


def _edges(spec: StudySpec, records: Sequence[TrialRecord]) -> Check:
    """Name the searched ranges at whose end half of the front and more lies: a wider space may hold a better front."""
    front = front_records(spec, records)
    found = []
    for path, line in spec.space.items():
        ends = _ends(line)
        values = [record.params[path] for record in front if path in record.params]
        if ends is None or len(values) < _LEAST_AT_EDGE:
            continue
        for end, name in zip(ends, ("least", "largest"), strict=True):
            at = values.count(end)
            if 2 * at >= len(values) and not (name == "least" and end == 1):  # nothing is below one prompt or rank one
                found.append(f"{at} of {len(values)} front trials have {path} at its {name}, {end:g}")
    if not found:
        return Check("Space edges", State.GOOD, "the front keeps away from the ends of what is searched")
    return Check("Space edges", State.NOTE, "; ".join(found) + ": a wider space may hold better")


def _ends(line: ParameterSpec) -> tuple[float, float] | None:
    """Return the ends of a range, or of three and more numbers to choose from; None of anything else."""
    ends = line.whole or line.real
    if ends is not None:
        return float(ends[0]), float(ends[1])
    numbers = [value for value in line.choices or () if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return (min(numbers), max(numbers)) if len(numbers) == len(line.choices or ()) >= _LEAST_AT_EDGE else None


def _code(records: Sequence[TrialRecord]) -> Check:
    commits = {str(commit) for record in records if (commit := record.provenance.get("commit"))}
    if len(commits) > 1:
        return Check("Code", State.WARN, f"the trials come from {len(commits)} versions of the code")
    return Check("Code", State.GOOD if commits else State.NOTE, "one version" if commits else "no commit recorded")


def _short(text: str, width: int = 90) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
