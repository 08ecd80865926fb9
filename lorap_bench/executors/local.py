"""Run trials one after another in this process. Knows neither Ray nor the sampler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lorap_bench.executors.stop import Interrupted
from lorap_bench.record import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.executors.stop import Stop
    from lorap_bench.record import Outcome
    from lorap_bench.search.loop import Broker

__all__ = ["Trainer", "run_local"]


class Trainer(Protocol):
    """Train one configuration on some seeds; calls ``on_epoch`` after every epoch."""

    def __call__(self, config: TrialConfig, seeds: Sequence[int], *, on_epoch: Callable[[int], None]) -> Outcome:
        """Return the record and its curves."""
        ...


def run_local(broker: Broker, train: Trainer, stop: Stop) -> None:
    """Ask, train and tell until the broker is done or ``stop`` is requested.

    A trial that is left at ``stop.now``, or by a bug in the trainer, goes back to the queue under
    its key; the bug is raised.

    Raises:
        LorapBenchError: the study ended otherwise than by its budget or an exhausted space.
    """
    while not stop.drain and (job := broker.ask()) is not None:
        try:
            outcome = train(job.config, job.seeds, on_epoch=stop.check)
        except Interrupted:
            broker.release(job, Status.INTERRUPTED)
            return
        except BaseException:
            broker.release(job, Status.INTERRUPTED)
            raise
        broker.tell(job, outcome)
    broker.raise_if_failed()
