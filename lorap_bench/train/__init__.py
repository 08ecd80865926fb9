"""One trial, nothing of search: cohorts, the training loop, records."""

from lorap_bench.train.cohort import Cohort, Member, cohort_key
from lorap_bench.train.loop import Fitted, Trainee, fit
from lorap_bench.train.trial import run_trial

__all__ = ["Cohort", "Fitted", "Member", "Trainee", "cohort_key", "fit", "run_trial"]
