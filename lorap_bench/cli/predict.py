"""``lorap-bench predict``: what a saved model scores on the data it was trained for."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lorap_bench.cli.options import Backend, Device, RawMirror, compute_with, use_mirror
from lorap_bench.cli.screen import counted, message, print_text

EXAMPLE = "Example: lorap-bench predict winner"


class Seen(StrEnum):
    """The splits that the model's making has seen: the test split is for confirmation alone."""

    VAL = "val"
    TRAIN = "train"


def predict(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a saved model.", show_default=False)],
    part: Annotated[Seen, typer.Option("--split", help="Which split; the test split is out of reach.")] = Seen.VAL,
    raw_mirror: RawMirror = None,
    backend: Backend = None,
    device: Device = None,
) -> None:
    """Print the metric of a saved model on a split of its own data set."""
    use_mirror(raw_mirror)
    compute_with(backend, device)
    from lorap_bench.data.load import load_task
    from lorap_bench.models.saved import load_model
    from lorap_bench.train.feed import EVAL_BATCH
    from lorap_bench.train.metrics import mean_score

    saved = load_model(folder)
    task = load_task(saved.plan.trial.task).without_test()
    chosen = task.splits[part.value]
    at_once = EVAL_BATCH if task.level == "graph" else chosen.numel()
    found = mean_score(task.metric, saved.predict(task, chosen), task.y[chosen], at_once)
    print_text(repr(found))
    noted = saved.about.get("metrics", {}).get("val")
    if part is Seen.VAL and found != noted:
        message(f"config.json says {noted!r}: another backend, version or processor sums in another order")
    message(f"{task.metric.label} on {counted(chosen.numel(), saved.plan.shape.level)} of the {part.value} split")
