"""A study's records in Optuna's words, for Optuna's own tools: a journal file, or a study in memory that follows.

Only records are read, so nothing that a tool does with what it is shown reaches the study.
"""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, final

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import InMemoryStorage, JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.trial import TrialState

from lorap_bench.record import Status
from lorap_bench.report.provenance import redact
from lorap_bench.search.objective import directions, values
from lorap_bench.search.suggest import as_optuna
from lorap_bench.store.numbered import numbered, read_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["Mirror", "optuna_journal"]

_STATES = {
    Status.COMPLETE: TrialState.COMPLETE,
    Status.DUPLICATE: TrialState.COMPLETE,
    Status.PRUNED: TrialState.PRUNED,
    Status.INVALID: TrialState.PRUNED,
}
_WRITER = "lorap-bench"  # in place of a name that is drawn at random
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def optuna_journal(spec: StudySpec, records: Sequence[TrialRecord]) -> bytes:
    """Return a journal file for Optuna: the same records give the same bytes.

    ``optuna.load_study`` finds one study under the study's name: a trial for each record, in the order of their
    numbers, with parameters, values, constraints, and the rest as user attributes. What failed has no values.
    """
    kept = _Kept()
    study = _empty(spec, JournalStorage(kept))
    for trial in _trials(spec, sorted(records, key=lambda record: record.number)):
        study.add_trial(trial)
    lines = ({**line, "worker_id": _WRITER} for line in kept.lines)
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()


@final
class Mirror:
    """A study in memory that has what the records of a folder tell, each time it is told to ``follow``.

    Attributes:
        storage: for Optuna's tools; what they write there is forgotten.
    """

    def __init__(self, spec: StudySpec, folder: StudyFolder) -> None:
        self.storage = InMemoryStorage()
        self._spec = spec
        self._folder = folder
        self._known: set[int] = set()
        self._study = _empty(spec, self.storage)

    def follow(self) -> int:
        """Take in the records that were written since the last time; return how many.

        Raises:
            StoreError: one is damaged, or cannot be read.
        """
        paths = [path for path in numbered(self._folder.root / "trials") if int(path.stem) not in self._known]
        records = [read_record(path) for path in paths]
        for trial in _trials(self._spec, records):
            self._study.add_trial(trial)
        self._known |= {record.number for record in records}
        return len(records)


@final
class _Kept(BaseJournalBackend):
    """Lines in memory."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        return self.lines[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self.lines += logs


def _empty(spec: StudySpec, storage: BaseStorage) -> optuna.Study:
    """Return a study without trials, under the study's own name."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=storage, study_name=spec.name, directions=directions(spec))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study.set_metric_names(list(spec.objectives))
    return study


def _trials(spec: StudySpec, records: Iterable[TrialRecord]) -> list[FrozenTrial]:
    distributions = {one.path: as_optuna(one.distribution) for one in spec.parameters.parameters}
    trials = []
    for record in records:
        state = _STATES.get(record.status, TrialState.FAIL)
        if state is TrialState.COMPLETE and any(name not in record.objectives for name in spec.objectives):
            state = TrialState.FAIL  # it repeats a trial that failed
        known = {path: value for path, value in record.params.items() if path in distributions}
        trial = optuna.trial.create_trial(
            state=state,
            values=values(spec, record) if state is TrialState.COMPLETE else None,
            params=known,
            distributions={path: distributions[path] for path in known},
            user_attrs=_told(record),
            constraints=record.violations or None,
        )
        trial.datetime_start, trial.datetime_complete = _times(record)
        trials.append(trial)
    return trials


def _told(record: TrialRecord) -> dict[str, Any]:
    """Return what is no parameter and no objective."""
    found: dict[str, Any] = {
        "number": record.number,
        "digest": record.digest,
        "status": record.status.value,
        "reason": redact(record.reason),
        "duplicate_of": record.duplicate_of,
        "seeds": [member.seed for member in record.members],
        "seconds": record.seconds,
        **{f"costs.{name}": value for name, value in record.costs.items()},
        **{f"objectives.{name}": value for name, value in record.objectives.items()},
    }
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def _times(record: TrialRecord) -> tuple[datetime, datetime]:
    """Return when a trial began and ended, in local time without saying so, as Optuna has it."""
    began = datetime.fromisoformat(record.started) if record.started else _LONG_AGO
    began = began.astimezone(UTC)
    ended = began + timedelta(seconds=record.seconds)
    return began.astimezone().replace(tzinfo=None), ended.astimezone().replace(tzinfo=None)
