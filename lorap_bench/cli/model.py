"""``lorap-bench model``: train a trial again with one of its seeds, and save the network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorap_bench.cli.epochs import epochs
from lorap_bench.cli.options import Backend, Device, Quiet, RawMirror, Runs, StudyOrName, compute_with, use_mirror
from lorap_bench.cli.recorded import DIFFERENT, TrialNumber, causes_text, recorded_trial
from lorap_bench.cli.screen import counted, message, number, print_path
from lorap_bench.cli.wiring import open_study

if TYPE_CHECKING:
    from lorap_bench.train.again import Again

EXAMPLE = "Example: lorap-bench model studies/quickstart.toml 7 --out winner"


def model(
    study: StudyOrName,
    trial: TrialNumber,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.", show_default=False)],
    index: Annotated[
        int, typer.Option("--seed-index", min=0, metavar="I", help="Which of the trial's seeds, counted from 0.")
    ] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a model that is saved in DIR.")] = False,
    runs: Runs = Path("runs"),
    raw_mirror: RawMirror = None,
    backend: Backend = None,
    device: Device = None,
    quiet: Quiet = False,
) -> None:
    """Save the trained network of a trial: train it again with a seed of its own, compare, write DIR.

    The test split stays out of reach.
    """
    use_mirror(raw_mirror)
    compute_with(backend, device)
    from lorap_bench.config import TrialConfig
    from lorap_bench.models.saved import refuse_taken, save_model
    from lorap_bench.train.again import recorded_member, train_again

    refuse_taken(out, replace=force)  # before a training that could not be saved
    folder, spec = open_study(study, runs)
    record = recorded_trial(folder, trial)
    recorded_member(record, index)
    total = TrialConfig.from_mapping(record.config).optim.epochs
    with epochs(total, quiet=quiet) as on_epoch:
        again = train_again(record, index, on_epoch=on_epoch)
    about = {"study": spec.name, "trial": trial, "seed_index": index} | _about(again)
    config = save_model(out, again.trained, about, replace=force)
    _tell(again, config["integer"])
    print_path("model", out)
    if again.differences:
        raise typer.Exit(DIFFERENT)


def _about(again: "Again") -> dict[str, Any]:
    """Return what ``config.json`` says of the training."""
    from lorap_bench.train.provenance import provenance

    return {
        "best_epoch": again.best_epoch,
        "metrics": {"val": again.val, "aggregation_error": again.measured.aggregation_error},
        "costs": again.costs,
        "learned_bits": again.measured.bits,
        "reproduced": not again.differences,
        "differences": list(again.differences),
        "causes": list(again.causes) if again.differences else [],
        "provenance": provenance(),
    }


def _tell(again: "Again", integer: dict[str, Any]) -> None:
    figures = f"seed {again.trained.seed}: val {number(again.val)} at epoch {again.best_epoch}"
    if not again.differences:
        message(f"{figures}, as recorded")
    else:
        message(f"{figures}; this is not the recorded network: {'; '.join(again.differences)}")
        message(causes_text(again.causes))
    if integer["file"]:
        sizes = integer["bytes"]
        message(f"integer weights: {sizes['packed']:,} bytes at their widths, {sizes['full']:,} in float32")
    else:
        first, *more = integer["reasons"]
        message(f"no integer form: {first}" + (f" (and {counted(len(more), 'more reason')})" if more else ""))
