"""``lorap-bench report``: the report of a study or a suite in any of its forms, from its folder alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorap_bench.cli.options import Runs
from lorap_bench.cli.screen import message, print_text
from lorap_bench.cli.wiring import find_suite, open_study
from lorap_bench.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.store.folder import StudyFolder

EXAMPLE = "Example: lorap-bench report studies/quickstart.toml --format html,md,svg --out reports/quickstart"

_PAGE = "html among the formats"


def report(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY [STUDY…] | SUITE",
            help="Study or suite file (TOML), or its name under --runs, or its folder; further studies stand beside "
            "the first.",
            show_default=False,
        ),
    ],
    forms: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="LIST",
            help="Of html, csv, json, md, tex, parquet, svg, png, with commas between or given again "
            "(default: html,csv,json; of more than 2,000 trials html,csv,parquet).",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Folder for the report (default: report/ in the own folder of the suite or the first study).",
            show_default=False,
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Of a suite: also published figures that nobody could check.")
    ] = False,
    runs: Runs = Path("runs"),
) -> None:
    """Write the report of a study or a suite, and print where it lies: one page that needs no network, and its data.

    Studies of the same task and objectives may stand beside it, such as the same search at random. svg and png, every
    figure as a picture, need the extra `images` and a Chrome or Chromium.
    """
    from lorap_bench.report.write import check_formats

    formats = _formats(forms or [], show=show)
    check_formats(formats)
    suite = next((found for study in studies if (found := find_suite(study, runs)) is not None), None)
    if suite is not None:
        _refuse_company(studies)
        from lorap_bench.suite.report import report_suite

        written = report_suite(suite, out or suite.root / "report", formats, message, unverified=unverified)
    else:
        written = _report_study(studies, runs, out, formats, unverified=unverified)
    print_text(str(written))
    if show:
        import webbrowser

        webbrowser.open(written.absolute().as_uri())


def _report_study(
    studies: "Sequence[str]", runs: Path, out: Path | None, formats: "Sequence[str]", *, unverified: bool
) -> Path:
    """Write the report of a study, the others beside it; return where it lies.

    Raises:
        ConfigError: something is asked for that only a suite has, or a study is given twice.
    """
    from lorap_bench.report.write import write_report

    if unverified:
        raise ConfigError([Fault(path="--unverified", message="goes with a suite", got=studies[0])])
    subject, *others = [open_study(study, runs) for study in studies]
    refuse_same(studies, [folder for folder, _ in (subject, *others)])
    return write_report(subject, out or subject[0].root / "report", others, formats, message)


def _formats(lists: "Sequence[str]", *, show: bool) -> list[str]:
    """Return the formats of comma lists, each once.

    Raises:
        ConfigError: a list names none, or a page is to be shown and there is none among them.
    """
    for one in lists:
        if not one.replace(",", " ").strip():
            raise ConfigError([Fault(path="--format", message="names no format", got=one)])
    formats = list(dict.fromkeys(name.strip().lower() for one in lists for name in one.split(",") if name.strip()))
    if show and formats and "html" not in formats:
        raise ConfigError(
            [Fault(path="--open", message="there is no page to show", got=",".join(formats), allowed=_PAGE)]
        )
    return formats


def _refuse_company(names: "Sequence[str]") -> None:
    """Refuse anything beside a suite.

    Raises:
        ConfigError: there is more than one name.
    """
    if len(names) > 1:
        message = "a suite has a report of its own; nothing can stand beside it"
        raise ConfigError([Fault(path="STUDY", message=message, got=" ".join(names))])


def refuse_same(studies: "Sequence[str]", folders: "Sequence[StudyFolder]") -> None:
    """Refuse a study that is given twice.

    Raises:
        ConfigError: two names mean one folder.
    """
    first: dict[Path, str] = {}
    faults = []
    for study, folder in zip(studies, folders, strict=True):
        place = folder.root.resolve()
        if place in first:
            faults.append(Fault(path=study, message=f"the same study as {first[place]}: it would stand beside itself"))
        first.setdefault(place, study)
    if faults:
        raise ConfigError(faults)
