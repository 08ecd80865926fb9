"""The Optuna study behind the keys: what the sampler remembers, and nothing else.

A *key* is a trial's place in our study. Optuna counts its own trials, and one key has several of
them when a run was interrupted; only this module sees both. A trial stored without a key never
reached anybody.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from lorap_bench.errors import StoreError
from lorap_bench.record import Status
from lorap_bench.search.journal import open_journal, read_journal
from lorap_bench.search.objective import directions, values
from lorap_bench.search.sampler import make_sampler
from lorap_bench.search.seeds import sampler_seed
from lorap_bench.store.access import exists
from lorap_bench.study.distributions import Choices, IntRange

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from optuna.distributions import BaseDistribution
    from optuna.storages import JournalStorage
    from optuna.trial import FrozenTrial

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.distributions import Distribution
    from lorap_bench.study.spec import StudySpec

__all__ = ["Asked", "Trials", "count_running"]

_STUDY = "study"  # the journal holds one study; its real name is the folder's


@dataclass(frozen=True, slots=True)
class Asked:
    """A point the sampler has proposed under a key; ``lost`` counts the workers that died on it."""

    key: int
    params: dict[str, Any]
    trial: optuna.Trial
    attempt: int = 0
    lost: int = 0


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
        self._distributions = {p.path: _distribution(p.distribution) for p in self._space.parameters}
        self._study = _open_study(spec, open_journal(folder.journal))
        stored = self._study.get_trials(deepcopy=False)
        self._keys = len({trial.user_attrs["key"] for trial in stored if "key" in trial.user_attrs})
        self._waiting: deque[int] = deque()

    def reap(self, recorded: Collection[int], read: Callable[[int], TrialRecord | None]) -> None:
        """Settle every trial that a dead driver left running. Doing it again changes nothing.

        A trial with a record is told from it; one without goes back to the queue under its key.

        Raises:
            StoreError: records and journal do not belong together: by the order of writing a
                record always has a stored trial, and a told trial always has a record.
        """
        stored = self._study.get_trials(deepcopy=False)
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
        waiting = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        self._waiting = deque(trial.user_attrs["key"] for trial in waiting)

    def ask(self) -> Asked:
        """Return the next point: a queued one first, else a new one under the next key.

        The sampler is made anew and seeded by the key, so it proposes the same point whatever
        happened to the process in between.
        """
        key = self._waiting[0] if self._waiting else self._keys
        self._study.sampler = make_sampler(self._spec.search, sampler_seed(self._spec.seed, key))
        trial = self._study.ask()
        notes = trial.user_attrs
        if self._waiting:
            assert notes["key"] == key
            self._waiting.popleft()
        else:
            trial.set_user_attr("key", key)
            self._keys += 1
        return Asked(key, self._suggest(trial), trial, notes.get("attempt", 0), notes.get("lost", 0))

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
        system: dict[str, Any] = {"fixed_params": {}}
        if self._whole(asked.params):  # else nobody has seen the point: it is drawn anew from the same seed
            notes = self._study.get_trials(deepcopy=False)[asked.trial.number].system_attrs
            system = {name: note for name, note in notes.items() if _is_note(name)}
            system["fixed_params"] = asked.params
        user = {
            "key": asked.key,
            "retry_of": asked.trial.number,
            "attempt": asked.attempt + 1,
            "lost": asked.lost + int(lost),
        }
        self._study.add_trial(create_trial(state=TrialState.WAITING, system_attrs=system, user_attrs=user))
        self._waiting.append(asked.key)
        self._study.tell(asked.trial, state=TrialState.FAIL)

    def _suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        params: dict[str, Any] = {}
        for parameter in self._space.parameters:
            if self._space.active(parameter, self._base, params):
                params[parameter.path] = _suggest(trial, parameter.path, self._distributions[parameter.path])
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
        notes = frozen.user_attrs
        return Asked(notes["key"], dict(frozen.params), trial, notes.get("attempt", 0), notes.get("lost", 0))

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


def _open_study(spec: StudySpec, storage: JournalStorage) -> optuna.Study:
    """Load the study, or create it in a new journal (which writes a line, even where there is one)."""
    sampler = make_sampler(spec.search, spec.seed)
    if any(study.study_name == _STUDY for study in storage.get_all_studies()):
        return optuna.load_study(study_name=_STUDY, storage=storage, sampler=sampler)
    return optuna.create_study(storage=storage, study_name=_STUDY, directions=directions(spec), sampler=sampler)


def _is_note(name: str) -> bool:
    """Whether a system attribute is the sampler's own, such as a trial's generation."""
    return name != "fixed_params" and not name.startswith("constraints")


def _distribution(distribution: Distribution) -> BaseDistribution:
    if isinstance(distribution, Choices):
        return CategoricalDistribution(distribution.values)
    if isinstance(distribution, IntRange):
        return IntDistribution(distribution.low, distribution.high, log=distribution.log, step=distribution.step)
    return FloatDistribution(distribution.low, distribution.high, log=distribution.log)


def _suggest(trial: optuna.Trial, path: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(path, distribution.choices)
    if isinstance(distribution, IntDistribution):
        step = 1 if distribution.log else distribution.step
        return trial.suggest_int(path, distribution.low, distribution.high, step=step, log=distribution.log)
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(path, distribution.low, distribution.high, log=distribution.log)


def _list(keys: list[int]) -> str:
    shown = ", ".join(str(key) for key in keys[:5])
    return shown if len(keys) <= 5 else f"{shown}, … {len(keys)} in all"
