"""Where words go: data to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["message", "number", "print_json", "print_table", "stderr"]


def stderr() -> Console:
    """Return a console on today's stderr (rich heeds NO_COLOR and knows a terminal from a file)."""
    return Console(file=sys.stderr, highlight=False)


def message(text: str) -> None:
    """Print a message for the reader on stderr, as it is."""
    typer.echo(text, err=True)


def print_json(value: Any) -> None:
    """Print plain values as JSON on stdout."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Print a table on stdout; where that is no terminal, no line is cut."""
    table = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console = Console(file=sys.stdout, highlight=False)
    console.print(table, width=None if console.is_terminal else 10_000, no_wrap=not console.is_terminal, crop=False)


def number(value: float | None) -> str:
    """Write a number with four significant digits, and a missing one as a dash."""
    return "–" if value is None else f"{value:.4g}"
