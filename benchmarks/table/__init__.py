"""The rows of the benchmark table: ``row`` says what a row is, ``rows`` lists them with their goals."""

from __future__ import annotations

from benchmarks.table.row import Goal, Row, Settings
from benchmarks.table.rows import ROWS, choose

__all__ = ["ROWS", "Goal", "Row", "Settings", "choose"]
