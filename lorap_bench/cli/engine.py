"""Where trials run: in this process or in Ray's workers; the options that say so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.executors.desk import Desk
    from lorap_bench.executors.stop import Stop

__all__ = ["Address", "Cpus", "Engine", "Executor", "Gpus", "Where", "Workers"]

TRAINER = "lorap_bench.train.trial:run_groups"


class Executor(StrEnum):
    """Where trials run: in this process, or in Ray's workers."""

    LOCAL = "local"
    RAY = "ray"


Where: TypeAlias = Annotated[Executor, typer.Option("--executor", help="Where trials run.")]
Address: TypeAlias = Annotated[
    str | None,
    typer.Option("--address", metavar="HOST:PORT", help="Ray: an existing cluster, or auto (default: one of its own)."),
]
Workers: TypeAlias = Annotated[
    int | None, typer.Option("--workers", min=1, metavar="N", help="Ray: workers at a time (default: one a core).")
]
Cpus: TypeAlias = Annotated[float, typer.Option("--cpus-per-trial", min=0, metavar="C", help="Ray: cores of a worker.")]
Gpus: TypeAlias = Annotated[
    float, typer.Option("--gpus-per-trial", min=0, metavar="G", help="Ray: GPUs of a worker; parts share one.")
]


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs a desk's trials; all but ``executor`` is for Ray (see ``RayOptions``)."""

    executor: Executor
    address: str | None
    workers: int | None
    cpus_per_trial: float
    gpus_per_trial: float
    datasets: tuple[str, ...]

    def run(self, desk: Desk, stop: Stop, on_epoch: Callable[[int], None] = lambda _: None) -> None:
        """Run what the desk has; ``on_epoch`` hears of the epochs that are trained in this process.

        Raises:
            LorapBenchError: see ``run_local`` and ``run_ray``.
        """
        if self.executor is Executor.RAY:
            from lorap_bench.executors.ray import RayOptions, run_ray

            options = RayOptions(
                address=self.address,
                workers=self.workers,
                cpus_per_trial=self.cpus_per_trial,
                gpus_per_trial=self.gpus_per_trial,
                datasets=self.datasets,
            )
            run_ray(desk, TRAINER, stop, options)
        else:
            from lorap_bench.executors.local import run_local
            from lorap_bench.train.trial import run_groups

            run_local(desk, run_groups, stop, on_epoch=on_epoch)
