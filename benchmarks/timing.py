"""Fair timing: contestants in turns (A B A B …), process CPU time, medians with their spread."""

from __future__ import annotations

import json
import platform
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from rich.console import Console
from rich.table import Table

from lorap_bench import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Timing", "as_row", "interleave", "report", "timing"]

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one contestant: the median of its rounds, and (max - min) / median."""

    median: float
    spread: float
    rounds: int


def interleave(contestants: dict[str, Callable[[], None]], *, rounds: int = 7, repeats: int = 5) -> dict[str, Timing]:
    """Time every contestant in turn, round after round.

    Args:
        contestants: name → one unit of work.
        rounds: how often each gets its turn; the first turn warms up and is not counted.
        repeats: units of work a turn; a turn's time is their mean.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, work in contestants.items():
            start = time.process_time()
            for _ in range(repeats):
                work()
            if turn:
                seconds[name].append((time.process_time() - start) / repeats)
    return {name: timing(values) for name, values in seconds.items()}


def report(name: str, rows: list[dict[str, Any]]) -> None:
    """Print the rows as a table and store them with what they were measured on."""
    table = Table(title=name)
    for column in rows[0]:
        table.add_column(column, justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=120).print(table)
    RESULTS.mkdir(exist_ok=True)
    measured = {
        "benchmark": name,
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "lorap-bench": __version__},
        "rows": rows,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")


def as_row(timing: Timing) -> dict[str, float | int]:
    """Return a timing in milliseconds, for a table."""
    return {"median ms": 1e3 * timing.median, "spread": timing.spread, "rounds": asdict(timing)["rounds"]}


def timing(values: list[float]) -> Timing:
    """Return the median of some measurements and their spread."""
    median = statistics.median(values)
    return Timing(median, (max(values) - min(values)) / median, len(values))


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()
