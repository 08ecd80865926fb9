"""``lorap-bench stop``: ask a running study to end, from another terminal or host."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorap_bench.cli.options import Quiet, Runs, StudyOrName
from lorap_bench.cli.screen import message, print_text
from lorap_bench.cli.wiring import open_study

if TYPE_CHECKING:
    from lorap_bench.store.folder import StudyFolder

EXAMPLE = "Example: lorap-bench stop quickstart --wait"
_PAUSE = 0.2


def stop(
    study: StudyOrName,
    runs: Runs = Path("runs"),
    now: Annotated[
        bool, typer.Option("--now", help="Leave what is under way at its next epoch; it runs again next time.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Come back when the study has stopped.")] = False,
    quiet: Quiet = False,
) -> None:
    """Ask whoever drives a study to finish what is under way, save and end; `run` goes on with it later."""
    from lorap_bench.executors.stop import ask_to_stop, withdraw

    folder, spec = open_study(study, runs)
    here = folder.driven
    if not here and spec.storage.kind != "postgresql":
        withdraw(folder.stop_request)
        print_text(f"nobody drives {spec.name}: nothing to stop")
        return
    ask_to_stop(folder.stop_request, now=now)
    if not here:
        print_text(f"no driver of {spec.name} is known here; one elsewhere that sees its folder is asked to end")
        return
    how = "leaves what is under way" if now else "finishes what is under way"
    print_text(f"asked: the driver of {spec.name} {how}, saves and ends")
    if not wait:
        return
    _wait(folder)
    withdraw(folder.stop_request)
    if not quiet:
        message(f"{spec.name} has stopped; `lorap-bench run` goes on with it")


def _wait(folder: "StudyFolder") -> None:
    """Come back when nobody drives the study any more."""
    while folder.driven:
        time.sleep(_PAUSE)
