"""What travels between the driver and a worker: a job there, an outcome or a fault back, both JSON text."""

from __future__ import annotations

import json
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lorap_bench import errors
from lorap_bench.config import TrialConfig
from lorap_bench.errors import ConfigError, Fault, LorapBenchError
from lorap_bench.record import Outcome, TrialRecord

if TYPE_CHECKING:
    from lorap_bench.search.loop import Job

__all__ = ["pack_job", "run_packed", "unpack_outcome"]


def pack_job(job: Job) -> str:
    """Return what a worker needs of ``job``."""
    return json.dumps({"config": job.config.to_mapping(), "seeds": job.seeds})


def run_packed(train_path: str, text: str) -> str:
    """Train a packed job with the function at ``train_path`` (``"package.module:function"``).

    Every error travels as a value, so that an engine's retries are left for workers that die.
    """
    try:
        module, _, name = train_path.partition(":")
        job = json.loads(text)
        outcome = getattr(import_module(module), name)(TrialConfig.from_mapping(job["config"]), tuple(job["seeds"]))
        return json.dumps({"record": outcome.record.to_mapping(), "curves": outcome.curves})
    except LorapBenchError as error:
        return json.dumps({"error": type(error).__name__, "message": str(error)})
    except Exception:  # noqa: BLE001  # a bug: the driver raises it
        return json.dumps({"error": "", "message": traceback.format_exc()})


def unpack_outcome(text: str) -> Outcome:
    """Return the outcome of a packed job, or raise what the worker met.

    Raises:
        LorapBenchError: an expected error, of the class that the worker raised.
        RuntimeError: a bug, with the worker's traceback.
    """
    answer: dict[str, Any] = json.loads(text)
    if "record" in answer:
        return Outcome(TrialRecord.from_mapping(answer["record"]), answer["curves"])
    message = answer["message"]
    if not answer["error"]:
        raise RuntimeError(f"a worker failed:\n{message}")
    kind = getattr(errors, answer["error"], LorapBenchError)
    raise ConfigError([Fault(path="", message=message)]) if kind is ConfigError else kind(message)
