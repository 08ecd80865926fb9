"""``lorap-bench train``: one configuration, outside any study."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorap_bench.cli.epochs import epochs
from lorap_bench.cli.options import Backend, Device, Json, Quiet, RawMirror, Settings, compute_with, use_mirror
from lorap_bench.cli.screen import message, number, print_json, print_table
from lorap_bench.cli.wiring import catalog
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.record import Status

if TYPE_CHECKING:
    from lorap_bench.record import TrialRecord

EXAMPLE = "Example: lorap-bench train studies/quickstart.toml --set prompt.count=4 --seeds 3 --json"
SCHEMA_VERSION = 1
FAILED = 3


class Part(StrEnum):
    """The split that members are judged on beside the training split."""

    VAL = "val"
    TEST = "test"


def train(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="CONFIG", help="Study file, or a file with its five sections.", show_default=False),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            metavar="NAME",
            help="Train a recipe (see recipes), or lay it under CONFIG's sections.",
            show_default=False,
        ),
    ] = None,
    settings: Settings = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, metavar="N", help="Train with seeds 0 to N-1.")] = 1,
    seed: Annotated[
        list[int] | None,
        typer.Option("--seed", min=0, metavar="S", help="Train with this seed instead of --seeds; repeatable."),
    ] = None,
    split: Annotated[Part, typer.Option("--split", help="test: also look at the test split, once.")] = Part.VAL,
    raw_mirror: RawMirror = None,
    backend: Backend = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train one configuration, a file's or a recipe's, and print its figures; nothing is stored."""
    if config is None and recipe is None:
        raise ConfigError([Fault(path="CONFIG", message="give a file, --recipe NAME, or both")])
    use_mirror(raw_mirror)
    compute_with(backend, device)
    from lorap_bench.study.file import load_config
    from lorap_bench.train.trial import run_trial

    chosen = load_config(config, catalog=catalog(), overrides=settings or (), recipe=recipe)
    with epochs(chosen.optim.epochs, quiet=quiet) as on_epoch:
        record = run_trial(chosen, seed or range(seeds), split=split.value, on_epoch=on_epoch).record
    if as_json:
        print_json(_mapping(record, split))
    else:
        _show(record, split)
    if record.status is not Status.COMPLETE:
        message(f"the training ended {record.status}" + (f": {record.reason}" if record.reason else ""))
        raise typer.Exit(FAILED)


def _mapping(record: "TrialRecord", split: Part) -> dict[str, Any]:
    whole = record.to_mapping()
    names = ("reason", "objectives", "costs", "config", "effective", "digest", "started", "seconds", "provenance")
    return {
        "schema_version": SCHEMA_VERSION,
        "status": record.status.value,
        "split": split.value,
        "members": [_member(member, split) for member in whole["members"]],
        **{name: whole[name] for name in names},
    }


def _member(member: dict[str, Any], split: Part) -> dict[str, Any]:
    return {name: value for name, value in member.items() if name != "test" or split is Part.TEST}


def _show(record: "TrialRecord", split: Part) -> None:
    columns = ["seed", "val", *(["test"] if split is Part.TEST else []), "best_epoch"]
    rows = [[_text(asdict(member)[column]) for column in columns] for member in record.members]
    print_table(columns, rows)
    print_table(["", ""], [[name, number(value)] for name, value in {**record.objectives, **record.costs}.items()])
    if batches := record.effective.get("sampling"):
        numbers = ", ".join(f"{name} = {value}" for name, value in batches.items() if name != "kind")
        message(f"trained on batches of {batches['kind']}: {numbers}")
    if record.effective.get("clamped"):
        asked, ranks = record.config["prompt"]["rank"], record.effective["ranks"]
        message(f"rank {asked} is clamped to {ranks} (prompt count, layer widths)")


def _text(value: Any) -> str:
    return number(value) if isinstance(value, float) else "–" if value is None else str(value)
