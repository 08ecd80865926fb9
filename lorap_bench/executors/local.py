"""Run packs of trials one after another in this process. Knows neither Ray nor the sampler."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from lorap_bench.executors.stop import Interrupted
from lorap_bench.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.executors.stop import Stop
    from lorap_bench.record import Outcome
    from lorap_bench.search.loop import Broker
    from lorap_bench.train.watch import Watch

__all__ = ["Trainer", "run_local"]

_PAUSE = 1.0
"""Seconds between two looks at what other drivers have left."""


class Trainer(Protocol):
    """Train configurations, each on some seeds, while ``watch`` looks on."""

    def __call__(
        self, requests: Sequence[tuple[TrialConfig, Sequence[int]]], *, watch: Watch
    ) -> Iterable[dict[int, Outcome]]:
        """Yield outcomes by position, of those that trained together, as they end."""
        ...


def run_local(broker: Broker, train: Trainer, stop: Stop) -> None:
    """Ask, train and tell until the broker is done or ``stop`` is requested; trials may be stopped early.

    Trials that are left at ``stop.now``, or by a bug in the trainer, go back to the queue under
    their keys; the bug is raised. A request to drain lets those end that train together now.

    Raises:
        LorapBenchError: the study ended otherwise than by its budget or an exhausted space.
    """
    from lorap_bench.train.watch import Watch  # late: its package brings torch

    seconds = broker.spec.budget.trial_seconds
    while not _drains(stop):
        jobs = broker.ask_pack()
        if not jobs and not broker.elsewhere:
            break
        if not jobs:  # a driver elsewhere may yet die over its trials
            time.sleep(_PAUSE)
            continue
        left = dict(enumerate(jobs))
        watch = Watch(on_epoch=stop.check, judge=broker.judge(jobs), seconds=seconds)
        try:
            for ended in train([(job.config, job.seeds) for job in jobs], watch=watch):
                for position, outcome in sorted(ended.items()):
                    broker.tell(left.pop(position), outcome)
                if _drains(stop):
                    break
        except Interrupted:
            return
        finally:
            for job in left.values():
                broker.release(job, Status.INTERRUPTED)
    broker.raise_if_failed()


def _drains(stop: Stop) -> bool:
    # A function, for a signal may change the answer between two looks at it.
    return stop.drain
