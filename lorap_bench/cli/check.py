"""``lorap-bench check``: what a study file means and will cost; runs nothing."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lorap_bench.cli.options import Json, RawMirror, Runs, Settings, StudyFile, use_mirror
from lorap_bench.cli.screen import counted, number, print_json, print_table
from lorap_bench.cli.wiring import catalog, finished_records, task_shape

if TYPE_CHECKING:
    from lorap_bench.search.plan import Plan
    from lorap_bench.study.spec import StudySpec

EXAMPLE = "Example: lorap-bench check studies/quickstart.toml"
SCHEMA_VERSION = 1


def check(
    study: StudyFile,
    settings: Settings = None,
    runs: Runs = Path("runs"),
    raw_mirror: RawMirror = None,
    as_json: Json = False,
) -> None:
    """Check a study file and print its space's size, the range of its costs and a forecast."""
    use_mirror(raw_mirror)
    from lorap_bench.search.plan import check as planned
    from lorap_bench.study.file import load_study

    spec = load_study(study, catalog=catalog(), overrides=settings or ())
    plan = planned(spec, task_shape(spec), finished_records(spec, runs))
    if as_json:
        print_json({"schema_version": SCHEMA_VERSION, "name": spec.name, **asdict(plan)})
    else:
        _show(spec, plan)


def _show(spec: "StudySpec", plan: "Plan") -> None:
    points = "infinitely many" if plan.size is None else f"{plan.size:,}"
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
        ["budget", ", ".join((counted(plan.trials, "trial"), counted(plan.members, "training"), epochs))],
        *([["trained together", f"up to {counted(plan.together, 'trial')} of equal shapes"]] * (plan.together > 1)),
        ["confirmation", f"{counted(plan.confirm_members, 'seed')} for each front trial and its baselines"],
        ["time left", _time(plan)],
    ]
    print_table([spec.name, ""], rows)


def _share(share: float, reasons: dict[str, int]) -> str:
    broken = ", ".join(f"{name} by {count}" for name, count in reasons.items())
    return f"{share:.1%}" + (f" (broken: {broken})" if broken else "")


def _time(plan: "Plan") -> str:
    if plan.seconds is None:
        return "not known before the first trial"
    return f"{plan.seconds:.0f} s, one trial after another (from {counted(plan.measured, 'trial')})"
