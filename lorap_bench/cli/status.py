"""``lorap-bench status``: where a study stands, once or as long as it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorap_bench.cli.budget import rules, spent_rows
from lorap_bench.cli.options import Json, Runs, StudyOrName
from lorap_bench.cli.screen import counted, message, number, print_json, print_table
from lorap_bench.cli.wiring import open_study

if TYPE_CHECKING:
    from lorap_bench.cli.follow import Follower
    from lorap_bench.store.look import Look

EXAMPLE = "Example: lorap-bench status studies/quickstart.toml --watch --json"


def status(
    study: StudyOrName,
    runs: Runs = Path("runs"),
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on showing it until the study has ended.")] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.1, metavar="SECONDS", help="Pause between two looks with --watch.")
    ] = 2.0,
    as_json: Json = False,
) -> None:
    """Print a study's trials by state, its budget, its front and its hypervolume. It may be running.

    With --watch a terminal shows a live view; elsewhere, and with --json, there is one line a change.
    Ctrl-C ends the watching, not the study.
    """
    from lorap_bench.cli.follow import Follower

    folder, spec = open_study(study, runs)
    follower = Follower(folder, spec)
    if watch:
        from lorap_bench.cli.watch import watch_study

        watch_study(follower, every, as_json=as_json)
        return
    follower.look()
    summary = follower.summary()
    if as_json:
        print_json(summary)
    else:
        _show(follower, summary)


def _show(follower: "Follower", summary: dict[str, Any]) -> None:
    spec, folder = follower.spec, follower.folder
    first, *others = spent_rows(spec, follower.pulse.spent, folder.manifest.extension)
    told = [["budget", first], *(["", other] for other in others), *rules(spec)]
    told += [[name, str(count)] for name, count in summary["states"].items() if count]
    told.append(["hypervolume", f"{summary['hypervolume']:.4f}"])
    told += [["trials from", text] for text in _origins(follower)]
    if folder.looks.earlier:
        told.append(["looks before", f"{counted(folder.looks.earlier, 'look')} by the studies that these are from"])
    told += [[f"look {look.number} at the test split", _when(look)] for look in folder.looks.all()]
    if follower.pulse.driven and folder.stop_request.exists():
        told.append(["stopping", "what is under way is finished first"])
    print_table([spec.name, ""], told)
    if not summary["front"]:
        message("no front: no feasible trial is complete")
        return
    rows = [
        [str(point["number"]), *(number(point["values"][name]) for name in spec.objectives)]
        for point in summary["front"]
    ]
    print_table(["\nfront trial", *("\n" + name for name in spec.objectives)], rows)


def _origins(follower: "Follower") -> list[str]:
    """Say which studies the first trials are from."""
    return [
        f"{origin.name} ({counted(len(origin.trials), 'trial')}, {sum(origin.left.values())} left behind)"
        for origin in follower.folder.manifest.origins
    ]


def _when(look: "Look") -> str:
    told = f"{look.date}, {counted(len(look.subjects), 'trial')}, {counted(len(look.seeds), 'seed')}"
    return told if look.finished else f"{told}, not finished"
