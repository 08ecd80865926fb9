"""The sampler's log, made anew from the records of a study.

Points, figures, constraints and the keys come back; what a sampler noted for itself, such as generations, does not.
A key without a record goes into the queue: its point is drawn again from its own seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import optuna
from optuna.trial import TrialState, create_trial

from lorap_bench.search.log import Log, Memory
from lorap_bench.search.suggest import as_optuna
from lorap_bench.search.told import PARTIAL, partial
from lorap_bench.search.trials import ending, make_study

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

__all__ = ["rebuilt"]


def rebuilt(spec: StudySpec, records: Sequence[TrialRecord]) -> list[str]:
    """Return the lines of a log that knows these records, and no more."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    kept = _Kept()
    study = make_study(spec, Memory(Log(kept)))
    distributions = {one.path: as_optuna(one.distribution) for one in spec.parameters.parameters}
    known = {record.number: record for record in records}
    for key in range(max(known, default=-1) + 1):
        study.add_trial(_trial(spec, known[key], distributions) if key in known else _queued(key))
    return kept.lines


@final
class _Kept:
    """Lines in memory."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def read(self, start: int) -> list[str]:
        return self.lines[start:]

    def append(self, start: int, lines: Sequence[str]) -> None:
        assert start == len(self.lines)
        self.lines += lines

    def close(self) -> None:
        """Nothing is open."""


def _trial(spec: StudySpec, record: TrialRecord, distributions: Mapping[str, BaseDistribution]) -> FrozenTrial:
    """Return a finished trial as ``Trials.tell`` would have left it."""
    params = {path: value for path, value in record.params.items() if path in distributions}
    state, figures = ending(spec, record)
    notes = {"key": record.number, "attempt": record.attempt}
    seen = partial(record) if state is TrialState.PRUNED else None
    return create_trial(
        state=state,
        values=figures,
        params=params,
        distributions={path: distributions[path] for path in params},
        user_attrs=notes if seen is None else {**notes, PARTIAL: seen},
        constraints=record.violations or None,
    )


def _queued(key: int) -> FrozenTrial:
    return create_trial(
        state=TrialState.WAITING, system_attrs={"fixed_params": {}}, user_attrs={"key": key, "attempt": 1}
    )
