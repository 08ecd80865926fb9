"""``lorap-bench rerun``: train a trial again with all its seeds, and see whether its record holds."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorap_bench.cli.epochs import epochs
from lorap_bench.cli.options import Backend, Device, Json, Quiet, RawMirror, Runs, StudyOrName, compute_with, use_mirror
from lorap_bench.cli.recorded import DIFFERENT, TrialNumber, causes_text, recorded_trial
from lorap_bench.cli.screen import counted, message, number, print_json, print_table
from lorap_bench.cli.wiring import open_study

if TYPE_CHECKING:
    from lorap_bench.record import MemberResult, TrialRecord
    from lorap_bench.train.rerun import Rerun

EXAMPLE = "Example: lorap-bench rerun studies/quickstart.toml 7 --check"
SCHEMA_VERSION = 1


def rerun(
    study: StudyOrName,
    trial: TrialNumber,
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare bit for bit; name each difference, and end with 4 if there is one."),
    ] = False,
    runs: Runs = Path("runs"),
    raw_mirror: RawMirror = None,
    backend: Backend = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a trial again with its own seeds, and print its figures beside the recorded ones; nothing is stored.

    The test split stays out of reach. A trial that was stopped early is stopped where it was.
    """
    use_mirror(raw_mirror)
    compute_with(backend, device)
    from lorap_bench.train.recorded import recorded_config
    from lorap_bench.train.rerun import check_rerun
    from lorap_bench.train.rerun import rerun as run_again

    folder, spec = open_study(study, runs)
    record = recorded_trial(folder, trial)
    curves = folder.curves(trial)
    if check:
        check_rerun(record, curves)
    with epochs(recorded_config(record).optim.epochs, quiet=quiet) as on_epoch:
        found = run_again(record, curves, on_epoch=on_epoch)
    if as_json:
        print_json({"schema_version": SCHEMA_VERSION, "study": spec.name, **_mapping(record, found)})
    else:
        _show(record, found)
    _tell(found, check=check)
    if check and found.differences:
        raise typer.Exit(DIFFERENT)


def _mapping(record: "TrialRecord", found: "Rerun") -> dict[str, Any]:
    return {
        "trial": record.number,
        "status": record.status.value,
        "digest": found.digest,
        "members": [
            {
                "seed": pair.recorded.seed,
                "here": _member(pair.here),
                "recorded": _member(pair.recorded),
                "differs": pair.differs,
            }
            for pair in found.pairs
        ],
        "objectives": {"here": found.objectives, "recorded": record.objectives},
        "costs": {"here": found.costs, "recorded": record.costs},
        "seconds": found.seconds,
        "reproduced": not found.differences,
        "differences": list(found.differences),
        "causes": list(found.causes) if found.differences else [],
    }


def _member(member: "MemberResult") -> dict[str, Any]:
    """Return a member without what may not be looked at: ``rerun`` never measures the test split."""
    return {name: value for name, value in asdict(member).items() if name not in {"seed", "test"}}


def _show(record: "TrialRecord", found: "Rerun") -> None:
    columns = ["seed", "status", "epochs", "best epoch", "val", "recorded", "difference"]
    rows = []
    for pair in found.pairs:
        here, there = pair.here, pair.recorded
        told = [str(here.seed), here.status.value, str(here.epochs), _text(here.best_epoch)]
        gap = None if here.val is None or there.val is None else here.val - there.val
        rows.append([*told, number(here.val), number(there.val), number(gap)])
    print_table(columns, rows)
    recorded = {**record.objectives, **record.costs}
    figures = {**found.objectives, **found.costs}
    rows = [[name, number(figures.get(name)), number(value)] for name, value in recorded.items()]
    if rows:
        print_table(["\nfigure", "\nhere", "\nrecorded"], rows)


def _tell(found: "Rerun", *, check: bool) -> None:
    seeds = counted(len(found.pairs), "seed")
    if not found.differences:
        message(f"{seeds}: all that was recorded came out again, bit for bit")
        return
    if not check:
        message(f"{counted(len(found.differences), 'difference')} from the record; --check names them")
        return
    message("this is not the recorded training:")
    for line in found.differences:
        message(f"  {line}")
    message(causes_text(found.causes))


def _text(value: int | None) -> str:
    return "–" if value is None else str(value)
