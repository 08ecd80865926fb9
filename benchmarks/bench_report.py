"""What a report of a large study costs, and each export: the whole command, in a process of its own.

The studies are made up: eight parameters, three seeds a trial, forty confirmed trials. Times and memory are those of
``lorap-bench report`` and ``lorap-bench export`` with their imports, the files in the system's cache; a command takes
turns with the others. Stored as ``results/report.json``. Other sizes: ``python -m benchmarks.bench_report 500 2000``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.environment import SETTINGS
from benchmarks.made_up_study import make_up
from benchmarks.timing import report

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 3
FORMS = ("csv", "json", "parquet")
# The last line is the peak of the process alone: what the system tells a parent counts the parent's own memory in.
PROGRAM = """
import pathlib, re
from lorap_bench.cli.main import main
try:
    main()
finally:
    print(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took: seconds of wall and CPU time, MiB of memory at its peak."""

    wall: float
    cpu: float
    peak: float


def cost(arguments: Sequence[str]) -> Cost:
    """Run lorap-bench with arguments in a process of its own, and say what it took.

    Raises:
        RuntimeError: the command failed.
    """
    # As a user has it: without the allocator's settings that trainings are measured under.
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS} | {"OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    command = [sys.executable, "-c", PROGRAM, *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdout is not None
    with process.stdout:
        lines = list(process.stdout)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"lorap-bench {' '.join(arguments)} ended with {process.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, int(lines[-1]) / 1024)


def measured(trials: int, folder: Path, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Measure the report and the exports of one study."""
    name = make_up(folder, trials).root.name
    page = folder / "page"
    outputs = {form: folder / f"trials.{form}" for form in FORMS}
    commands = {"report": ["report", name, "--runs", str(folder), "--out", str(page)]}
    for form, out in outputs.items():
        commands[f"export {form}"] = ["export", name, "--runs", str(folder), "--format", form, "--out", str(out)]
    found: dict[str, list[Cost]] = {command: [] for command in commands}
    for _ in range(rounds):
        for command, arguments in commands.items():
            found[command].append(cost(arguments))
    sizes = {"report": (page / "index.html").stat().st_size}
    sizes |= {f"export {form}": out.stat().st_size for form, out in outputs.items()}
    return [{"trials": trials, "command": name} | _row(costs, sizes[name]) for name, costs in found.items()]


def _row(costs: Sequence[Cost], size: int) -> dict[str, Any]:
    walls = [each.wall for each in costs]
    return {
        "wall s": statistics.median(walls),
        "spread": (max(walls) - min(walls)) / statistics.median(walls),
        "CPU s": statistics.median(each.cpu for each in costs),
        "peak MiB": round(max(each.peak for each in costs)),
        "bytes": size,
        "rounds": len(costs),
    }


def main() -> None:
    """Measure and report."""
    rows = []
    for trials in [int(word) for word in sys.argv[1:]] or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            rows += measured(trials, Path(folder))
    report("report", rows)


if __name__ == "__main__":
    main()
