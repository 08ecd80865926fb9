"""The Optuna study behind the keys: what the sampler remembers, and nothing else.

A *key* is a trial's place in our study. Optuna counts its own trials, and one key has several of
them when a run was interrupted; only this module sees both. A trial stored without a key never
reached anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

import optuna
from optuna.trial import TrialState, create_trial

from lorap_bench.errors import StoreError
from lorap_bench.record import Status
from lorap_bench.search.journal import open_journal, read_journal
from lorap_bench.search.keyed import KeyedStudy
from lorap_bench.search.objective import directions, values
from lorap_bench.search.sampler import make_sampler
from lorap_bench.search.seeds import sampler_seed
from lorap_bench.search.suggest import as_optuna, suggest
from lorap_bench.store.access import exists

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from optuna.storages import JournalStorage
    from optuna.trial import FrozenTrial

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["Asked", "Trials", "count_running"]

_STUDY = "study"  # the journal holds one study; its real name is the folder's


@dataclass(frozen=True, slots=True)
class Asked:
    """A point the sampler has proposed under a key.

    ``lost`` counts the workers that died on it; ``pack`` is the first key of those it was first asked for with.
    """

    key: int
    params: dict[str, Any]
    trial: optuna.Trial
    attempt: int = 0
    lost: int = 0
    pack: int | None = None


class _Queued(NamedTuple):
    """A trial in the queue: its id in the storage, and how many workers died on it."""

    trial_id: int
    lost: int


@final
class Trials:
    """Ask the sampler for points and tell it how they did, by key.

    Args:
        spec: the study.
        folder: its folder, whose lock the caller holds.
    """

    def __init__(self, spec: StudySpec, folder: StudyFolder) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._spec = spec
        self._where = str(folder.root)
        self._space = spec.parameters
        self._base = spec.base.to_mapping()
        self._distributions = {p.path: as_optuna(p.distribution) for p in self._space.parameters}
        self._study = _open_study(spec, open_journal(folder.journal))
        packs = {trial.user_attrs["key"]: trial.user_attrs.get("pack") for trial in self._keyed()}
        self._keys = len(packs)
        self._last_pack: int | None = packs.get(self._keys - 1)
        self._waiting: dict[int, _Queued] = {}

    @property
    def keys(self) -> int:
        """Return how many trials were ever asked for: the next new one's key."""
        return self._keys

    @property
    def last_pack(self) -> int | None:
        """Return the first key of the last pack when this driver began; None if there was none."""
        return self._last_pack

    @property
    def queued(self) -> bool:
        """Whether the next point is one that is asked for again."""
        return bool(self._waiting)

    @property
    def suspected(self) -> bool:
        """Whether the next point is one on which workers died."""
        return bool(self._waiting) and self._waiting[min(self._waiting)].lost > 0

    def reap(self, recorded: Collection[int], read: Callable[[int], TrialRecord | None]) -> None:
        """Settle every trial that a dead driver left running. Doing it again changes nothing.

        A trial with a record is told from it; one without goes back to the queue under its key.

        Raises:
            StoreError: records and journal do not belong together: by the order of writing a
                record always has a stored trial, and a told trial always has a record.
        """
        stored = self._study.stored()
        self._check(stored, set(recorded))
        queued = {trial.user_attrs["key"] for trial in stored if trial.state is TrialState.WAITING}
        for frozen in (trial for trial in stored if trial.state is TrialState.RUNNING):
            asked = self._asked(frozen)
            if asked is None:
                self._study.tell(frozen.number, state=TrialState.FAIL)
            elif asked.key in recorded:
                record = read(asked.key)
                assert record is not None
                self.tell(asked, record)
            elif asked.key in queued:
                self._study.tell(frozen.number, state=TrialState.FAIL)
            else:
                self.requeue(asked)
        waiting = self._study.stored((TrialState.WAITING,))
        self._waiting = {trial.user_attrs["key"]: _queued(trial) for trial in waiting}

    def ask(self, pack: int | None = None) -> Asked:
        """Return the next point: of the queued ones the first by key, else a new one under the next key.

        The sampler is made anew and seeded by the key, so it proposes the same point whatever
        happened to the process in between.

        Args:
            pack: the first key of those a new point is asked for with, if it is one of several.
        """
        key = min(self._waiting, default=self._keys)
        self._study.sampler = make_sampler(self._spec.search, sampler_seed(self._spec.seed, key))
        self._study.asking = key
        queued = self._waiting.pop(key, None)
        if queued is not None:
            trial = self._study.take(queued.trial_id)
        else:
            trial = self._study.ask()
            if pack is not None:
                trial.set_user_attr("pack", pack)
            trial.set_user_attr("key", key)  # last: a trial without a key never reached anybody
            self._keys += 1
        return _asked(trial, self._suggest(trial), trial.user_attrs)

    def tell(self, asked: Asked, record: TrialRecord) -> None:
        """Tell the sampler what ``record`` says; a broken constraint guides it even without values."""
        known = asked.trial.constraints
        for name, violation in record.violations.items():
            if name not in known:
                asked.trial.set_constraint(name, violation)
        if record.status in {Status.COMPLETE, Status.DUPLICATE} and record.objectives:
            self._study.tell(asked.trial, values(self._spec, record), TrialState.COMPLETE)
        elif record.status in {Status.PRUNED, Status.INVALID}:
            self._study.tell(asked.trial, state=TrialState.PRUNED)
        else:
            self._study.tell(asked.trial, state=TrialState.FAIL)

    def requeue(self, asked: Asked, *, lost: bool = False) -> None:
        """Put a trial back under its key with its point and the sampler's notes, then close the old one."""
        notes = self._study.stored()[asked.trial.number].system_attrs
        point = {**notes.get("fixed_params", {}), **asked.params}  # it may have died while it was asked for again
        system: dict[str, Any] = {"fixed_params": {}}
        if self._whole(point):  # else nobody has seen the point: it is drawn anew from the same seed
            system = {name: note for name, note in notes.items() if _is_note(name)}
            system["fixed_params"] = point
        user = {
            "key": asked.key,
            "retry_of": asked.trial.number,
            "attempt": asked.attempt + 1,
            "lost": asked.lost + int(lost),
        }
        if asked.pack is not None:
            user["pack"] = asked.pack
        self._study.moved = True
        self._study.add_trial(create_trial(state=TrialState.WAITING, system_attrs=system, user_attrs=user))
        self._waiting[asked.key] = _queued(self._study.stored()[-1])
        self._study.tell(asked.trial, state=TrialState.FAIL)

    def _suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        params: dict[str, Any] = {}
        for parameter in self._space.parameters:
            if self._space.active(parameter, self._base, params):
                params[parameter.path] = suggest(trial, parameter.path, self._distributions[parameter.path])
        return params

    def _whole(self, params: dict[str, Any]) -> bool:
        """Whether every active parameter has its value."""
        return all(
            parameter.path in params
            for parameter in self._space.parameters
            if self._space.active(parameter, self._base, params)
        )

    def _asked(self, frozen: FrozenTrial) -> Asked | None:
        if "key" not in frozen.user_attrs:
            return None
        trial = optuna.Trial(self._study, frozen._trial_id)  # noqa: SLF001  # the one way back to a stored trial
        return _asked(trial, dict(frozen.params), frozen.user_attrs)

    def _keyed(self) -> list[FrozenTrial]:
        return [trial for trial in self._study.stored() if "key" in trial.user_attrs]

    def _check(self, stored: list[FrozenTrial], recorded: set[int]) -> None:
        last = {trial.user_attrs["key"]: trial.state for trial in stored if "key" in trial.user_attrs}
        strangers = sorted(recorded - set(last))
        if strangers:
            message = f"records of trials the journal never had ({_list(strangers)}): the folder was mixed up"
            raise StoreError(message, where=self._where)
        missing = sorted(key for key, state in last.items() if state.is_finished() and key not in recorded)
        if missing:
            raise StoreError(f"records of finished trials are gone ({_list(missing)})", where=self._where)


def count_running(folder: StudyFolder) -> int:
    """Return how many trials run now; without a living driver none does."""
    if not exists(folder.journal) or not folder.driven:
        return 0
    storage = read_journal(folder.journal)
    if not storage.get_all_studies():  # the driver has only just begun
        return 0
    study = optuna.load_study(study_name=_STUDY, storage=storage)
    return len(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))


def _open_study(spec: StudySpec, storage: JournalStorage) -> KeyedStudy:
    """Load the study, or create it in a new journal (which writes a line, even where there is one)."""
    sampler = make_sampler(spec.search, spec.seed)
    if all(study.study_name != _STUDY for study in storage.get_all_studies()):
        optuna.create_study(storage=storage, study_name=_STUDY, directions=directions(spec), sampler=sampler)
    return KeyedStudy(study_name=_STUDY, storage=storage, sampler=sampler)


def _asked(trial: optuna.Trial, params: dict[str, Any], notes: dict[str, Any]) -> Asked:
    return Asked(notes["key"], params, trial, notes.get("attempt", 0), notes.get("lost", 0), notes.get("pack"))


def _queued(trial: FrozenTrial) -> _Queued:
    return _Queued(trial._trial_id, trial.user_attrs.get("lost", 0))  # noqa: SLF001  # its one name in the storage


def _is_note(name: str) -> bool:
    """Whether a system attribute is the sampler's own, such as a trial's generation."""
    return name != "fixed_params" and not name.startswith("constraints")


def _list(keys: list[int]) -> str:
    shown = ", ".join(str(key) for key in keys[:5])
    return shown if len(keys) <= 5 else f"{shown}, … {len(keys)} in all"
