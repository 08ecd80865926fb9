"""Trials, nothing of search: cohorts, the training loop, records."""

from __future__ import annotations

from lorap_bench.train.cohort import Cohort, Member, cohort_key
from lorap_bench.train.loop import Fitted, Trainee, fit
from lorap_bench.train.trial import Request, run_groups, run_trial, run_trials
from lorap_bench.train.watch import Judge, Watch

__all__ = [
    "Cohort",
    "Fitted",
    "Judge",
    "Member",
    "Request",
    "Trainee",
    "Watch",
    "cohort_key",
    "fit",
    "run_groups",
    "run_trial",
    "run_trials",
]
