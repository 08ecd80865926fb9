"""Fair timing: contestants in turns (A B A B …), process CPU time and wall time, medians with their spread."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from rich.console import Console
from rich.table import Table

from lorap_bench import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["RESULTS", "Timing", "as_row", "interleave", "machine", "report", "store", "timing"]

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU seconds of one contestant: the median of its rounds, (max - min) / median; ``wall``: its wall seconds."""

    median: float
    spread: float
    rounds: int
    wall: float | None = None


def interleave(
    contestants: Mapping[str, Callable[[], object]], *, rounds: int = 7, repeats: int = 5
) -> dict[str, Timing]:
    """Time every contestant in turn, round after round.

    Args:
        contestants: name → one unit of work.
        rounds: how often each gets its turn; the first turn warms up and is not counted.
        repeats: units of work a turn; a turn's time is their mean.
    """
    turns: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, work in contestants.items():
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(repeats):
                work()
            if turn:
                turns[name].append(((time.process_time() - cpu) / repeats, (time.perf_counter() - wall) / repeats))
    return {
        name: replace(timing([cpu for cpu, _ in values]), wall=statistics.median(wall for _, wall in values))
        for name, values in turns.items()
    }


def report(name: str, rows: list[dict[str, Any]]) -> None:
    """Print the rows as a table and store them with what they were measured on."""
    table = Table(title=name)
    for column in rows[0]:
        table.add_column(column, justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=120).print(table)
    store(name, rows)


def store(name: str, rows: list[dict[str, Any]]) -> None:
    """Store the rows with what they were measured on."""
    RESULTS.mkdir(exist_ok=True)
    measured = {"benchmark": name, **machine(), "rows": rows}
    (RESULTS / f"{name}.json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """Return what a figure depends on: processor, cores, memory, threads, versions; nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory GiB": round(memory / 2**30),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device",
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "lorap-bench": __version__},
    }


def as_row(timing: Timing) -> dict[str, float | int]:
    """Return a timing in milliseconds, for a table."""
    return {"median ms": 1e3 * timing.median, "spread": timing.spread, "rounds": timing.rounds}


def timing(values: list[float]) -> Timing:
    """Return the median of some measurements and their spread."""
    median = statistics.median(values)
    return Timing(median, (max(values) - min(values)) / median, len(values))


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()
