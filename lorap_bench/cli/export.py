"""``lorap-bench export``: a study's trials for other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorap_bench.cli.options import Runs, StudyOrName
from lorap_bench.cli.screen import message, print_text
from lorap_bench.cli.wiring import open_study
from lorap_bench.errors import ConfigError, Fault, StoreError

if TYPE_CHECKING:
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

EXAMPLE = "Example: lorap-bench export studies/quickstart.toml --format csv --out trials.csv"
_BINARY = ("parquet", "journal")


def export(
    study: StudyOrName,
    form: Annotated[
        str, typer.Option("--format", metavar="csv|json|parquet|journal", help="Form of the export.")
    ] = "json",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write here, not to stdout.", show_default=False)
    ] = None,
    runs: Runs = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Print or write every trial of a study: configuration, objectives, costs, members.

    `parquet` is the table of `csv` with types; `journal` is a file that `optuna.load_study` opens. Both need --out.
    """
    from lorap_bench.report.export import FORMATS, unknown_format

    form = "json" if as_json else form
    if form not in {*FORMATS, *_BINARY}:
        raise unknown_format(form, [*FORMATS, *_BINARY])
    if form in _BINARY and out is None:
        raise ConfigError([Fault(path="--out", message=f"{form} is no text for a screen", allowed="--out FILE")])
    data = _exported(*open_study(study, runs), form)
    if out is None:
        print_text(data.decode(), end="")
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise StoreError(f"cannot write: {error.strerror}", where=str(out)) from error
    message(f"written: {out}")


def _exported(folder: "StudyFolder", spec: "StudySpec", form: str) -> bytes:
    from lorap_bench.report.export import export as exported
    from lorap_bench.report.export import export_parquet
    from lorap_bench.store.collector import collector_rests

    with collector_rests():
        records = folder.records()
        if form == "journal":
            from lorap_bench.search.mirror import optuna_journal

            return optuna_journal(spec, records)
        if form == "parquet":
            return export_parquet(spec, records, folder.confirmations())
        return exported(spec, records, form, folder.confirmations()).encode()
