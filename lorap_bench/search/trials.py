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
from lorap_bench.search.consistency import listed, mismatch
from lorap_bench.search.keyed import KeyedStudy
from lorap_bench.search.objective import directions, values
from lorap_bench.search.rank_prior import rank_prior
from lorap_bench.search.samplers import Samplers
from lorap_bench.search.seat import OnlyOne
from lorap_bench.search.storage import open_storage
from lorap_bench.search.suggest import as_optuna, suggest
from lorap_bench.search.told import PARTIAL, partial

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Mapping

    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

    from lorap_bench.record import TrialRecord
    from lorap_bench.search.objective import Planner
    from lorap_bench.search.seat import Seat
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["STUDY", "Asked", "Trials", "ending", "make_study"]

STUDY = "study"
"""The study's name in its log, which holds no other; its real name is the folder's."""


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
        folder: its folder.
        planner: what works out a configuration; without it the sampler knows no cost before training.
        seat: the driver's, in a turn; without it the caller holds the folder's lock.
    """

    def __init__(
        self, spec: StudySpec, folder: StudyFolder, planner: Planner | None = None, seat: Seat | None = None
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._spec = spec
        self._seat = seat or OnlyOne(open_storage(spec.storage, folder))
        self._where = str(folder.root)
        self._space = spec.parameters
        self._base = spec.base.to_mapping()
        self._distributions = {p.path: as_optuna(p.distribution) for p in self._space.parameters}
        self._samplers = Samplers(spec, planner, rank_prior(spec, folder.root))
        self._study = make_study(spec, self._seat.memory)
        self._waiting: dict[int, _Queued] = {}
        self._elsewhere: dict[int, FrozenTrial] = {}
        last = self.look()
        self._last_pack: int | None = None
        if last and not self._elsewhere:
            self._last_pack = last[self._keys - 1].user_attrs.get("pack")

    @property
    def keys(self) -> int:
        """Return how many trials were ever asked for: the next new one's key."""
        return self._keys

    @property
    def given(self) -> int:
        """Return how many first points the warm start gives."""
        return self._samplers.given

    @property
    def last_pack(self) -> int | None:
        """Return the first key of the last pack when this driver began; None if there was none, or it is another's."""
        return self._last_pack

    @property
    def queued(self) -> bool:
        """Whether the next point is one that is asked for again."""
        return bool(self._waiting)

    @property
    def suspected(self) -> bool:
        """Whether the next point is one on which workers died."""
        return bool(self._waiting) and self._waiting[min(self._waiting)].lost > 0

    @property
    def elsewhere(self) -> Mapping[int, Mapping[str, Any]]:
        """Return the points that other drivers are training, by key."""
        return {key: trial.params for key, trial in self._elsewhere.items()}

    @property
    def deserted(self) -> bool:
        """Whether another driver has died over a trial."""
        return not all(self._seat.lives(trial.user_attrs["owner"]) for trial in self._elsewhere.values())

    def look(self) -> dict[int, FrozenTrial]:
        """Look at the whole storage: what was asked for, waits, and runs elsewhere; return each key's last trial.

        Once is enough for a driver that is alone; one of several looks again whenever others wrote.
        """
        stored = self._study.stored()
        last = {trial.user_attrs["key"]: trial for trial in stored if "key" in trial.user_attrs}
        self._keys = len(last)
        self._study.moved = any(trial.number != trial.user_attrs.get("key") for trial in stored)
        self._waiting = {key: _queued(trial) for key, trial in last.items() if trial.state is TrialState.WAITING}
        self._elsewhere = {
            key: trial
            for key, trial in last.items()
            if trial.state is TrialState.RUNNING and trial.user_attrs.get("owner", "") not in {"", self._seat.owner}
        }
        return last

    def ended(self) -> set[int]:
        """Return the keys whose trial has been told."""
        return {key for key, trial in self.look().items() if trial.state.is_finished()}

    def owns(self, asked: Asked) -> bool:
        """Return whether a trial is still this driver's: it runs, and no other driver has queued it again."""
        stored, number = self._study.stored(), asked.trial.number
        if number >= len(stored) or stored[number].state is not TrialState.RUNNING:
            return False
        notes = stored[number].user_attrs
        return bool(notes.get("key") == asked.key and notes.get("owner", "") == self._seat.owner)

    def restart(self) -> None:
        """Forget what was not written because another driver came between, and look again."""
        self._seat.memory.restart()
        self.look()

    def reap(
        self, recorded: Collection[int], read: Callable[[int], TrialRecord | None], mine: Container[int] = ()
    ) -> None:
        """Settle every trial that a dead driver left running. Doing it again changes nothing.

        A trial with a record is told from it; one without goes back to the queue under its key.

        Args:
            recorded: the keys that have a record.
            read: reads one.
            mine: the keys that this driver has out.

        Raises:
            StoreError: records and log do not belong together: by the order of writing a
                record always has a stored trial, and a told trial always has a record.
        """
        stored = self._study.stored()
        self._check(stored, set(recorded))
        queued = {trial.user_attrs["key"] for trial in stored if trial.state is TrialState.WAITING}
        for frozen in (trial for trial in stored if trial.state is TrialState.RUNNING):
            if self._lives(frozen, mine):
                continue
            asked = self._asked(frozen)
            if asked is None:
                self._study.tell(frozen.number, state=TrialState.FAIL)
            elif (record := read(asked.key)) is not None:
                self.tell(asked, record)
            elif asked.key in queued:
                self._study.tell(frozen.number, state=TrialState.FAIL)
            else:
                self.requeue(asked)
        self.look()

    def ask(self, pack: int | None = None) -> Asked:
        """Return the next point: of the queued ones the first by key, else a new one under the next key.

        The sampler is made anew and seeded by the key, so it proposes the same point whatever
        happened to the process in between.

        Args:
            pack: the first key of those a new point is asked for with, if it is one of several.
        """
        key = min(self._waiting, default=self._keys)
        self._samplers.set_for(self._study, key)
        queued = self._waiting.pop(key, None)
        if queued is not None:
            trial = self._study.take(queued.trial_id)
        else:
            trial = self._study.ask()
            if pack is not None:
                trial.set_user_attr("pack", pack)
        if self._seat.owner:
            trial.set_user_attr("owner", self._seat.owner)
        if queued is None:
            trial.set_user_attr("key", key)  # last: a trial without a key never reached anybody
            self._keys += 1
        return _asked(trial, self._suggest(trial), trial.user_attrs)

    def tell(self, asked: Asked, record: TrialRecord) -> None:
        """Tell the sampler what ``record`` says; a broken constraint guides it even without values."""
        known = asked.trial.constraints
        for name, violation in record.violations.items():
            if name not in known:
                asked.trial.set_constraint(name, violation)
        state, figures = ending(self._spec, record)
        if state is TrialState.PRUNED and (seen := partial(record)) is not None:
            asked.trial.set_user_attr(PARTIAL, seen)
        self._study.tell(asked.trial, figures, state)

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

    def _lives(self, frozen: FrozenTrial, mine: Container[int]) -> bool:
        """Return whether somebody trains a running trial."""
        owner = frozen.user_attrs.get("owner", "")
        if owner == self._seat.owner:
            return frozen.user_attrs.get("key") in mine
        return self._seat.lives(owner)

    def _check(self, stored: list[FrozenTrial], recorded: set[int]) -> None:
        found, kind = mismatch(stored, recorded), self._spec.storage.kind
        mend = f"`lorap-bench repair {self._spec.name}` makes it again from the records"
        if found.unknown:
            message = (
                f"records of trials the {kind} never had ({listed(found.unknown)}): the folder was mixed up; {mend}"
            )
            raise StoreError(message, where=self._where)
        if found.missing:
            message = f"records of finished trials are gone ({listed(found.missing)}); {mend}"
            raise StoreError(message, where=self._where)


def make_study(spec: StudySpec, storage: BaseStorage) -> KeyedStudy:
    """Load the study, or create it in a new log (which writes a line, even where there is one)."""
    sampler = optuna.samplers.RandomSampler(spec.seed)  # asks nothing: each key has a sampler of its own
    if all(study.study_name != STUDY for study in storage.get_all_studies()):
        optuna.create_study(storage=storage, study_name=STUDY, directions=directions(spec), sampler=sampler)
    return KeyedStudy(study_name=STUDY, storage=storage, sampler=sampler)


def ending(spec: StudySpec, record: TrialRecord) -> tuple[TrialState, list[float] | None]:
    """Return the state and the values that the sampler is told of a trial."""
    if record.status in {Status.COMPLETE, Status.DUPLICATE} and record.objectives:
        return TrialState.COMPLETE, values(spec, record)
    return (TrialState.PRUNED if record.status in {Status.PRUNED, Status.INVALID} else TrialState.FAIL), None


def _asked(trial: optuna.Trial, params: dict[str, Any], notes: dict[str, Any]) -> Asked:
    return Asked(notes["key"], params, trial, notes.get("attempt", 0), notes.get("lost", 0), notes.get("pack"))


def _queued(trial: FrozenTrial) -> _Queued:
    return _Queued(trial._trial_id, trial.user_attrs.get("lost", 0))  # noqa: SLF001  # its one name in the storage


def _is_note(name: str) -> bool:
    """Whether a system attribute is the sampler's own, such as a trial's generation."""
    return name != "fixed_params" and not name.startswith("constraints")
