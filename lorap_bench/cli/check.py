"""``lorap-bench check``: what a study file means and will cost; runs nothing."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lorap_bench.cli.budget import rules, with_extension
from lorap_bench.cli.options import Json, RawMirror, Runs, Settings, StudyOrName, use_mirror
from lorap_bench.cli.screen import counted, number, print_json, print_table
from lorap_bench.cli.wiring import read_study, task_shape

if TYPE_CHECKING:
    from lorap_bench.search.plan import Plan
    from lorap_bench.study.extension import Extension
    from lorap_bench.study.spec import StudySpec

EXAMPLE = "Example: lorap-bench check studies/quickstart.toml"
SCHEMA_VERSION = 1


def check(
    study: StudyOrName,
    settings: Settings = None,
    runs: Runs = Path("runs"),
    raw_mirror: RawMirror = None,
    as_json: Json = False,
) -> None:
    """Check a study and print its space's size, the range of its costs and a forecast; run nothing."""
    use_mirror(raw_mirror)
    from lorap_bench.search.plan import check as planned
    from lorap_bench.study.extension import Extension, extended

    found = read_study(study, settings or (), runs)
    folder = found.folder
    by = folder.manifest.extension if folder else Extension()
    spec = extended(found.spec, by)
    plan = planned(spec, task_shape(spec), folder.records() if folder else [])
    if as_json:
        budget = {**spec.budget.model_dump(exclude_none=True), "extension": by.to_mapping()}
        print_json({"schema_version": SCHEMA_VERSION, "name": spec.name, **asdict(plan), "budget": budget})
    else:
        _show(spec, plan, by)


def _show(spec: "StudySpec", plan: "Plan", by: "Extension") -> None:
    points = "infinitely many" if plan.size is None else f"{plan.size:,}"
    trials = with_extension(plan.trials, by.trials) + " trial" + ("" if plan.trials == 1 else "s")
    epochs = counted(plan.member_epochs, "epoch")
    how = "every point" if plan.exact else f"{plan.looked_at:,} points drawn evenly"
    rows = [
        ["parameters", f"{len(spec.space)}"],
        ["points", points],
        ["looked at", how],
        ["infeasible", _share(plan.infeasible, plan.reasons)],
        ["repeated configurations", f"{plan.duplicates:.1%} of the feasible points"],
        ["clamped prompt rank", f"{plan.clamped:.1%} of the points that make a configuration"],
        *([name, f"{number(low)} to {number(high)}"] for name, (low, high) in plan.ranges.items()),
        ["budget", ", ".join((trials, counted(plan.members, "training"), epochs))],
        *_ends(spec, by),
        *rules(spec),
        *([["trained together", f"up to {counted(plan.together, 'trial')} of equal shapes"]] * (plan.together > 1)),
        ["confirmation", f"{counted(plan.confirm_members, 'seed')} for each front trial and its baselines"],
        ["time left", _time(plan)],
    ]
    print_table([spec.name, ""], rows)


def _ends(spec: "StudySpec", by: "Extension") -> list[list[str]]:
    """Say which limits may end the search before its trials are spent."""
    words = {"epochs": "epochs", "gpu_hours": "GPU hours", "hours": "hours"}
    found = {name: getattr(spec.budget, name) for name in words}
    limited = {name: limit for name, limit in found.items() if limit is not None}
    told = [f"{with_extension(limit, getattr(by, name))} {words[name]}" for name, limit in limited.items()]
    return [["ends sooner after", " or ".join(told)]] if told else []


def _share(share: float, reasons: dict[str, int]) -> str:
    broken = ", ".join(f"{name} by {count}" for name, count in reasons.items())
    return f"{share:.1%}" + (f" (broken: {broken})" if broken else "")


def _time(plan: "Plan") -> str:
    if plan.seconds is None:
        return "not known before the first trial"
    return f"{plan.seconds:.0f} s, one trial after another (from {counted(plan.measured, 'trial')})"
