"""What a fault did to a study: nothing, if all is well."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from lorap_bench.record import Status
from lorap_bench.search.storage import read_storage
from tests.faults.trainers import begun

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["Account", "account", "kept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A study after a fault and, where the driver died of it, after the same command again.

    Attributes:
        asked: trials of the budget.
        recorded: trials that count in it.
        lost: finished trials whose record is gone, or is another now.
        repeated: finished trials that were begun again, and configurations that were finished twice.
        running: trials that the sampler's memory still has as running.
        retried: records of trials that were tried more than once.
        continued: whether the last command ended well.
        statuses: how many trials ended how.
    """

    asked: int
    recorded: int
    lost: int
    repeated: int
    running: int
    retried: int
    continued: bool
    statuses: dict[str, int]

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, repeated or left, and the budget is spent exactly."""
        return self.continued and self.recorded == self.asked and not (self.lost or self.repeated or self.running)


def kept(folder: StudyFolder) -> dict[Path, bytes]:
    """Return the records that are there, to be compared with those at the end."""
    return {path: path.read_bytes() for path in sorted((folder.root / "trials").glob("*.json"))}


def account(folder: StudyFolder, spec: StudySpec, *, before: dict[Path, bytes], log: Path, continued: bool) -> Account:
    """Take stock of a study.

    Args:
        folder: the study's.
        spec: the study.
        before: records that were there when the fault came.
        log: where trainers noted what they began.
        continued: whether the last command ended well.
    """
    records = folder.records()
    gaps = set(range(len(records))) - {record.number for record in records}
    changed = [path for path, text in before.items() if not path.exists() or path.read_bytes() != text]
    trained = [record for record in records if record.status is Status.COMPLETE]
    written = {record.digest: _written(folder, record.number) for record in trained}
    again = [one for one in begun(log) if one["time"] > written.get(one["digest"], one["time"])]
    return Account(
        asked=spec.budget.trials,
        recorded=sum(record.status.counts for record in records),
        lost=len(changed) + len(gaps),
        repeated=len(again) + len(trained) - len(written),
        running=_running(folder, spec),
        retried=sum(record.attempt > 0 for record in records),
        continued=continued,
        statuses=dict(sorted(Counter(str(record.status) for record in records).items())),
    )


def _written(folder: StudyFolder, number: int) -> int:
    return (folder.root / "trials" / f"{number:06d}.json").stat().st_mtime_ns


def _running(folder: StudyFolder, spec: StudySpec) -> int:
    memory = read_storage(spec.storage, folder)
    assert memory is not None
    with closing(memory):
        (study,) = memory.get_all_studies()
        states = (TrialState.RUNNING, TrialState.WAITING)
        return len(memory.get_all_trials(study._study_id, deepcopy=False, states=states))
