"""``lorap-bench confirm``: the front and its baselines on fresh seeds on the test split, once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorap_bench.cli.drive import Drive
from lorap_bench.cli.group import INTERRUPTED
from lorap_bench.cli.options import Backend, Device, Json, Quiet, RawMirror, Runs, StudyOrName, compute_with, use_mirror
from lorap_bench.cli.run import FAILED, announce
from lorap_bench.cli.screen import counted, message, print_json, print_table
from lorap_bench.cli.wiring import open_study, task_shape

if TYPE_CHECKING:
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.store.look import Look

EXAMPLE = "Example: lorap-bench confirm studies/quickstart.toml --seeds 10"
DEFAULT_SEEDS = 10


def confirm(
    study: StudyOrName,
    seeds: Annotated[
        int | None,
        typer.Option(
            "--seeds",
            min=1,
            metavar="N",
            help=f"Fresh seeds (default: those of the study, else {DEFAULT_SEEDS}).",
            show_default=False,
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Look at the test split once more; it is recorded.")] = False,
    ladder: Annotated[
        bool,
        typer.Option(
            "--ladder",
            help="Run each trial's simpler prompts beside it too: node prompts alone, LoRAP alone. "
            "Two more trainings at most a front trial.",
        ),
    ] = False,
    runs: Runs = Path("runs"),
    raw_mirror: RawMirror = None,
    backend: Backend = None,
    device: Device = None,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write the report at the end.")] = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure the front of a finished study, and what it gains, on fresh seeds on the test split.

    Each front trial runs beside the same configuration without its prompt and in FP32, all with the same
    seeds; the gains are differences seed by seed, with 95 % intervals. With --ladder the prompts between are
    run too: node prompts alone for LoRAP, node prompts alone and LoRAP alone for both together. The study's
    folder keeps every look and refuses a second one without --again; so does a study that tunes a suite's cell,
    which the suite looks at itself.
    """
    use_mirror(raw_mirror)
    compute_with(backend, device)
    from lorap_bench.executors.stop import Stop, on_signals
    from lorap_bench.search.objective import default_planner

    folder, spec = open_study(study, runs)
    if not (again or folder.looks.all()):
        _leave_to_its_suite(folder)
    unfinished = folder.looks.unfinished()
    wanted = seeds or (len(unfinished.seeds) if unfinished else spec.replicas.confirm or DEFAULT_SEEDS)
    with on_signals(Stop(announce)) as stop:
        drive = Drive(spec=spec, folder=folder, stop=stop, quiet=quiet)
        look = drive.look(default_planner(task_shape(spec)), seeds=wanted, again=again, ladder=ladder)
    if look is None:
        message("saved; the same command goes on from here")
        raise typer.Exit(INTERRUPTED)
    if report:
        message(f"report: {drive.report()}")
    _show(drive, look, as_json=as_json)


def _leave_to_its_suite(folder: "StudyFolder") -> None:
    """Refuse a study that tunes a cell of a suite: the cell's own seeds look at the test split.

    Raises:
        StoreError: it is such a study.
    """
    from lorap_bench.errors import StoreError
    from lorap_bench.suite.folder import suite_of

    suite = suite_of(folder.root)
    if suite is not None:
        message = (
            f"tunes a cell of the suite {suite.name}, whose fresh seeds look at the test split; "
            "--again looks once more, and that is recorded"
        )
        raise StoreError(message, where=str(folder.root))


def _show(drive: Drive, look: "Look", *, as_json: bool) -> None:
    """Print what the look found, and leave with a code that tells of failed trainings."""
    from lorap_bench.report.look import look_columns, look_mapping, look_rows

    name, looks = drive.spec.name, drive.folder.looks
    seen = {number: found for number, found in looks.confirmations().items() if found.look == look.number}
    if as_json:
        print_json(look_mapping(name, look, seen))
    else:
        fresh = counted(len(look.seeds), "fresh seed")
        spread = "[95 % interval]" if len(look.seeds) > 2 else "± standard deviation"
        title = f"{name}: look {look.number} at the test split, {fresh}, mean {spread}"
        print_table(look_columns(seen), look_rows(seen), title=title)
    for one in look.subjects:
        for baseline, reason in one.impossible.items():
            message(f"trial {one.number} has no baseline {baseline.words}: {reason}")
    failed = sum(record.status.failed for record in looks.records(look).values())
    if failed:
        message(
            f"{counted(failed, 'training')} of the look failed; the gains rest on the seeds that both sides finished"
        )
        raise typer.Exit(FAILED)
