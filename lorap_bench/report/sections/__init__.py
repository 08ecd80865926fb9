"""The sections of a report, one a file, each made from a study's material alone."""

from __future__ import annotations

from lorap_bench.report.sections.order import sections

__all__ = ["sections"]
