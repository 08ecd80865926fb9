"""Peak memory of training one epoch on Cora by the number of members, each cell in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import ours
from benchmarks.timing import report
from lorap_bench.config import QuantConfig

MEMBERS = (1, 11, 21)
_CELL = "cell"


def cell(hidden: int, members: int) -> float:
    """Return the peak resident memory in MiB of a process that trains three epochs."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.bench_memory", _CELL, str(hidden), str(members)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603  # this file


def peak() -> float:
    """Return the peak resident memory of this process in MiB.

    Not ``getrusage``: a child's begins at what its parent had when it was started.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return float(line.split()[1]) / 1024


def main() -> None:
    """Measure and report; with ``cell``, a width and a number of members be one cell."""
    if sys.argv[1:2] == [_CELL]:
        trial = ours.config(QuantConfig(bits=4), hidden=int(sys.argv[2]), prompt="LoRAP")
        epoch = ours.epoch(ours.cohort(ours.dataset("Cora"), trial, int(sys.argv[3])))
        for _ in range(3):
            epoch()
        print(peak())
        return
    rows: list[dict[str, Any]] = []
    for hidden in (16, 64):
        sizes = [cell(hidden, members) for members in MEMBERS]
        for members, size in zip(MEMBERS, sizes, strict=True):
            each = (size - sizes[0]) / (members - MEMBERS[0]) if members > MEMBERS[0] else "-"
            rows.append({"hidden": hidden, "members": members, "peak MiB": size, "MiB an extra member": each})
    report("memory", rows)


if __name__ == "__main__":
    main()
