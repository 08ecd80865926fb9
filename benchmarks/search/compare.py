"""Studies of one question side by side: what each spent and what front it has.

`python -m benchmarks.search.compare RUNS NAME…` reads finished studies from a folder of runs and writes
``reports/search/compare.json`` and ``.md``. The last column is what the last study named had when its trials, in their
order, had taken as many epochs.
"""

from __future__ import annotations

import shlex
import sys
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.search.results import write
from lorap_bench.metric import Metric
from lorap_bench.record import Status
from lorap_bench.stats.front import box_hypervolume, front_mask
from lorap_bench.store.folder import StudyFolder
from lorap_bench.study.spec import objectives_of

if TYPE_CHECKING:
    from lorap_bench.record import TrialRecord

OBJECTIVES = objectives_of(Metric.ACCURACY)


def main() -> None:
    """Read the studies and write the table."""
    runs, *names = sys.argv[1:]
    studies = {name: StudyFolder.open(Path(runs), name).records() for name in names}
    rows = [_row(name, records) | _beside(records, studies[names[-1]]) for name, records in studies.items()]
    write(
        "compare",
        "A study with and without early stopping",
        {"rows": rows},
        text=_TEXT,
        options=shlex.join(["runs", *names]),
    )


_TEXT = (
    "240 trials of three seeds on two Ray workers, `studies/cora-stopping.toml`, with rungs and without. Run beside "
    "other work: seconds are of training alone, and only roughly comparable."
)


def _row(name: str, records: list[TrialRecord]) -> dict[str, Any]:
    values = _values(records)
    return {
        "study": name,
        "complete": sum(record.status is Status.COMPLETE for record in records),
        "pruned": sum(record.status is Status.PRUNED for record in records),
        "epochs": sum(_epochs(record) for record in records),
        "seconds of training": round(sum(record.seconds for record in records)),
        "front": int(front_mask(values, list(OBJECTIVES.values())).sum()),
        "hypervolume": round(box_hypervolume(values, OBJECTIVES), 4),
    }


def _beside(records: list[TrialRecord], unstopped: list[TrialRecord]) -> dict[str, Any]:
    spent = sum(_epochs(record) for record in records)
    reached = list(accumulate(_epochs(record) for record in unstopped))
    first = [record for record, epochs in zip(unstopped, reached, strict=True) if epochs <= spent]
    return {"unstopped, as many epochs": round(box_hypervolume(_values(first), OBJECTIVES), 4)}


def _values(records: list[TrialRecord]) -> list[list[float]]:
    done = [record for record in records if record.status is Status.COMPLETE and record.feasible]
    return [[record.objectives[name] for name in OBJECTIVES] for record in done]


def _epochs(record: TrialRecord) -> int:
    return sum(member.epochs for member in record.members)


if __name__ == "__main__":
    main()
