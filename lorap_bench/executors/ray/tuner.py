"""Tune's three views of us: what a worker does, who proposes its work, and who hears how it went."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

import ray
from ray import tune
from ray.exceptions import RayActorError, RayError
from ray.tune.search import Searcher

from lorap_bench.errors import MissingResource
from lorap_bench.executors.ray.judge import FarJudge
from lorap_bench.executors.ray.luggage import unpack_luggage
from lorap_bench.executors.watchdog import patience
from lorap_bench.executors.worker import run_packed
from lorap_bench.record import Status
from lorap_bench.train.memory import SHARERS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.executors.stop import Stop
    from lorap_bench.executors.traffic import Traffic
    from lorap_bench.executors.worker import Duty

__all__ = ["AskTell", "Kit", "Listener", "Worker"]

_NO_MEMORY = "killed due to the node running low on memory"
"""What Ray says of a worker that it killed."""
_LAST_WORDS_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What every worker is given once.

    Attributes:
        duty: the trainer and its limits.
        sharers: how many workers share a device's memory.
        judge: the actor that ends trials early; None: nobody does.
        luggage: data sets, in the object store; workers read others themselves.
    """

    duty: Duty
    sharers: int
    judge: Any = None
    luggage: Sequence[Any] = ()


@final
class Worker(tune.Trainable):  # type: ignore[misc]  # Ray is untyped
    """One pack a step; the process, with its imports and data, serves the next pack too."""

    def setup(self, config: dict[str, Any], kit: Kit) -> None:
        self._config, self._kit = config, kit
        self._judge = None if kit.judge is None else FarJudge(kit.judge)
        os.environ[SHARERS_VARIABLE] = str(kit.sharers)
        for piece in kit.luggage:
            unpack_luggage(ray.get(piece))

    def step(self) -> dict[str, Any]:
        return {"outcomes": run_packed(self._kit.duty, self._config["jobs"], self._judge), "done": True}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._config = new_config
        return True


@final
class AskTell(Searcher):  # type: ignore[misc]  # Ray is untyped
    """Proposes what the traffic gives out, and has not a thought of its own."""

    def __init__(self, traffic: Traffic) -> None:
        super().__init__()
        self._traffic = traffic

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the next pack, None to be asked again later, or FINISHED."""
        jobs = self._traffic.give(trial_id)
        if jobs is None:
            return str(Searcher.FINISHED) if self._traffic.over else None
        return {"jobs": jobs}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Leave it to the listener, which hears more."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the study folder is the state."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing to save either."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""


@final
class Listener(tune.Callback):  # type: ignore[misc]  # Ray is untyped
    """Hears how packs end, and hears the wish to stop between any two steps of Tune."""

    def __init__(self, traffic: Traffic, stop: Stop, seconds: float | None) -> None:
        self._traffic = traffic
        self._stop = stop
        self._seconds = seconds
        self._busy: dict[str, _Busy] = {}

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        self._stop.check()

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Start the clock: the worker of a pack stands ready."""
        self._busy[trial.trial_id] = _Busy(trial.temporary_state.ray_actor, time.monotonic())

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Take the outcomes out of the result: Tune would keep them for the rest of the run."""
        self._busy.pop(trial.trial_id, None)
        self._traffic.arrived(trial.trial_id, result.pop("outcomes"))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Find out what became of a worker, and let its pack go back."""
        busy = self._busy.pop(trial.trial_id, None)
        error = trial.get_pickled_error()
        if isinstance(error, RayActorError) and error.actor_init_failed:
            why = str(error).strip().splitlines()[-1]
            message = f"a worker cannot start ({why}); is the same lorap-bench installed on every node?"
            self._traffic.failed(trial.trial_id, MissingResource(message, where="ray"))
        elif busy is not None and self._overdue(trial.trial_id, busy):
            self._traffic.lost(trial.trial_id, Status.TIMEOUT)
        else:
            self._traffic.lost(trial.trial_id, Status.WORKER_LOST)

    def _overdue(self, name: str, busy: _Busy) -> bool:
        limit = patience(self._seconds, self._traffic.size(name))
        return limit is not None and time.monotonic() - busy.since >= limit

    def end_workers(self) -> None:
        """End the workers that are busy, in the middle of their packs; the packs of those that were dead are lost."""
        answers = {busy.worker.get_auto_filled_metrics.remote(): name for name, busy in self._busy.items()}
        answered, _ = (
            ray.wait(list(answers), num_returns=len(answers), timeout=_LAST_WORDS_SECONDS) if answers else ([], [])
        )
        for answer in answered:  # one that lives answers when its pack has ended
            try:
                ray.get(answer)
            except RayError as error:
                cause = Status.OUT_OF_MEMORY if _NO_MEMORY in str(error) else Status.WORKER_LOST
                self._traffic.lost(answers[answer], cause)
        for name, busy in self._busy.items():
            ray.kill(busy.worker)
            self._traffic.lost(name, Status.INTERRUPTED)
        self._busy.clear()


class _Busy(NamedTuple):
    worker: Any
    since: float
