"""From a stored study to pages and tables, without torch: summary, figures, page, export."""

from __future__ import annotations

from lorap_bench.report.export import export
from lorap_bench.report.page import write_report
from lorap_bench.report.table import Summary, summarise, trial_rows

__all__ = ["Summary", "export", "summarise", "trial_rows", "write_report"]
