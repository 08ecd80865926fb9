"""A suite of few short cells, a sitting at it that truly dies where it should, and what two tables must agree in."""

from __future__ import annotations

import csv
import io
import itertools
import os
import signal
from typing import TYPE_CHECKING, Any

import pandas as pd

from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.store import atomic
from lorap_bench.suite import tables
from lorap_bench.suite.run import Audience
from lorap_bench.suite.table import RUN
from lorap_bench.train.trial import run_groups

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.result import CellResult
    from lorap_bench.suite.sitting import Sitting


SUITE = """
version = 1
name = "few"
description = "Few short cells."
[model]
hidden = 4
layers = 1
[quant]
groups = 20
lr_bits = 1.0
[optim]
epochs = 2
[axes]
scheme = ["QAT", "A2Q"]
prompt = ["None", "LoRAP"]
[replicas]
seeds = 2
"""


def run(sitting: Sitting, stop: Stop | None = None, on_cell: Callable[[Cell, CellResult], None] | None = None) -> bool:
    """Run what is left, unheard."""
    heard = Audience(on_cell or (lambda cell, result: None), lambda cell, jobs: None)
    return sitting.run(lambda desk: run_local(desk, run_groups, stop or Stop()), heard, on_note=lambda note: None)


def run_killed(sitting: Sitting, *, write: int = -1, epoch: int = -1) -> None:
    """Run in a process of its own, which is killed before a write or before an epoch (both counted over the run)."""
    child = os.fork()
    if child == 0:
        _arm(write)
        epochs = itertools.count()

        def die_at_last(_: int) -> None:
            if next(epochs) == epoch:
                _die()

        unheard = Audience(lambda cell, result: None, lambda cell, jobs: None)
        sitting.run(lambda desk: run_local(desk, run_groups, Stop(), on_epoch=die_at_last), unheard, print)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def _arm(at: int) -> None:
    counter, write_bytes = itertools.count(), atomic.write_bytes

    def guarded(path: Path, data: bytes) -> None:
        if next(counter) == at:
            path.with_name(f".{path.name}.0.tmp").write_bytes(data[: len(data) // 2])
            _die()
        write_bytes(path, data)

    vars(atomic)["write_bytes"] = guarded
    vars(tables)["write_bytes"] = guarded


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def comparable(folder: Path) -> tuple[str, pd.DataFrame]:
    """Return the CSV as text and the Parquet table, without the columns that may differ between two runs."""
    rows = list(csv.reader(io.StringIO((folder / "table.csv").read_text(encoding="utf-8"))))
    first = next(place for place, name in enumerate(rows[0]) if name.startswith(RUN))
    assert all(name.startswith(RUN) for name in rows[0][first:])
    text: Any = io.StringIO()
    csv.writer(text).writerows(row[:first] for row in rows)
    table = pd.read_parquet(folder / "table.parquet")
    return text.getvalue(), table[[name for name in table.columns if not name.startswith(RUN)]]
