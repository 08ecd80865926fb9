"""From a stored study to pages and tables, without torch: summary, figures, page, export."""

from __future__ import annotations

from lorap_bench.report.export import export
from lorap_bench.report.table import Summary, summarise, trial_rows
from lorap_bench.report.write import write_report

__all__ = ["Summary", "export", "summarise", "trial_rows", "write_report"]
