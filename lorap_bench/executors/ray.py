"""Run trials on Ray Tune: workers as reused actors, the broker as its search algorithm.

Tune schedules, places and restarts; it decides nothing and remembers nothing. Its own state lies
in a temporary folder and is thrown away: the study folder is the truth, and a fresh Tuner goes on
from there. What Tune calls a trial is a pack of ours. A worker that dies over a single trial is started
again by Tune (twice); a pack whose worker dies comes back to the broker at once, which queues its
trials anew, each by itself.
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
from lorap_bench.executors.worker import pack_jobs, run_packed, unpack_outcomes
from lorap_bench.record import Status
from lorap_bench.train.memory import SHARERS_VARIABLE

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
    """How many workers run at once and what each of them gets."""

    workers: int = 2
    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0

    @property
    def sharers(self) -> int:
        """Return how many workers share one GPU, or, without GPUs, the machine's memory."""
        return max(1, int(1 / self.gpus_per_trial)) if self.gpus_per_trial else self.workers


def run_ray(broker: Broker, train_path: str, stop: Stop, options: RayOptions | None = None) -> None:
    """Ask, train on workers and tell until the broker is done or ``stop`` is requested.

    Args:
        broker: the study's driver.
        train_path: the trainer (``local.Trainer``) as ``"package.module:function"``, importable by the workers.
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
            storage = f"{scratch}/round-{rounds}"
            retries = _RETRIES if broker.together == 1 else 0
            tuner = _tuner(searcher, train_path, options, _Round(samples, retries, storage))
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
    """One pack a step; the process, with its imports and data, serves the next pack too."""

    def setup(self, config: dict[str, Any]) -> None:
        self._config = config
        os.environ[SHARERS_VARIABLE] = str(config["sharers"])

    def step(self) -> dict[str, Any]:
        return {"outcomes": run_packed(self._config["train"], self._config["jobs"]), "done": True}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._config = new_config
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """A trial is done or not: nothing to save."""

    def load_checkpoint(self, checkpoint: object) -> None:
        """A trial that is started again starts at its beginning."""


@final
class _AskTell(Searcher):  # type: ignore[misc]  # Ray is untyped
    """Tune's view of the broker: at most ``workers`` packs out, and not a thought of its own."""

    def __init__(self, broker: Broker, stop: Stop, workers: int) -> None:
        super().__init__()
        self.error: BaseException | None = None
        self._broker = broker
        self._stop = stop
        self._workers = workers
        self._packs: dict[str, list[Job]] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the next pack, None to be asked again later, or FINISHED."""
        self._stop.check()
        closing = self._stop.drain or self.error is not None or self._broker.done
        if closing and not self._packs:
            return str(Searcher.FINISHED)
        if closing or len(self._packs) >= self._workers:
            return None  # asked again in a moment, so that a second request to stop is heard
        jobs = self._broker.ask_pack(self._share())
        if not jobs:
            return None if self._packs else str(Searcher.FINISHED)
        self._packs[trial_id] = jobs
        return {"jobs": pack_jobs(jobs)}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell the broker how the trials of a pack ended."""
        jobs = self._packs.pop(trial_id, [])
        if error or not result or "outcomes" not in result:
            self._release(jobs, Status.WORKER_LOST)
            return
        try:
            outcomes = unpack_outcomes(result["outcomes"])
        except Exception as problem:  # noqa: BLE001  # raised when the other packs have ended
            self.error = self.error or problem
            self._release(jobs, Status.INTERRUPTED)
            return
        for job, outcome in zip(jobs, outcomes, strict=True):
            self._broker.tell(job, outcome)

    def release_all(self) -> None:
        """Queue again what Tune never brought to an end."""
        while self._packs:
            _, jobs = self._packs.popitem()
            self._release(jobs, Status.INTERRUPTED)

    def _release(self, jobs: list[Job], status: Status) -> None:
        for job in jobs:
            self._broker.release(job, status)

    def _share(self) -> int:
        """Return what keeps the idle workers equally busy to the end of the budget; at least 1."""
        left = self._broker.spec.budget.trials - self._broker.counted - self._broker.in_flight
        return max(1, -(-left // (self._workers - len(self._packs))))

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the study folder is the state."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing to save either."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""


@dataclass(frozen=True, slots=True)
class _Round:
    """One run of Tune: packs at most, retries of a pack, where its state lies."""

    samples: int
    retries: int
    storage: str


def _tuner(searcher: _AskTell, train_path: str, options: RayOptions, one: _Round) -> Any:
    resources = {"cpu": options.cpus_per_trial, "gpu": options.gpus_per_trial}
    return tune.Tuner(
        tune.with_resources(_Worker, resources),
        param_space={"train": train_path, "sharers": options.sharers},
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            num_samples=one.samples,
            reuse_actors=True,
            trial_name_creator=_name,
            trial_dirname_creator=_name,
        ),
        run_config=tune.RunConfig(
            name="trials",
            storage_path=one.storage,
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=one.retries),
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
