"""From an expected error to one clear message and its exit code; a bug keeps its traceback."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from lorap_bench.cli.screen import message
from lorap_bench.errors import LorapBenchError

__all__ = ["INTERRUPTED", "Guarded"]

INTERRUPTED = 130


class Guarded(TyperGroup):
    """The root command: every verb runs inside its ``invoke``."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb; tell what went wrong on stderr and end with the error's exit code."""
        try:
            return super().invoke(ctx)
        except LorapBenchError as error:
            message(f"error: {error}")
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            message("stopped")
            raise typer.Exit(INTERRUPTED) from error
