"""Where words go: data to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from lorap_bench.errors import LorapBenchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.table import Column

__all__ = ["counted", "message", "number", "print_json", "print_path", "print_table", "print_text", "stderr"]


def stderr() -> Console:
    """Return a console on today's stderr (rich heeds NO_COLOR and knows a terminal from a file)."""
    return Console(file=sys.stderr, highlight=False)


def message(text: str) -> None:
    """Print a message for the reader on stderr, as it is."""
    typer.echo(text, err=True)


def print_text(text: str, *, end: str = "\n") -> None:
    """Print text on stdout as it is.

    Raises:
        LorapBenchError: stdout does not take it.
    """
    with _stdout():
        typer.echo(text + end, nl=False)


def print_json(value: Any) -> None:
    """Print plain values as JSON on stdout."""
    print_text(json.dumps(value, indent=2, allow_nan=False))


def print_path(label: str, path: Path) -> None:
    """Print a path on stdout, and its label on stderr: on one line where both are a terminal."""
    one_line = sys.stdout.isatty() and sys.stderr.isatty()
    typer.echo(f"{label}: " if one_line else f"{label}:", err=True, nl=not one_line)
    print_text(str(path))


def print_table(columns: Sequence[str | Column], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Print a table on stdout; where that is no terminal, no line is cut."""
    table = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = 10_000
    with _stdout():
        console.print(table, no_wrap=not console.is_terminal, crop=False)


def number(value: float | None) -> str:
    """Write a number with four significant digits, and a missing one as a dash."""
    return "–" if value is None else f"{value:.4g}"


def counted(count: int, noun: str) -> str:
    """Write how many there are of something whose plural takes an s."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


@contextmanager
def _stdout() -> Iterator[None]:
    """Turn what stdout refuses (a full disk) into a clear error; a closed pipe is the reader's wish and stays quiet."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # Else the rest would be flushed, and fail again, at exit.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        raise LorapBenchError(f"cannot write: {error.strerror}", where="stdout") from error
