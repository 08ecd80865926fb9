"""``lorap-bench suite``: every cell of a benchmark table, trained once and kept; the same command goes on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from lorap_bench.cli.engine import Address, Cpus, Engine, Executor, Gpus, Where, Workers
from lorap_bench.cli.group import INTERRUPTED
from lorap_bench.cli.options import Backend, Device, Json, Quiet, RawMirror, Runs, compute_with, use_mirror
from lorap_bench.cli.run import FAILED, announce
from lorap_bench.cli.screen import counted, message, print_json, print_path, print_table
from lorap_bench.cli.wiring import catalog

if TYPE_CHECKING:
    from lorap_bench.suite.sitting import Sitting

EXAMPLE = "Example: lorap-bench suite studies/suites/tiny.toml --only dataset=Digits,scheme=A2Q --dry-run"


def suite(
    file: Annotated[Path, typer.Argument(metavar="SUITE", help="Suite file (TOML).", show_default=False)],
    runs: Runs = Path("runs"),
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="AXIS=VALUE,…",
            help="Run only these cells; an axis given again adds a value.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the cells and forecast their time; run nothing.")
    ] = False,
    raw_mirror: RawMirror = None,
    backend: Backend = None,
    device: Device = None,
    executor: Where = Executor.LOCAL,
    address: Address = None,
    workers: Workers = None,
    cpus: Cpus = 1.0,
    gpus: Gpus = 0.0,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write the report at the end.")] = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the cells of a suite that are not finished, and write its table and its report.

    Ctrl-C finishes what is in training, saves and stops; a second one leaves it, and it runs again next time.
    However the run ends, no finished training is lost.
    """
    use_mirror(raw_mirror)
    compute_with(backend, device)
    from lorap_bench.suite.file import load_suite
    from lorap_bench.suite.sitting import open_sitting

    sitting = open_sitting(load_suite(file, catalog=catalog()), runs, only or ())
    if dry_run:
        _show(sitting, as_json=as_json)
        return
    datasets = tuple(dict.fromkeys(cell.config.task.dataset for cell in sitting.plan.cells))
    engine = Engine(executor, address, workers, cpus, gpus, datasets)
    complete = _run(sitting, engine, quiet=quiet)
    page = _report(sitting) if report else None
    if as_json:
        _show(sitting, as_json=True)
    else:
        print_path("table", sitting.folder.root / "table.csv")
        if page is not None:
            print_path("report", page)
    if not complete:
        message("saved; the same command goes on from here")
        raise typer.Exit(INTERRUPTED)
    failed = sum(sitting.results[cell.key].failed for cell in sitting.plan.cells)
    if failed:
        message(f"{counted(failed, 'cell')} with failed trainings; the table gives the reasons")
        raise typer.Exit(FAILED)


def _run(sitting: "Sitting", engine: Engine, *, quiet: bool) -> bool:
    """Run what is left of a sitting; return whether nothing is left."""
    from lorap_bench.cli.suite_progress import SuiteProgress
    from lorap_bench.executors.stop import Stop, on_signals
    from lorap_bench.suite.run import Audience

    with on_signals(Stop(announce)) as stop, SuiteProgress(sitting, quiet=quiet) as show:
        audience = Audience(show.on_cell, show.on_pack)
        return sitting.run(lambda desk: engine.run(desk, stop, show.on_epoch), audience, on_note=message)


def _report(sitting: "Sitting") -> Path:
    """Write the report of what is finished into the suite's folder; return its page."""
    from lorap_bench.suite.report import report_suite

    return report_suite(sitting.folder, sitting.folder.root / "report", on_note=message)


def _show(sitting: "Sitting", *, as_json: bool) -> None:
    """Print where the chosen cells stand, and how long those that are left will train."""
    from lorap_bench.cli.suite_progress import told_forecast
    from lorap_bench.suite.forecast import forecast

    found = sitting.summary()
    if as_json:
        print_json(found)
        return
    rows = [[*line["axes"].values(), len(line["replicas"]), line["state"], line["reason"]] for line in found["cells"]]
    columns = [*sitting.spec.axes, "trainings", "", ""]
    print_table(columns, [[escape(str(text)) for text in row] for row in rows], title=found["name"])
    states = ", ".join(f"{count} {state}" for state, count in found["states"].items() if count)
    message("; ".join(filter(None, [states, told_forecast(forecast(sitting.plan, sitting.results))])))
