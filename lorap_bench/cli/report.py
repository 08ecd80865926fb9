"""``lorap-bench report``: a study's page, from its folder alone."""

from pathlib import Path
from typing import Annotated

import typer

from lorap_bench.cli.options import Runs, StudyOrName
from lorap_bench.cli.screen import print_text
from lorap_bench.cli.wiring import open_study

EXAMPLE = "Example: lorap-bench report studies/quickstart.toml --out reports/quickstart"


def report(
    study: StudyOrName,
    runs: Runs = Path("runs"),
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Folder for the page (default: report/ in the study's own).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write index.html, data.csv and data.json, and print where the page lies. It needs no network."""
    from lorap_bench.report.page import write_report

    folder, spec = open_study(study, runs)
    print_text(str(write_report(folder, spec, out or folder.root / "report")))
