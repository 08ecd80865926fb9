"""An Optuna study whose trials a sampler sees under our keys, in the order of the keys.

Optuna numbers its trials as they are stored, so a trial that is asked for again after a crash gets a
later number, and samplers sort by number: what came after it would be proposed differently. Seen by
key, a study that was interrupted looks to its sampler like one that was not.

A long study may show its sampler some of its finished trials only, so that a suggestion stays fast.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, final

import optuna
from optuna.trial import TrialState

from lorap_bench.search.kept import kept

if TYPE_CHECKING:
    from collections.abc import Container

    from optuna.trial import FrozenTrial

    from lorap_bench.search.kept import Merit

__all__ = ["KeyedStudy"]


@final
class KeyedStudy(optuna.Study):
    """A study behind keys.

    Attributes:
        moved: whether any trial's number is not its key. While none is, Optuna's own view serves.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._asking: int | None = None
        self._cap: int | None = None
        self._shown: list[FrozenTrial] | None = None
        self._settled: list[FrozenTrial] = []
        self._latest: dict[int, FrozenTrial] = {}
        self._merits: dict[int, Merit] = {}
        self.moved = any(trial.number != trial.user_attrs.get("key") for trial in self.stored())

    def look(self, asking: int, cap: int | None = None) -> None:
        """Say for which key a point is asked for: samplers do not see it among the trials.

        Args:
            asking: the key.
            cap: finished trials that the sampler is shown at most; None: all.
        """
        self._asking, self._cap, self._shown = asking, cap, None

    def stored(self, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        """Return the trials as they are stored, in the order of Optuna's numbers."""
        return super()._get_trials(deepcopy=False, states=states)

    def keyed(self) -> list[FrozenTrial]:
        """Return the last trial of each key but the one asked for, numbered by its key, in their order."""
        latest = self._last_of_each()
        return [latest[key] for key in sorted(latest) if key != self._asking]

    def shown(self) -> list[FrozenTrial]:
        """Return those of ``keyed`` that the sampler is shown."""
        if self._shown is None:
            trials = self.keyed()
            self._shown = trials if self._cap is None else kept(trials, self.directions, self._cap, self._merits)
        return self._shown

    def _last_of_each(self) -> dict[int, FrozenTrial]:
        """Return the last trial of each key, under its key.

        The first trials, as far as all of them are finished, are looked at once only: they do not change.
        """
        stored, settled = self.stored(), self._settled
        if settled and (len(stored) < len(settled) or stored[len(settled) - 1] is not settled[-1]):
            settled.clear()  # the storage was read anew
            self._latest.clear()
            self._merits.clear()
        for trial in stored[len(settled) :]:
            if not trial.state.is_finished():
                break
            settled.append(trial)
            _enter(self._latest, trial)
        latest = dict(self._latest)
        for trial in stored[len(settled) :]:
            _enter(latest, trial)
        return latest

    def take(self, trial_id: int) -> optuna.Trial:
        """Take a trial out of the queue, whichever its place there: what ``ask`` does for the first."""
        self._thread_local.cached_all_trials = None
        self._storage.set_trial_state_values(trial_id, state=TrialState.RUNNING)
        return optuna.Trial(self, trial_id)

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        """Return what samplers see."""
        if not self.moved and self._cap is None:
            return super()._get_trials(deepcopy, states, use_cache)
        return [trial for trial in self.shown() if states is None or trial.state in states]


def _enter(latest: dict[int, FrozenTrial], trial: FrozenTrial) -> None:
    key = trial.user_attrs.get("key")
    if key is not None:
        latest[key] = _numbered(trial, key)


def _numbered(trial: FrozenTrial, key: int) -> FrozenTrial:
    if trial.number == key:
        return trial
    seen = copy.copy(trial)
    seen.number = key
    return seen
