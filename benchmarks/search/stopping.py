"""What early stopping saves and what it costs: random searches of 200 trials replayed on the table of Cora trainings.

`python -m benchmarks.search.stopping` writes ``reports/search/stopping.json`` and ``.md``; with `--raw FOLDER` it reads
a table that is still being recorded, and only prints.

Every rule sees the same trials in the same order, in packs of four as the local executor trains them. Two volumes are
compared with the full search's: that of the reference box, and that of a tight box, above the table's median accuracy
and below its largest bits and overhead, where a front's quality shows. Beside each rule stands a search without
stopping that has the same epochs.
"""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np

from benchmarks.search import results
from benchmarks.search.table import Table
from lorap_bench.cli.wiring import catalog
from lorap_bench.metric import Metric
from lorap_bench.record import Status, TrialRecord
from lorap_bench.search.rungs import Rungs, standing
from lorap_bench.stats.front import box_hypervolume, hypervolume
from lorap_bench.study.file import load_study
from lorap_bench.study.sections import StoppingSpec
from lorap_bench.study.spec import objectives_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.search.table import Row
    from lorap_bench.record import Curves

OBJECTIVES = objectives_of(Metric.ACCURACY)

TRIALS, PACK, REPETITIONS = 200, 4, 40
RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "MO-ASHA (default)": ("rungs", {"rule": "MO-ASHA"}),
    "MO-ASHA, bound": ("rungs", {"rule": "MO-ASHA", "bound": True}),
    "bound": ("rungs", {"bound": True}),
    "MO-ASHA, factor 2": ("rungs", {"rule": "MO-ASHA", "reduction_factor": 2}),
    "MO-ASHA, factor 4": ("rungs", {"rule": "MO-ASHA", "reduction_factor": 4}),
    "MO-ASHA, grace 5": ("rungs", {"rule": "MO-ASHA", "grace_epochs": 5}),
    "MO-ASHA, grace 20": ("rungs", {"rule": "MO-ASHA", "grace_epochs": 20}),
    "quota alone": ("quota", {"rule": "MO-ASHA"}),
    "quota alone, factor 2": ("quota", {"rule": "MO-ASHA", "reduction_factor": 2}),
}


class Stopper(Protocol):
    """Whoever stops trials at rungs."""

    def rungs(self, epochs: int) -> Sequence[int]:
        """Return the rungs."""
        ...

    def add(self, record: TrialRecord, curves: Curves) -> None:
        """Take an ended trial in."""
        ...

    def judge(
        self, epoch: int, values: Mapping[int, Sequence[float]], costs: Mapping[int, Mapping[str, float]]
    ) -> Mapping[int, str]:
        """Return who ends."""
        ...


@final
class Quota:
    """MO-ASHA to the letter: the best ``n / reduction_factor`` of a rung go on, whoever dominates whom."""

    def __init__(self, rungs: Rungs, factor: int) -> None:
        self.rungs = rungs.rungs
        self._factor = factor
        self._reached: dict[int, dict[int, tuple[float, ...]]] = {}

    def add(self, record: TrialRecord, curves: Curves) -> None:
        """Nothing is learned from an end."""

    def judge(
        self, epoch: int, values: Mapping[int, Sequence[float]], costs: Mapping[int, Mapping[str, float]]
    ) -> dict[int, str]:
        """Return who ends."""
        reached = self._reached.setdefault(epoch, {})
        for number, best in values.items():
            reached[number] = (-float(np.mean(best)), costs[number]["average_bits"], costs[number]["overhead"])
        quota = math.ceil(len(reached) / self._factor)
        if len(reached) < self._factor:
            return {}
        points, places = np.array(list(reached.values())), list(reached)
        return {number: "quota" for number in values if standing(points, places.index(number))[1] >= quota}


@dataclass(frozen=True, slots=True)
class Search:
    """One replayed search: the complete trials, and the share of the full search's epochs."""

    complete: list[Row]
    epochs: float


def stopper(kind: str, fields: dict[str, Any]) -> Stopper:
    """Return a fresh rule."""
    stopping = StoppingSpec(**fields)
    spec = load_study(Path(__file__).parent / "cora.toml", catalog=catalog())
    rungs = Rungs(spec.model_copy(update={"early_stopping": stopping}))
    return rungs if kind == "rungs" else Quota(rungs, stopping.reduction_factor)


def replay(rule: Stopper, table: Table, rows: Sequence[Row]) -> Search:
    """Search through ``rows`` pack by pack."""
    complete: list[Row] = []
    spent = 0
    rungs = rule.rungs(table.epochs)
    for first in range(0, len(rows), PACK):
        live = dict(enumerate(rows[first : first + PACK], start=first))
        ended: dict[int, int] = {}
        for rung in rungs:
            values = {number: list(row.marks[:, rung // table.every - 1]) for number, row in live.items()}
            for number in rule.judge(rung, values, {number: row.costs for number, row in live.items()}):
                ended[number] = rung
                rule.add(*_told(number, live.pop(number), [r for r in rungs if r <= rung], table, Status.PRUNED))
            if not live:
                break
        for number, row in live.items():
            rule.add(*_told(number, row, rungs, table, Status.COMPLETE))
        complete += live.values()
        spent += sum(ended.values()) + table.epochs * len(live)
    return Search(complete, spent / (table.epochs * len(rows)))


def _told(
    number: int, row: Row, rungs: Sequence[int], table: Table, status: Status
) -> tuple[TrialRecord, dict[str, list[list[float]]]]:
    record = TrialRecord(
        status=status,
        config={"optim": {"epochs": table.epochs}},
        digest=row.digest,
        number=number,
        objectives={"accuracy": row.accuracy, **row.costs},
        costs=row.costs,
    )
    return record, {"val_best": row.marks[:, [rung // table.every - 1 for rung in rungs]].tolist()}


def volumes(table: Table) -> dict[str, Callable[[Sequence[Row]], float]]:
    """Return the volumes that are compared."""
    every = table.values()
    worst = [float(np.median(every[:, 0])), *every[:, 1:].max(axis=0)]
    return {
        "reference box": lambda rows: box_hypervolume(_values(rows), OBJECTIVES),
        "tight box": lambda rows: hypervolume(_values(rows), list(OBJECTIVES.values()), worst),
    }


def _values(rows: Sequence[Row]) -> list[tuple[float, ...]]:
    return [(row.accuracy, row.costs["average_bits"], row.costs["overhead"]) for row in rows]


def compare(table: Table, repetitions: int) -> list[dict[str, Any]]:
    """Replay every rule; one row each."""
    generator = np.random.default_rng(0)
    known = list(table.rows.values())
    orders = [
        [known[place] for place in generator.choice(len(known), TRIALS, replace=False)] for _ in range(repetitions)
    ]
    measures = volumes(table)
    full = [{name: measure(order) for name, measure in measures.items()} for order in orders]
    rows = []
    for name, (kind, fields) in RULES.items():
        searches = [replay(stopper(kind, fields), table, order) for order in orders]
        row: dict[str, Any] = {
            "rule": name,
            "epochs": statistics.median(search.epochs for search in searches),
            "complete": statistics.median(len(search.complete) for search in searches),
        }
        for box, measure in measures.items():
            shares = [measure(search.complete) / whole[box] for search, whole in zip(searches, full, strict=True)]
            fewer = [
                measure(order[: round(search.epochs * TRIALS)]) / whole[box]
                for order, search, whole in zip(orders, searches, full, strict=True)
            ]
            row[box] = statistics.median(shares)
            row[f"{box}, worst tenth"] = float(np.quantile(shares, 0.1))
            row[f"{box}, same epochs unstopped"] = statistics.median(fewer)
        rows.append(row)
        print(results.table([row]).splitlines()[-1], flush=True)
    return rows


def main() -> None:
    """Compare, and write the report if the table is the packed one."""
    options = argparse.ArgumentParser()
    options.add_argument("--raw", type=Path)
    options.add_argument("--repetitions", type=int, default=REPETITIONS)
    given = options.parse_args()
    table = Table.packed() if given.raw is None else Table.raw(given.raw)
    rows = compare(table, given.repetitions)
    if given.raw is None:
        figures = {"configurations": len(table), "trials": TRIALS, "repetitions": given.repetitions, "rows": rows}
        results.write("stopping", "Early stopping", figures, text=str(__doc__).split("\n\n")[-1].strip())


if __name__ == "__main__":
    main()
