"""``lorap-bench status``: where a study stands."""

from pathlib import Path
from typing import TYPE_CHECKING

from lorap_bench.cli.drive import told_budget
from lorap_bench.cli.options import Json, Runs, StudyOrName
from lorap_bench.cli.screen import counted, message, number, print_json, print_table
from lorap_bench.cli.wiring import open_study

if TYPE_CHECKING:
    from lorap_bench.store.look import Look

EXAMPLE = "Example: lorap-bench status studies/quickstart.toml --json"


def status(study: StudyOrName, runs: Runs = Path("runs"), as_json: Json = False) -> None:
    """Print a study's trials by state, its front and its hypervolume. It may be running."""
    from lorap_bench.report.look import look_entry
    from lorap_bench.report.table import summarise

    folder, spec = open_study(study, runs)
    running = 0
    if folder.driven:
        from lorap_bench.search.trials import count_running

        running = count_running(folder)
    summary = summarise(spec, folder.records(), folder.confirmations(), running).to_mapping()
    looks = folder.looks.all()
    if as_json:
        print_json(summary | {"looks": [look_entry(look) for look in looks]})
        return
    states = [[name, str(count)] for name, count in summary["states"].items() if count]
    budget = summary["budget"]
    told = [["budget", told_budget(budget["counted"], budget["trials"])], *states]
    told.append(["hypervolume", f"{summary['hypervolume']:.4f}"])
    told += [[f"look {look.number} at the test split", _when(look)] for look in looks]
    print_table([spec.name, ""], told)
    if not summary["front"]:
        message("no front: no feasible trial is complete")
        return
    rows = [
        [str(point["number"]), *(number(point["values"][name]) for name in spec.objectives)]
        for point in summary["front"]
    ]
    print_table(["\nfront trial", *("\n" + name for name in spec.objectives)], rows)


def _when(look: "Look") -> str:
    told = f"{look.date}, {counted(len(look.subjects), 'trial')}, {counted(len(look.seeds), 'seed')}"
    return told if look.finished else f"{told}, not finished"
