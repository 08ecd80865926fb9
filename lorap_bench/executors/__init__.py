"""Where trials run: in this process (`local`) or on Ray's workers (`ray`, imported only when asked for)."""

from __future__ import annotations

from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Interrupted, Stop, on_signals

__all__ = ["Interrupted", "Stop", "on_signals", "run_local"]
