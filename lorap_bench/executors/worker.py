"""What travels between the driver and a worker: a pack of jobs there, outcomes or a fault back, both JSON text."""

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
    from collections.abc import Sequence

    from lorap_bench.search.loop import Job

__all__ = ["pack_jobs", "run_packed", "unpack_outcomes"]


def pack_jobs(jobs: Sequence[Job]) -> str:
    """Return what a worker needs of ``jobs``."""
    return json.dumps([{"config": job.config.to_mapping(), "seeds": job.seeds} for job in jobs])


def run_packed(train_path: str, text: str) -> str:
    """Train packed jobs with the function at ``train_path`` (``"package.module:function"``, see ``local.Trainer``).

    Every error travels as a value, so that an engine's retries are left for workers that die.
    """
    try:
        module, _, name = train_path.partition(":")
        requests = [(TrialConfig.from_mapping(job["config"]), tuple(job["seeds"])) for job in json.loads(text)]
        outcomes: dict[int, Outcome] = {}
        for ended in getattr(import_module(module), name)(requests, on_epoch=None):
            outcomes.update(ended)
        found = [outcomes[position] for position in range(len(requests))]
        return json.dumps([{"record": one.record.to_mapping(), "curves": one.curves} for one in found])
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
