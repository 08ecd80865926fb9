"""Peak memory of training one epoch on Cora by the number of members, each cell in a process of its own."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

from benchmarks.bench_epoch import cohort_epoch
from benchmarks.timing import report
from lorap_bench.config import TaskConfig
from lorap_bench.data.load import load_task

MEMBERS = (1, 11, 21)


def cell(hidden: int, members: int) -> float:
    """Return the peak resident memory in MiB of a process that trains three epochs."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.bench_memory", str(hidden), str(members)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603  # this file


def main() -> None:
    """Measure and report; with two arguments, be one cell."""
    if len(sys.argv) == 3:
        task = load_task(TaskConfig(dataset="Cora"))
        epoch = cohort_epoch(task, hidden=int(sys.argv[1]), members=int(sys.argv[2]))
        for _ in range(3):
            epoch()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    rows: list[dict[str, Any]] = []
    for hidden in (16, 64):
        peaks = [cell(hidden, members) for members in MEMBERS]
        for members, peak in zip(MEMBERS, peaks, strict=True):
            each = (peak - peaks[0]) / (members - MEMBERS[0]) if members > MEMBERS[0] else "-"
            rows.append({"hidden": hidden, "members": members, "peak MiB": peak, "MiB an extra member": each})
    report("memory", rows)


if __name__ == "__main__":
    main()
