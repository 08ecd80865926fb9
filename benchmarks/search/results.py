"""Where the figures of searches go: JSON with what they were measured on, and tables to read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.timing import machine

__all__ = ["REPORTS", "table", "write"]

REPORTS = Path(__file__).parents[2] / "reports" / "search"


def write(name: str, title: str, figures: dict[str, Any], *, text: str = "", options: str = "") -> None:
    """Write ``reports/search/<name>.json`` and ``.md``; the rows of ``figures`` are the page's table.

    ``options`` are those that the command was given and needs, to make the same again.
    """
    REPORTS.mkdir(parents=True, exist_ok=True)
    measured = {"benchmark": name, **machine(), **figures}
    (REPORTS / f"{name}.json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    parts = [
        f"# {title}",
        f"`python -m benchmarks.search.{name}{options and ' ' + options}`",
        text,
        table(figures["rows"]),
    ]
    (REPORTS / f"{name}.md").write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")


def table(rows: list[dict[str, Any]]) -> str:
    """Return rows as a Markdown table."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
