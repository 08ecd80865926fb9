"""``lorap-bench doctor``: whether this machine, and a study on it, are fit to run."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from lorap_bench.cli.finding import Level
from lorap_bench.cli.options import Json, Runs
from lorap_bench.cli.screen import counted, message, print_json, print_table

EXAMPLE = "Example: lorap-bench doctor studies/quickstart.toml --json"


def doctor(
    study: Annotated[
        str | None,
        typer.Argument(metavar="[STUDY]", help="Study file, name or folder to look at too.", show_default=False),
    ] = None,
    runs: Runs = Path("runs"),
    as_json: Json = False,
) -> None:
    """Check packages, backends, device, memory, disk and data; with STUDY also its storage and its drivers.

    Nothing is changed. The exit code is 1 if there is a problem; warnings leave it 0.
    """
    from lorap_bench.cli.doctor_machine import machine_findings
    from lorap_bench.cli.doctor_packages import package_findings
    from lorap_bench.cli.doctor_study import study_findings
    from lorap_bench.cli.wiring import read_study

    findings = [*package_findings(), *machine_findings(runs)]
    if study is not None:
        found = read_study(study, (), runs)
        findings += study_findings(found.spec, found.folder, runs)
    counts = {level: sum(one.level is level for one in findings) for level in Level}
    if as_json:
        lines = [{"about": one.about, "level": one.level.value, "text": one.text} for one in findings]
        print_json(
            {"schema_version": 1, "counts": {str(level): count for level, count in counts.items()}, "findings": lines}
        )
    else:
        print_table(["", "", ""], [[one.level.value, one.about, escape(one.text)] for one in findings])
        message(f"{counted(counts[Level.PROBLEM], 'problem')}, {counted(counts[Level.WARNING], 'warning')}")
    if counts[Level.PROBLEM]:
        raise typer.Exit(1)
