"""A study, or a suite, on Ray, from the first trial asked for to the last one told."""

from __future__ import annotations

import itertools
import os
import tempfile
from typing import TYPE_CHECKING, Any

from ray import tune
from ray.exceptions import RayError

from lorap_bench.executors.ray.cluster import cluster
from lorap_bench.executors.ray.judge import NearJudge
from lorap_bench.executors.ray.luggage import pack_luggage
from lorap_bench.executors.ray.options import RayOptions
from lorap_bench.executors.ray.tuner import AskTell, Kit, Listener, Worker
from lorap_bench.executors.stop import Interrupted
from lorap_bench.executors.traffic import Traffic
from lorap_bench.executors.worker import Duty

if TYPE_CHECKING:
    from lorap_bench.executors.desk import Desk
    from lorap_bench.executors.stop import Stop

__all__ = ["run_ray"]

_PENDING_VARIABLE = "TUNE_MAX_PENDING_TRIALS_PG"


def run_ray(desk: Desk, train_path: str, stop: Stop, options: RayOptions | None = None) -> None:
    """Ask, train on workers and tell until the desk has none left or ``stop`` is requested.

    Args:
        desk: who has the trials.
        train_path: the trainer (``trainer.Trainer``) as ``"package.module:function"``, importable by the workers.
        stop: the first request lets running trials end, the second leaves them (they run again later).
        options: workers, their resources, and the cluster.

    Raises:
        MissingResource: the cluster cannot be had, or has not what a trial needs.
        LorapBenchError: an error of the trainer, or the study ended otherwise than by its budget
            or an exhausted space.
        RuntimeError: a bug in the trainer, with the worker's traceback.
    """
    options = options or RayOptions()
    with cluster(options) as workers, tempfile.TemporaryDirectory(prefix="lorap-bench-tune-") as scratch:
        judge = None if desk.stoppers is None else NearJudge(desk.stoppers)
        traffic = Traffic(desk, stop, workers, on_end=None if judge is None else judge.add)
        seconds = desk.seconds
        kit = Kit(
            duty=Duty(train_path, seconds, options.gpus_per_trial),
            sharers=options.sharers(workers),
            judge=None if judge is None else judge.actor,
            luggage=pack_luggage(options.datasets),
        )
        os.environ[_PENDING_VARIABLE] = str(workers)  # by default workers start one after the other
        listener = Listener(traffic, stop, seconds)
        try:
            for turn in itertools.count():
                if _fitted(_tuner(traffic, listener, kit, options, f"{scratch}/{turn}"), listener):
                    break
        except Interrupted:
            listener.end_workers()
            return
        finally:
            traffic.release_all()
        if traffic.error is not None:
            raise traffic.error
    desk.raise_if_failed()


def _fitted(tuner: Any, listener: Listener) -> bool:
    """Run Tune; return whether it came to its own end.

    It does not where Ray killed a worker because memory ran low: of all the ways to lose one, Tune does not know this.
    """
    try:
        tuner.fit()
    except RuntimeError as error:
        if not isinstance(error.__context__, RayError):
            raise
        listener.end_workers()
        return False
    return True


def _tuner(traffic: Traffic, listener: Listener, kit: Kit, options: RayOptions, scratch: str) -> Any:
    resources = {"cpu": options.cpus_per_trial, "gpu": options.gpus_per_trial}
    return tune.Tuner(
        tune.with_resources(tune.with_parameters(Worker, kit=kit), resources),
        tune_config=tune.TuneConfig(
            search_alg=AskTell(traffic),
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=_name,
            trial_dirname_creator=_name,
        ),
        run_config=tune.RunConfig(
            name="trials",
            storage_path=scratch,
            verbose=0,
            callbacks=[listener],
            failure_config=tune.FailureConfig(max_failures=0),  # the broker counts lost workers, over restarts too
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    )


def _name(trial: Any) -> str:
    return str(trial.trial_id)
