"""Where Optuna meets training: ask, answer, tell; the forecast before and the confirmation after."""

from __future__ import annotations

from lorap_bench.search.confirm import Bench, confirm, front
from lorap_bench.search.loop import Broker, Job, StudyFailed
from lorap_bench.search.plan import Plan, check
from lorap_bench.search.sampler import SAMPLERS, make_sampler

__all__ = ["SAMPLERS", "Bench", "Broker", "Job", "Plan", "StudyFailed", "check", "confirm", "front", "make_sampler"]
