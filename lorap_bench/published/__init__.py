"""What papers report, with where each figure stands and how it was measured, and how ours compare."""

from __future__ import annotations

from lorap_bench.published.result import Definition, Metric, Protocol, PublishedResult, Reliability
from lorap_bench.published.setting import Setting
from lorap_bench.published.table import published
from lorap_bench.published.verdict import Judgement, Verdict, verdict

__all__ = [
    "Definition",
    "Judgement",
    "Metric",
    "Protocol",
    "PublishedResult",
    "Reliability",
    "Setting",
    "Verdict",
    "published",
    "verdict",
]
