"""``lorap-bench run``: search, confirm, report; the same command goes on where it stopped."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorap_bench.cli.drive import Drive
from lorap_bench.cli.engine import Address, Cpus, Engine, Executor, Gpus, Where, Workers
from lorap_bench.cli.group import INTERRUPTED
from lorap_bench.cli.options import (
    Backend,
    Device,
    Quiet,
    RawMirror,
    Runs,
    Settings,
    StudyOrName,
    compute_with,
    use_mirror,
)
from lorap_bench.cli.screen import counted, message, print_path, print_text
from lorap_bench.cli.wiring import read_study, task_shape
from lorap_bench.errors import LorapBenchError

if TYPE_CHECKING:
    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.search.objective import Planner
    from lorap_bench.study.spec import StudySpec

EXAMPLE = "Example: lorap-bench run studies/quickstart.toml --executor ray --workers 4"
FAILED = 3


def run(
    study: StudyOrName,
    settings: Settings = None,
    runs: Runs = Path("runs"),
    raw_mirror: RawMirror = None,
    backend: Backend = None,
    device: Device = None,
    executor: Where = Executor.LOCAL,
    address: Address = None,
    workers: Workers = None,
    cpus: Cpus = 1.0,
    gpus: Gpus = 0.0,
    one_driver: Annotated[
        bool, typer.Option("--one-driver", help="Nobody else runs this study: its journal may lie on a network disk.")
    ] = False,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write the report at the end.")] = True,
    quiet: Quiet = False,
) -> None:
    """Run a study to its budget, or on from where it stopped, and write its report.

    A study's name or folder goes on with what is stored. Ctrl-C, or `lorap-bench stop`, finishes what is
    under way, saves and stops; a second one leaves it, and it runs again next time. Nothing that finished
    is lost, however the run ends.
    """
    use_mirror(raw_mirror)
    compute_with(backend, device)
    from lorap_bench.executors.stop import Stop, on_signals

    found = read_study(study, settings or (), runs)
    shape, planner = _checked(found.spec, runs, one_driver=one_driver)
    folder, spec = found.begin(runs)
    with on_signals(Stop(announce)) as stop:
        drive = Drive(spec=spec, folder=folder, stop=stop, quiet=quiet)
        before = drive.extent()
        engine = Engine(executor, address, workers, cpus, gpus, (spec.base.task.dataset,))
        try:
            ended = drive.whole_search(shape, lambda broker: engine.run(broker, stop))
            complete = ended is not None and ended.confirm(planner)
        except LorapBenchError:
            if report and drive.extent() != before:
                print_text(str(drive.report()))
            raise
        if not complete:
            message("saved; the same command goes on from here")
            raise typer.Exit(INTERRUPTED)
    _finish(drive, report=report, changed=drive.extent() != before)


def _checked(spec: "StudySpec", runs: Path, *, one_driver: bool) -> "tuple[TaskShape, Planner]":
    """Refuse what could not run before there is a folder that a corrected study would not fit; return its task."""
    from lorap_bench.search.objective import default_planner
    from lorap_bench.search.plan import refuse_infeasible
    from lorap_bench.search.storage import refuse_network_disk

    shape = task_shape(spec)
    planner = default_planner(shape)
    refuse_infeasible(spec, planner)
    refuse_network_disk(spec.storage, runs / spec.name, one_driver=one_driver)
    return shape, planner


def _finish(drive: Drive, *, report: bool, changed: bool) -> None:
    """Say where the report lies, and leave with a code that tells of failed trials."""
    if report and (changed or not drive.reported):
        drive.report()
    if drive.reported:
        print_path("report", drive.page)
    failed = drive.failed()
    if failed:
        told = counted(failed, "trial")
        message(f"{told} failed; `lorap-bench export {drive.spec.name} --format csv` gives the reasons")
        raise typer.Exit(FAILED)


def announce(requests: int) -> None:
    """Say what a request to stop does; the third one waits for nothing."""
    if requests > 2:
        raise KeyboardInterrupt
    first = "stopping: what is under way is finished and saved (again: leave it; it runs again next time)"
    message(first if requests == 1 else "stopping at once: what was under way runs again next time")
