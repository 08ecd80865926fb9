"""Watch a study until it has ended: a live view in a terminal, elsewhere one line a change."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.live import Live

from lorap_bench.cli.budget import told_budget
from lorap_bench.cli.group import INTERRUPTED
from lorap_bench.cli.live import glance
from lorap_bench.cli.screen import message, print_text

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from lorap_bench.cli.follow import Follower

__all__ = ["watch_study"]

_CLOCKS = ("limits",)
"""What goes on changing although nothing happens: hours pass."""


def watch_study(follower: Follower, every: float, *, as_json: bool) -> None:
    """Show a study again and again, until it has ended or its driver has gone.

    Args:
        follower: the study.
        every: seconds between two looks.
        as_json: whether to print one JSON document a line, whatever stdout is.

    Raises:
        Exit: the user has seen enough.
    """
    console = Console(file=sys.stdout, highlight=False)
    live = Live(console=console, auto_refresh=False) if console.is_terminal and not as_json else None
    held: AbstractContextManager[Any] = live if live is not None else nullcontext()
    try:
        with held:
            end = _go_on(follower, every, live, as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    message(f"{follower.spec.name}: {end}")


def _go_on(follower: Follower, every: float, live: Live | None, *, as_json: bool) -> str:
    """Look and show until there is an end; return why it is one."""
    shown, met = "", False
    while True:
        fresh = follower.look()
        if live is not None:
            by = follower.folder.manifest.extension
            drawn = glance(follower.board, follower.pulse, follower.left, by, live.console.width)
            live.update(drawn, refresh=True)
        else:
            summary = follower.summary()
            state = json.dumps({name: value for name, value in summary.items() if name not in _CLOCKS})
            if state != shown:
                print_text(json.dumps(summary, allow_nan=False) if as_json else _line(follower))
                sys.stdout.flush()
            shown = state
        if not follower.pulse.driven and not fresh:
            if follower.over:
                return f"finished, {follower.over}"
            if met:
                return "its driver has gone; `lorap-bench run` goes on"
        met = met or follower.pulse.driven
        time.sleep(every)


def _line(follower: Follower) -> str:
    spent = told_budget(follower.pulse.spent.trials, follower.spec.budget.trials)
    return f"{spent} · {follower.pulse.running} under way · {follower.board}"
