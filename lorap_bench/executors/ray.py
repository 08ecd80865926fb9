"""Run trials on Ray Tune: workers as reused actors, the broker as its search algorithm.

Tune schedules, places and restarts; it decides nothing and remembers nothing. Its own state lies
in a temporary folder and is thrown away: the study folder is the truth, and a fresh Tuner goes on
from there. A worker that dies is started again by Tune (twice); what still fails comes back to
the broker, which queues the trial anew.
"""

from __future__ import annotations

import logging
import os
import secrets
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from lorap_bench.errors import MissingResource
from lorap_bench.executors.stop import Interrupted
from lorap_bench.executors.worker import pack_job, run_packed, unpack_outcome
from lorap_bench.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.executors.stop import Stop
    from lorap_bench.search.loop import Broker, Job

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),  # one for every process of the cluster; never written to disk
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a trial without a GPU sees none
    "RAY_AIR_NEW_OUTPUT": "0",  # the new one prints however quiet it is asked to be
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # our record is the log
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours
    "OMP_NUM_THREADS": "1",  # one thread a worker: two that contend are far slower
}
for _variable, _value in _ENVIRONMENT.items():  # Ray reads some of them when it is imported
    os.environ.setdefault(_variable, _value)

try:
    import ray
    from ray import tune
    from ray.tune.search import Searcher
except ImportError as error:
    raise MissingResource("Ray is not installed; python -m pip install 'lorap-bench[ray]'", where="ray") from error

__all__ = ["RayOptions", "run_ray"]

_RETRIES = 2
_OBJECT_STORE_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RayOptions:
    """How many trials run at once and what each of them gets."""

    workers: int = 2
    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0


def run_ray(broker: Broker, train_path: str, stop: Stop, options: RayOptions | None = None) -> None:
    """Ask, train on workers and tell until the broker is done or ``stop`` is requested.

    Args:
        broker: the study's driver.
        train_path: the trainer as ``"package.module:function"``, importable by the workers.
        stop: the first request lets running trials end, the second leaves them (they run again later).
        options: workers and their resources.

    Raises:
        MissingResource: Ray is not installed, or the machine has not the GPUs that a trial needs.
        LorapBenchError: an error of the trainer, or the study ended otherwise than by its budget
            or an exhausted space.
        RuntimeError: a bug in the trainer, with the worker's traceback.
    """
    options = options or RayOptions()
    with _cluster(options), tempfile.TemporaryDirectory(prefix="lorap-bench-tune-") as scratch:
        rounds = 0
        while not broker.done and not stop.drain:
            searcher = _AskTell(broker, stop, options.workers)
            samples = broker.spec.budget.trials - broker.counted
            tuner = _tuner(searcher, train_path, options, samples, f"{scratch}/round-{rounds}")
            try:
                tuner.fit()
            except Interrupted:
                return
            finally:
                searcher.release_all()
            if searcher.error is not None:
                raise searcher.error
            rounds += 1
    broker.raise_if_failed()


@final
class _Worker(tune.Trainable):  # type: ignore[misc]  # Ray is untyped
    """One trial a step; the process, with its imports and data, serves the next trial too."""

    def setup(self, config: dict[str, Any]) -> None:
        self._config = config

    def step(self) -> dict[str, Any]:
        return {"outcome": run_packed(self._config["train"], self._config["job"]), "done": True}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._config = new_config
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """A trial is done or not: nothing to save."""

    def load_checkpoint(self, checkpoint: object) -> None:
        """A trial that is started again starts at its beginning."""


@final
class _AskTell(Searcher):  # type: ignore[misc]  # Ray is untyped
    """Tune's view of the broker: at most ``workers`` trials out, and not a thought of its own."""

    def __init__(self, broker: Broker, stop: Stop, workers: int) -> None:
        super().__init__()
        self.error: BaseException | None = None
        self._broker = broker
        self._stop = stop
        self._workers = workers
        self._jobs: dict[str, Job] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the next trial's job, None to be asked again later, or FINISHED."""
        self._stop.check()
        closing = self._stop.drain or self.error is not None or self._broker.done
        if closing and not self._jobs:
            return str(Searcher.FINISHED)
        if closing or len(self._jobs) >= self._workers:
            return None  # asked again in a moment, so that a second request to stop is heard
        job = self._broker.ask()
        if job is None:
            return None if self._jobs else str(Searcher.FINISHED)
        self._jobs[trial_id] = job
        return {"job": pack_job(job)}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell the broker how a trial ended."""
        job = self._jobs.pop(trial_id, None)
        if job is None:
            return
        if error or not result or "outcome" not in result:
            self._broker.release(job, Status.WORKER_LOST)
            return
        try:
            outcome = unpack_outcome(result["outcome"])
        except Exception as problem:  # noqa: BLE001  # raised when the other trials have ended
            self.error = self.error or problem
            self._broker.release(job, Status.INTERRUPTED)
            return
        self._broker.tell(job, outcome)

    def release_all(self) -> None:
        """Queue again what Tune never brought to an end."""
        while self._jobs:
            _, job = self._jobs.popitem()
            self._broker.release(job, Status.INTERRUPTED)

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the study folder is the state."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing to save either."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""


def _tuner(searcher: _AskTell, train_path: str, options: RayOptions, samples: int, storage: str) -> Any:
    resources = {"cpu": options.cpus_per_trial, "gpu": options.gpus_per_trial}
    return tune.Tuner(
        tune.with_resources(_Worker, resources),
        param_space={"train": train_path},
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            num_samples=samples,
            reuse_actors=True,
            trial_name_creator=_name,
            trial_dirname_creator=_name,
        ),
        run_config=tune.RunConfig(
            name="trials",
            storage_path=storage,
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=_RETRIES),
        ),
    )


def _name(trial: Any) -> str:
    return str(trial.trial_id)


@contextmanager
def _cluster(options: RayOptions) -> Iterator[None]:
    """Use the Ray that runs in this process, or start a local one for the block."""
    mine = not ray.is_initialized()
    if mine:
        ray.init(
            address="local",
            include_dashboard=False,
            num_cpus=max(1, round(options.workers * options.cpus_per_trial)),
            num_gpus=0 if options.gpus_per_trial == 0 else None,
            object_store_memory=_OBJECT_STORE_BYTES,
            log_to_driver=False,
            logging_level="warning",
        )
    # What Tune would print, of lost workers or of its own bookkeeping, the records say better.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    try:
        found = ray.cluster_resources().get("GPU", 0.0)
        if found < options.gpus_per_trial:
            message = f"a trial needs {options.gpus_per_trial:g} GPUs and this machine has {found:g}"
            raise MissingResource(message, where="--gpus-per-trial")
        yield
    finally:
        if mine:
            ray.shutdown()
