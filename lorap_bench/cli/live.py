"""A study at a glance, as wide as the terminal is: states, budget, front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lorap_bench.cli.budget import spent_rows
from lorap_bench.cli.screen import counted, number
from lorap_bench.record import Status
from lorap_bench.report.format import seconds_text
from lorap_bench.report.trial import layer_bits, prompt_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lorap_bench.cli.pulse import Pulse
    from lorap_bench.cli.scoreboard import Scoreboard
    from lorap_bench.record import TrialRecord
    from lorap_bench.study.extension import Extension

__all__ = ["FRONT_SHOWN", "glance", "states_text"]

FRONT_SHOWN = 5
_NARROW = 72
_SHOWN = 8
"""Columns below which a trial of the front shows its figures alone."""


def glance(board: Scoreboard, pulse: Pulse, left: float | None, by: Extension, width: int) -> RenderableType:
    """Return where a study stands, to be drawn again and again.

    Args:
        board: what it has reached.
        pulse: what is under way and spent.
        left: seconds until its budget is spent; None: not known.
        by: by how much the budget was extended.
        width: of the terminal, in columns.
    """
    spec = board.spec
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    bar = ProgressBar(total=spec.budget.trials, completed=pulse.spent.trials, width=max(10, min(40, width - 20)))
    facts.add_row(spec.name, bar)
    facts.add_row("trials", states_text(board))
    facts.add_row("budget", " · ".join(spent_rows(spec, pulse.spent, by)))
    facts.add_row("now", _now(pulse, left))
    front = f"{counted(len(board.front), 'trial')}, hypervolume {board.hypervolume:.4f}"
    facts.add_row("front", front)
    return Group(facts, _front(board, wide=width >= _NARROW)) if board.front else facts


def states_text(board: Scoreboard) -> str:
    """Say how many trials ended how, and of those that did not end well why the last one did."""
    quiet = {Status.COMPLETE, Status.DUPLICATE}
    parts = []
    for status in Status:
        if count := board.states[status]:
            reason = board.reasons.get(status, "") if status not in quiet else ""
            words = status.value.replace("_", " ")
            parts.append(f"{count:,} {words}" + (f" ({reason})" if reason else ""))
    return " · ".join(parts) or "none yet"


def _now(pulse: Pulse, left: float | None) -> str:
    if not pulse.driven:
        return "the budget is spent" if left == 0 else "nobody drives the study"
    if left == 0 and not pulse.running:
        return "the budget is spent"
    told = f"{counted(pulse.running, 'trial')} under way{_which(pulse.trials)}"
    if left is None:
        return told
    return f"{told} · {'about' if pulse.spent.trials else 'at most'} {seconds_text(round(left))} left"


def _which(trials: tuple[int, ...]) -> str:
    """Say which trials are under way, as many as there is room for."""
    if not trials:
        return ""
    shown = ", ".join(str(number) for number in trials[:_SHOWN])
    return f" ({shown}, …)" if len(trials) > _SHOWN else f" ({shown})"


def _front(board: Scoreboard, *, wide: bool) -> Table:
    """Return the best of the front by the first objective: figures and, where there is room, what they are of."""
    names = list(board.spec.objectives)
    best = sorted(board.front, key=lambda record: _rank(board, record))[:FRONT_SHOWN]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("trial", justify="right", no_wrap=True)
    for name in names:
        table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
    if wide:
        table.add_column("prompt", no_wrap=True, overflow="ellipsis")
        table.add_column("bits by layer", no_wrap=True, overflow="ellipsis")
    for record in best:
        row = [str(record.number), *(number(record.objectives.get(name)) for name in names)]
        table.add_row(*row, *([prompt_text(record), _bits(record)] if wide else []))
    if more := len(board.front) - len(best):
        table.add_row(Text("…"), Text(f"{more} more"))
    return table


def _rank(board: Scoreboard, record: TrialRecord) -> tuple[float, int]:
    from lorap_bench.report.table import directions

    name, way = next(iter(directions(board.spec).items()))
    value = record.objectives.get(name, 0.0)
    return (-value if way == "max" else value), record.number


def _bits(record: TrialRecord) -> str:
    return " ".join(layer_bits(record).values())
