"""Whether a study's records and the sampler's log belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna.trial import TrialState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

__all__ = ["Mismatch", "listed", "mismatch", "running", "stored_trials"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What does not fit.

    By the order of writing a record always has a trial in the log, and a trial told to the sampler always has a record.

    Attributes:
        unknown: trials with a record of which the log does not know.
        missing: trials told to the sampler whose record is gone.
        gaps: numbers below the highest of which neither knows.
    """

    unknown: list[int]
    missing: list[int]
    gaps: list[int]

    def __bool__(self) -> bool:
        return bool(self.unknown or self.missing or self.gaps)


def stored_trials(storage: BaseStorage) -> list[FrozenTrial]:
    """Return the trials of a storage that holds one study, in the order of Optuna's numbers; none where it is new."""
    studies = storage.get_all_studies()
    return storage.get_all_trials(studies[0]._study_id, deepcopy=False) if studies else []  # noqa: SLF001


def running(stored: Iterable[FrozenTrial]) -> dict[int, str]:
    """Return the keys of the trials that run, each with the driver that has it out (empty: the only one)."""
    notes = [trial.user_attrs for trial in stored if trial.state is TrialState.RUNNING]
    return {one["key"]: one.get("owner", "") for one in notes if "key" in one}


def mismatch(stored: Iterable[FrozenTrial], recorded: Collection[int]) -> Mismatch:
    """Return what of a log's trials, in the order of Optuna's numbers, does not fit the records.

    Args:
        stored: the trials.
        recorded: the keys that have a record.
    """
    last = {trial.user_attrs["key"]: trial.state for trial in stored if "key" in trial.user_attrs}
    return Mismatch(
        unknown=sorted(set(recorded) - set(last)),
        missing=sorted(key for key, state in last.items() if state.is_finished() and key not in recorded),
        gaps=sorted(set(range(max(last, default=-1) + 1)) - set(last)),
    )


def listed(keys: Sequence[int]) -> str:
    """Write the first few of some keys."""
    shown = ", ".join(str(key) for key in keys[:5])
    return shown if len(keys) <= 5 else f"{shown}, … {len(keys)} in all"
