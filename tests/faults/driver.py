"""A driver in a process of its own: ``python -m tests.faults.driver PLAN.json``; 0 when the study is done."""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorap_bench.cli.wiring import task_shape
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop, on_signals
from lorap_bench.executors.worker import trainer
from lorap_bench.search.loop import Broker
from lorap_bench.store.folder import StudyFolder
from lorap_bench.study.spec import StudySpec
from tests.search.synthetic import sketch

NOT_DONE = 75


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a driver is to do.

    ``ray`` are the options of ``RayOptions``, None for the local executor; ``file_bytes`` is how long its files may
    become. ``made_up`` says that the trainer needs no data.
    """

    runs: str
    spec: dict[str, Any]
    trainer: str
    made_up: bool = True
    ray: dict[str, Any] | None = None
    file_bytes: int | None = None


def main(plan: Plan) -> int:
    """Run the study to its end, or on from where it stopped."""
    spec = StudySpec.from_mapping(plan.spec)
    folder = StudyFolder.create(Path(plan.runs), spec.to_mapping(), spec.identity)
    if plan.file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (plan.file_bytes, plan.file_bytes))
    shape = None if plan.made_up else task_shape(spec)
    with on_signals(Stop()) as stop, Broker(spec, folder, shape, blueprint=sketch if plan.made_up else None) as broker:
        if plan.ray is None:
            run_local(broker, trainer(plan.trainer), stop)
        else:
            from lorap_bench.executors.ray import RayOptions, run_ray

            run_ray(broker, plan.trainer, stop, RayOptions(**plan.ray))
        return 0 if broker.done else NOT_DONE


if __name__ == "__main__":
    sys.exit(main(Plan(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
