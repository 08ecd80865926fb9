"""``lorap-bench export``: a study's trials as CSV or JSON."""

from pathlib import Path
from typing import Annotated

import typer

from lorap_bench.cli.options import Runs, StudyOrName
from lorap_bench.cli.screen import message, print_text
from lorap_bench.cli.wiring import open_study
from lorap_bench.errors import StoreError

EXAMPLE = "Example: lorap-bench export studies/quickstart.toml --format csv --out trials.csv"


def export(
    study: StudyOrName,
    form: Annotated[str, typer.Option("--format", metavar="csv|json", help="Form of the export.")] = "json",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write here, not to stdout.", show_default=False)
    ] = None,
    runs: Runs = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Print every trial of a study: configuration, objectives, costs, members."""
    from lorap_bench.report.export import export as exported

    folder, spec = open_study(study, runs)
    text = exported(spec, folder.records(), "json" if as_json else form, folder.confirmations())
    if out is None:
        print_text(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write: {error.strerror}", where=str(out)) from error
    message(f"written: {out}")
