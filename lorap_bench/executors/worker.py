"""What travels between the driver and a worker: a pack of jobs there, outcomes or a fault back, both JSON text."""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lorap_bench import errors
from lorap_bench.config import TrialConfig
from lorap_bench.errors import ConfigError, Fault, LorapBenchError
from lorap_bench.executors.watchdog import hard_deadline, patience
from lorap_bench.record import Outcome, TrialRecord
from lorap_bench.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.executors.trainer import Trainer
    from lorap_bench.search.job import Job
    from lorap_bench.search.verdicts import Bench
    from lorap_bench.train.watch import Judge

__all__ = ["Duty", "pack_jobs", "run_packed", "trainer", "unpack_outcomes"]


@dataclass(frozen=True, slots=True)
class Duty:
    """What a worker does with each of its packs.

    Attributes:
        train_path: the trainer (see ``trainer.Trainer``), as ``"package.module:function"``.
        seconds: how long a trial may take; None: as long as it likes.
        gpus: GPUs, or the share of one, that the worker has.
    """

    train_path: str
    seconds: float | None = None
    gpus: float = 0.0


def pack_jobs(jobs: Sequence[Job]) -> str:
    """Return what a worker needs of ``jobs``."""
    fields = [{name: getattr(job, name) for name in job.__slots__} for job in jobs]
    return json.dumps([one | {"config": one["config"].to_mapping()} for one in fields])


def run_packed(duty: Duty, text: str, bench: Bench | None = None) -> str:
    """Train packed jobs, some of which ``bench`` may end early.

    Every error travels as a value, so that a lost worker always means that its process died. One that is still at work
    long after its trials should have ended is ended.
    """
    try:
        jobs = json.loads(text)
        requests = [(TrialConfig.from_mapping(job["config"]), tuple(job["seeds"])) for job in jobs]
        watch = Watch(judge=None if bench is None else _verdicts(bench, jobs), seconds=duty.seconds)
        outcomes: dict[int, Outcome] = {}
        train = trainer(duty.train_path)  # its imports take seconds that are not the trials'
        with hard_deadline(patience(duty.seconds, len(jobs))):
            split = jobs[0]["split"]
            for ended in train(requests, split=split, watch=watch):
                outcomes.update(ended)
        return json.dumps([_packed(outcomes[position], duty) for position in range(len(jobs))])
    except LorapBenchError as error:
        return json.dumps({"error": type(error).__name__, "message": str(error)})
    except Exception:  # noqa: BLE001  # a bug: the driver raises it
        return json.dumps({"error": "", "message": traceback.format_exc()})


def unpack_outcomes(text: str) -> list[Outcome]:
    """Return the outcomes of packed jobs, in their order, or raise what the worker met.

    Raises:
        LorapBenchError: an expected error, of the class that the worker raised.
        RuntimeError: a bug, with the worker's traceback.
    """
    answer: Any = json.loads(text)
    if isinstance(answer, list):
        return [Outcome(TrialRecord.from_mapping(one["record"]), one["curves"]) for one in answer]
    message = answer["message"]
    if not answer["error"]:
        raise RuntimeError(f"a worker failed:\n{message}")
    kind = getattr(errors, answer["error"], LorapBenchError)
    raise ConfigError([Fault(path="", message=message)]) if kind is ConfigError else kind(message)


def trainer(path: str) -> Trainer:
    """Return the trainer at ``path``, ``"package.module:function"``."""
    module, _, name = path.partition(":")
    found: Trainer = getattr(import_module(module), name)
    return found


def _verdicts(bench: Bench, jobs: Sequence[dict[str, Any]]) -> Judge:
    from lorap_bench.search.job import Job  # late: the search brings the sampler's libraries, which few workers need
    from lorap_bench.search.verdicts import Verdicts

    return Verdicts(bench, [Job(**{**job, "config": TrialConfig.from_mapping(job["config"])}) for job in jobs])


def _packed(outcome: Outcome, duty: Duty) -> dict[str, Any]:
    record = outcome.record
    if duty.gpus:
        record = replace(record, provenance=record.provenance | {"gpus": duty.gpus})
    return {"record": record.to_mapping(), "curves": outcome.curves}
