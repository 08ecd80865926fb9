"""A bar of epochs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lorap_bench.cli.screen import stderr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["epochs"]


@contextmanager
def epochs(total: int, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """Show a bar of epochs in a terminal, which goes away at the end."""
    console = stderr()
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("epoch", total=total)
        yield lambda epoch: bar.update(task, completed=epoch)
