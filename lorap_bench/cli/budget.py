"""A budget in words: what is spent of it, by how much it was extended, and what else limits a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.cli.screen import counted

if TYPE_CHECKING:
    from lorap_bench.search.budget import Spending
    from lorap_bench.study.extension import Extension
    from lorap_bench.study.spec import StudySpec

__all__ = ["limits", "rules", "spent_rows", "told_budget", "with_extension"]

_HOUR = 3600.0
_WORDS = {"epochs": "epoch", "gpu_hours": "GPU hour", "hours": "hour"}


def with_extension(limit: float, by: float) -> str:
    """Write a limit and what was added to it: ``40 + 100``."""
    return f"{limit - by:,.10g} + {by:,.10g}" if by else f"{limit:,.10g}"


def told_budget(spent: int, trials: int, by: int = 0) -> str:
    """Say how many trials of a budget are spent; one that was lowered afterwards may be overspent."""
    if spent > trials:
        return f"{counted(spent, 'trial')}, of a budget since cut to {with_extension(trials, by)}"
    return f"{spent:,} of {with_extension(trials, by)} trial" + ("" if trials == 1 else "s")


def limits(spec: StudySpec, spent: Spending) -> dict[str, dict[str, float]]:
    """Return limit and spending of epochs, GPU hours and hours, as far as the budget limits them."""
    passed = {"epochs": spent.epochs, "gpu_hours": spent.gpu_seconds / _HOUR, "hours": spent.seconds / _HOUR}
    found = {name: getattr(spec.budget, name) for name in passed}
    return {
        name: {"limit": limit, "spent": passed[name], "left": max(0, limit - passed[name])}
        for name, limit in found.items()
        if limit is not None
    }


def spent_rows(spec: StudySpec, spent: Spending, by: Extension) -> list[str]:
    """Say for each limit of the budget what is spent of it, trials first."""
    rows = [told_budget(spent.trials, spec.budget.trials, by.trials)]
    for name, one in limits(spec, spent).items():
        limit = with_extension(spec.budget.model_dump()[name], getattr(by, name))
        passed = f"{one['spent']:,}" if name == "epochs" else f"{one['spent']:,.2f}"
        rows.append(f"{passed} of {limit} {_WORDS[name]}" + ("" if one["limit"] == 1 else "s"))
    return rows


def rules(spec: StudySpec) -> list[list[str]]:
    """Return rows of what else limits a trial: its time, its screening, early stopping."""
    rows = []
    if spec.budget.trial_seconds is not None:
        rows.append(["longest trial", f"{spec.budget.trial_seconds:g} s; a longer one ends and counts"])
    if spec.replicas.screen is not None and spec.replicas.screen < spec.replicas.search:
        first = f"{spec.replicas.screen} of {counted(spec.replicas.search, 'seed')} first"
        chance = f"the rest where the front is reached with a probability of {spec.replicas.probability:g} or more"
        rows.append(["screening", f"{first}, {chance}"])
    stopping = spec.early_stopping
    if stopping.rule != "none":
        rungs = f"rungs after {counted(stopping.grace_epochs, 'epoch')} and each {stopping.reduction_factor} times more"
        rows.append(["early stopping", f"{stopping.rule}, {rungs}"])
    if stopping.bound:
        rows.append(["early stopping" if stopping.rule == "none" else "", "of what cannot enter the front any more"])
    return rows
