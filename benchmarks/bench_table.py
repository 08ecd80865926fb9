"""The table of goals: every measure beside its straightforward contestant, in one run.

Contestants take turns in one process: CPU time, medians, one thread, an allocator that keeps its memory. A cohort
of ours has ten members and its figure is per member; REDDIT-BINARY's has one. A full run of five rounds or more is
stored in ``results/table.json`` and ``results/table.md``. Needs Cora and REDDIT-BINARY (a raw-data mirror or the
network).
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.environment import start_again_with_settings

if TYPE_CHECKING:
    from benchmarks.table import Row

FEWEST_ROUNDS = 5


def main() -> None:
    """Measure the chosen rows, print them, and store a full run."""
    start_again_with_settings("benchmarks.bench_table")
    import torch

    from benchmarks.table import Settings, choose
    from lorap_bench.errors import LorapBenchError

    asked = _arguments()
    torch.set_num_threads(1)
    settings = Settings(rounds=1, repeats=1) if asked.quick else Settings(rounds=asked.rounds)
    try:
        chosen = choose(asked.rows)
    except LorapBenchError as error:
        sys.exit(str(error))
    rows = []
    for goal, measure in chosen:
        start = time.perf_counter()
        rows.append(measure(goal, settings))
        print(f"{goal.name}: {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
    _print(rows)
    if asked.rows or settings.rounds < FEWEST_ROUNDS:
        print(f"not stored: only a run of all rows and {FEWEST_ROUNDS} rounds or more is")
    else:
        _store(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_table", description=__doc__)
    parser.add_argument("--rows", nargs="+", default=[], metavar="NAME", help="only these rows, or groups of rows: dq")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="turns of each contestant")
    parser.add_argument("--quick", action="store_true", help="one turn of one unit of work: checks, does not measure")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error(f"--rounds: at least 1, got {asked.rounds}")
    return asked


def _print(rows: list[Row]) -> None:
    table = Table(title="table")
    cells = [row.cells() for row in rows]
    for column in cells[0]:
        table.add_column(column, justify="left" if column == "measure" else "right")
    for row in cells:
        table.add_row(*row.values())
    Console(width=140).print(table)


def _store(rows: list[Row]) -> None:
    from benchmarks.timing import RESULTS, store

    store("table", [row.record() for row in rows])
    (RESULTS / "table.md").write_text(markdown(rows), encoding="utf-8")


def markdown(rows: list[Row]) -> str:
    """Return the table with the machine it was measured on."""
    from benchmarks.timing import machine
    from lorap_bench.kernels.backend import kernels

    facts = machine()
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    measured_on = (
        f"Written by `python -m benchmarks.bench_table`: {facts['processor']}, {facts['cores']} cores, "
        f"{facts['memory GiB']} GiB, {facts['device']}; {versions}; {kernels().name} backend, one thread. "
        "CPU time, medians of turns; ours per member of a cohort of ten (REDDIT-BINARY: of one)."
    )
    cells = [row.cells() for row in rows]
    lines = [
        "# Where we stand",
        "",
        measured_on,
        "",
        "| " + " | ".join(cells[0]) + " |",
        "|" + "".join(" --- |" if column == "measure" else " ---: |" for column in cells[0]),
        *("| " + " | ".join(row.values()) + " |" for row in cells),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
