"""What ask, record and tell cost a trial in studies of 1,000 and of 20,000 trials, the sampler's own time set apart.

`python -m benchmarks.search.overhead`. A study is brought to its size by the broker itself, with the disk's sync left
out; then a hundred trials are timed with it, on the journal, and what the sampler took of each ask is taken off.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench_broker import SHAPE, answer
from benchmarks.bench_broker import spec as broker_spec
from benchmarks.timing import report
from lorap_bench.search import trials
from lorap_bench.search.loop import Broker
from lorap_bench.store.folder import StudyFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (1_000, 20_000)
TIMED = 100
SAMPLERS = ("Random",)  # its own time is next to nothing; others would spend the day on repeats


def main() -> None:
    """Measure and report."""
    rows: list[dict[str, Any]] = []
    for sampler in SAMPLERS:
        with tempfile.TemporaryDirectory() as runs:
            for size in SIZES:
                study = broker_spec(sampler).model_copy(update={"budget": _budget(size)})
                folder = StudyFolder.create(Path(runs), study.to_mapping(), study.identity)
                with _without_sync(), Broker(study, folder, SHAPE) as broker:
                    _run(broker, size - TIMED - broker.counted)
                with Broker(study, folder, SHAPE) as broker:
                    rows.append({"sampler": sampler, "trials": size} | _timed(broker))
    report("search-overhead", rows)


def _budget(size: int) -> Any:
    return broker_spec("Random").budget.model_copy(update={"trials": size})


def _run(broker: Broker, count: int) -> None:
    for _ in range(count):
        job = broker.ask()
        assert job is not None
        broker.tell(job, answer(job))


def _timed(broker: Broker) -> dict[str, Any]:
    """Return medians over a hundred trials; what the trainer would do is not timed."""
    cpu: list[float] = []
    wall: list[float] = []
    suggesting: list[float] = []
    with _watching(suggesting):
        for _ in range(TIMED):
            suggesting.append(0.0)
            began = time.process_time(), time.perf_counter()
            job = broker.ask()
            asked = time.process_time(), time.perf_counter()
            assert job is not None
            outcome = answer(job)
            told = time.process_time(), time.perf_counter()
            broker.tell(job, outcome)
            ended = time.process_time(), time.perf_counter()
            cpu.append(asked[0] - began[0] + ended[0] - told[0])
            wall.append(asked[1] - began[1] + ended[1] - told[1])
    return {
        "CPU ms a trial, without the sampler": 1e3 * statistics.median(map(float.__sub__, cpu, suggesting)),
        "CPU ms of the sampler": 1e3 * statistics.median(suggesting),
        "wall ms a trial, with it": 1e3 * statistics.median(wall),
    }


@contextmanager
def _watching(spent: list[float]) -> Iterator[None]:
    """Add the CPU seconds of every suggestion to the last place of ``spent``."""
    suggest = trials.Trials._suggest  # noqa: SLF001  # the one place where the sampler works

    def timed(self: Any, trial: Any) -> Any:
        began = time.process_time()
        try:
            return suggest(self, trial)
        finally:
            spent[-1] += time.process_time() - began

    trials.Trials._suggest = timed  # type: ignore[method-assign]  # noqa: SLF001  # a clock around it
    try:
        yield
    finally:
        trials.Trials._suggest = suggest  # type: ignore[method-assign]  # noqa: SLF001  # taken away again


@contextmanager
def _without_sync() -> Iterator[None]:
    sync = os.fsync
    os.fsync = lambda fd: None  # noqa: ARG005  # by the name that its stub gives it
    try:
        yield
    finally:
        os.fsync = sync


if __name__ == "__main__":
    main()
