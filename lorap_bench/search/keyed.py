"""An Optuna study whose trials a sampler sees under our keys, in the order of the keys.

Optuna numbers its trials as they are stored, so a trial that is asked for again after a crash gets a
later number, and samplers sort by number: what came after it would be proposed differently. Seen by
key, a study that was interrupted looks to its sampler like one that was not.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, final

import optuna
from optuna.trial import TrialState

if TYPE_CHECKING:
    from collections.abc import Container

    from optuna.trial import FrozenTrial

__all__ = ["KeyedStudy"]


@final
class KeyedStudy(optuna.Study):
    """A study behind keys.

    Attributes:
        asking: the key whose point is being asked for; samplers do not see it among the trials.
        moved: whether any trial's number is not its key. While none is, Optuna's own view serves.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.asking: int | None = None
        self.moved = any(trial.number != trial.user_attrs.get("key") for trial in self.stored())

    def stored(self, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        """Return the trials as they are stored, in the order of Optuna's numbers."""
        return super()._get_trials(deepcopy=False, states=states)

    def take(self, trial_id: int) -> optuna.Trial:
        """Take a trial out of the queue, whichever its place there: what ``ask`` does for the first."""
        self._thread_local.cached_all_trials = None
        self._storage.set_trial_state_values(trial_id, state=TrialState.RUNNING)
        return optuna.Trial(self, trial_id)

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        """Return what samplers see: the last trial of each key, numbered by its key."""
        found = super()._get_trials(deepcopy, states, use_cache)
        if not self.moved:
            return found
        latest = {trial.user_attrs["key"]: trial for trial in found if "key" in trial.user_attrs}
        latest.pop(self.asking, None)
        return [_numbered(latest[key], key) for key in sorted(latest)]


def _numbered(trial: FrozenTrial, key: int) -> FrozenTrial:
    if trial.number == key:
        return trial
    seen = copy.copy(trial)
    seen.number = key
    return seen
