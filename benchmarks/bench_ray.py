"""What Ray costs a trial: wall and driver CPU time between the ends of trivial trials on two warm workers.

Everything is included: asking the sampler (Random), the journal, the records, Tune. One trial a pack, so that none
hides behind another; and ten a pack, as small trials travel.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench_broker import SHAPE, answer, spec
from benchmarks.timing import report, timing
from lorap_bench.executors.ray import RayOptions, run_ray
from lorap_bench.executors.stop import Stop
from lorap_bench.search.job import Job
from lorap_bench.search.loop import Broker
from lorap_bench.store.folder import StudyFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.record import Outcome, TrialRecord

TRIALS, WORKERS, ROUNDS = 200, 2, 3
WARM = 20
"""Trials after which every worker has started."""
TRAINER = "benchmarks.bench_ray:trivial"


def trivial(requests: Sequence[tuple[TrialConfig, Sequence[int]]], **_: Any) -> Iterator[dict[int, Outcome]]:
    """Answer at once."""
    for position, (config, seeds) in enumerate(requests):
        yield {position: answer(Job(0, 0, {}, config, tuple(seeds), {}))}


def study(together: int) -> tuple[float, float]:
    """Return wall and driver CPU seconds a trial on warm workers."""
    mapping = spec("Random").to_mapping()
    mapping["search"]["together"] = together
    mapping["budget"]["trials"] = TRIALS
    whole = type(spec("Random")).from_mapping(mapping)
    ends: list[tuple[float, float]] = []

    def clock(record: TrialRecord) -> None:
        del record
        ends.append((time.perf_counter(), time.process_time()))

    with tempfile.TemporaryDirectory() as runs:
        folder = StudyFolder.create(Path(runs), whole.to_mapping(), whole.identity)
        with Broker(whole, folder, SHAPE, on_event=clock) as broker:
            run_ray(broker, TRAINER, Stop(), RayOptions(workers=WORKERS))
    (wall, cpu), (last_wall, last_cpu) = ends[WARM], ends[-1]
    count = len(ends) - 1 - WARM
    return (last_wall - wall) / count, (last_cpu - cpu) / count


def main() -> None:
    """Measure and report."""
    rows = []
    for together in (1, 10):
        walls, cpus = zip(*(study(together) for _ in range(ROUNDS)), strict=True)
        wall, cpu = timing(list(walls)), timing(list(cpus))
        rows.append(
            {
                "trials a pack": together,
                "trials": TRIALS,
                "workers": WORKERS,
                "wall ms a trial": 1e3 * wall.median,
                "wall spread": wall.spread,
                "driver CPU ms a trial": 1e3 * cpu.median,
                "rounds": ROUNDS,
            }
        )
    report("ray", rows)


if __name__ == "__main__":
    main()
