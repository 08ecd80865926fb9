"""What screening with one seed saves: random searches of 200 trials replayed on the table of Cora trainings.

`python -m benchmarks.search.screening` writes ``reports/search/screening.json`` and ``.md``. Three ways to spend seeds
see the same trials: three seeds for all, one seed for all, one seed with the rest for those that may be on the front.
Each chooses its front by what it saw. Judged is the hypervolume of that front's true values, the means over all three
seeds, in the tight box above the table's median accuracy, and how much better the front looked than it is.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.search.quality import Shelf, study
from benchmarks.search.results import write
from benchmarks.search.table import Table
from lorap_bench.metric import Metric
from lorap_bench.record import MemberResult, Status
from lorap_bench.search.loop import Broker
from lorap_bench.stats.front import front_mask, hypervolume
from lorap_bench.store.folder import StudyFolder
from lorap_bench.study.spec import StudySpec, objectives_of

if TYPE_CHECKING:
    from lorap_bench.record import Outcome, TrialRecord
    from lorap_bench.search.job import Job

OBJECTIVES = objectives_of(Metric.ACCURACY)

TRIALS, REPETITIONS = 200, 20
WAYS: dict[str, dict[str, int]] = {
    "three seeds for all": {"search": 3},
    "one seed, three where it may matter": {"search": 3, "screen": 1},
    "one seed for all": {"search": 1},
}


def main() -> None:
    """Replay and write the report."""
    vars(os)["fsync"] = _no_sync  # a temporary folder need not survive a power cut
    found = Table.packed()
    shelf = Shelf(found, study({}, 0, 1))
    rows = []
    for name, replicas in WAYS.items():
        runs = [_searched(replicas, seed, found, shelf) for seed in range(REPETITIONS)]
        rows.append({"seeds": name} | {key: statistics.median(run[key] for run in runs) for key in runs[0]})
    text = (
        f"{TRIALS} random trials, medians of {REPETITIONS} repetitions. Optimism is in accuracy, a mean over the front."
    )
    write("screening", "Seeds as a budget", {"rows": rows}, text=text)


def _searched(replicas: dict[str, int], seed: int, found: Table, shelf: Shelf) -> dict[str, float]:
    """Run a study and judge the front it chose."""
    mapping = study({"sampler": "Random"}, seed, TRIALS).to_mapping() | {"replicas": replicas}
    spec = StudySpec.from_mapping(mapping)
    with tempfile.TemporaryDirectory() as runs:
        folder = StudyFolder.create(Path(runs), spec.to_mapping(), spec.identity)
        with Broker(spec, folder, None, blueprint=shelf.plan) as broker:
            while (job := broker.ask()) is not None:
                broker.tell(job, _trained(job, found, shelf))
        records = [record for record in folder.records() if record.status is Status.COMPLETE]
    seen = np.array([[record.objectives[name] for name in OBJECTIVES] for record in records])
    mask = front_mask(seen, list(OBJECTIVES.values()))
    true = seen.copy()
    true[:, 0] = [found[record.digest].accuracy for record in records]
    return {
        "trainings": float(sum(len(record.members) for record in records)),
        "hypervolume": _volume(true[mask], found),
        "optimism": float(np.mean(seen[mask, 0] - true[mask, 0])),
    }


def _trained(job: Job, found: Table, shelf: Shelf) -> Outcome:
    """Return what training a job's seeds would have: those after the screening have the later marks."""
    outcome = shelf.train(replace(job, seeds=(0, 1, 2)))  # the table's
    marks = found[outcome.record.digest].marks[:, -1]
    marks = marks[: len(job.seeds)] if job.judged else marks[-len(job.seeds) :]
    members = tuple(
        MemberResult(seed=seed, status=Status.COMPLETE, val=float(mark), epochs=found.epochs)
        for seed, mark in zip(job.seeds, marks, strict=True)
    )
    return outcome._replace(record=_with(outcome.record, members, float(marks.mean())))


def _with(record: TrialRecord, members: tuple[MemberResult, ...], accuracy: float) -> TrialRecord:
    return replace(record, members=members, objectives=record.objectives | {"accuracy": accuracy})


def _volume(points: Any, found: Table) -> float:
    """Return the share of the tight box that points dominate."""
    values = found.values()
    worst = [float(np.median(values[:, 0])), float(values[:, 1].max()), float(values[:, 2].max())]
    directions = list(OBJECTIVES.values())
    return hypervolume(points, directions, worst) / hypervolume(values, directions, worst)


def _no_sync(descriptor: int) -> None:
    del descriptor


if __name__ == "__main__":
    main()
