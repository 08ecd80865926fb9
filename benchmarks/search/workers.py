"""Whether one asker keeps a thousand workers busy: virtual workers that train recorded trials of 20 seconds.

`python -m benchmarks.search.workers`. The broker works in real time, on the journal in a temporary folder, and
its clock is the wall's; workers only take a recorded trial's time, brought to a mean of 20 seconds. Counted is the
share of the workers' time in which they train, from when all have had their first trial to when the last is asked for.
"""

from __future__ import annotations

import heapq
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bench_broker import SHAPE, answer, spec
from benchmarks.search.results import write
from benchmarks.search.table import PACKED, Table
from lorap_bench.search.loop import Broker, Job
from lorap_bench.store.folder import StudyFolder
from lorap_bench.study.sections import BudgetSpec

WORKERS, TRIALS, SECONDS = 1_000, 3_000, 20.0
SAMPLERS = ("Random", "QMC", "NSGAII")


def main() -> None:
    """Simulate and write the report."""
    found = Table.packed(PACKED)
    rows = [{"sampler": name} | simulate(name, found) for name in SAMPLERS]
    text = f"{WORKERS:,} virtual workers, {TRIALS:,} trials of {SECONDS:g} s on average; the aim is 95 % busy."
    write("workers", "One asker, a thousand workers", {"rows": rows}, text=text)


def simulate(sampler: str, found: Table) -> dict[str, Any]:
    """Return how busy the workers were, and what a trial cost the asker."""
    study = spec(sampler).model_copy(update={"budget": BudgetSpec(trials=TRIALS)})
    seconds = _seconds(found)
    clock, asked, waited = 0.0, 0, 0.0
    running: list[tuple[float, int, Job]] = []
    first = last = 0.0
    with tempfile.TemporaryDirectory() as runs:
        folder = StudyFolder.create(Path(runs), study.to_mapping(), study.identity)
        with Broker(study, folder, SHAPE) as broker:
            idle = [0.0] * WORKERS  # since when
            while True:
                began = time.perf_counter()
                job = broker.ask() if idle else None
                if job is not None:
                    clock += time.perf_counter() - began
                    since = heapq.heappop(idle)
                    asked += 1
                    if asked > WORKERS:
                        waited += clock - since
                        last = clock
                    else:
                        first = clock
                    heapq.heappush(running, (clock + seconds[asked % len(seconds)], asked, job))
                    continue
                if not running:
                    break
                ended, _, job = heapq.heappop(running)
                outcome = answer(job)
                clock = max(clock, ended)
                began = time.perf_counter()
                broker.tell(job, outcome)
                clock += time.perf_counter() - began
                heapq.heappush(idle, ended)
    trained = asked - WORKERS
    return {
        "trials": asked,
        "busy %": 100 * (1 - waited / trained / (SECONDS + waited / trained)),
        "wait s": waited / trained,
        "wall ms of the asker a trial": 1e3 * (last - first) / trained,
    }


def _seconds(found: Table) -> list[float]:
    """Return how long the recorded trials take, brought to the mean: as their overhead makes it."""
    costs = [1 + row.costs["overhead"] / 100 for row in found.rows.values()]
    mean = sum(costs) / len(costs)
    return [SECONDS * cost / mean for cost in costs]


if __name__ == "__main__":
    main()
