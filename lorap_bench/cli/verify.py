"""``lorap-bench verify``: whether the folder of a suite, or of a study, holds what it says."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from lorap_bench.cli.options import Json
from lorap_bench.cli.screen import counted, message, print_json, print_table
from lorap_bench.errors import StoreError, VerificationError

EXAMPLE = "Example: lorap-bench verify runs/tiny"
SCHEMA_VERSION = 1


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a suite or a study.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Check a suite's folder, or a study's, and make every aggregate again; change nothing.

    Versions of the schemas, keys and checksums, missing cells and seeds, what epochs were chosen by, the rows of the
    table. The exit code is 4 where something is wrong; warnings leave it 0. No data are read.
    """
    from lorap_bench.cli.wiring import stored_study
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.suite.check import State
    from lorap_bench.suite.folder import SuiteFolder
    from lorap_bench.suite.verify import verify_suite
    from lorap_bench.suite.verify_study import verify_study

    if SuiteFolder(folder).there:
        kind, checks = "suite", verify_suite(SuiteFolder(folder))
    elif StudyFolder.known(folder.absolute().parent, folder.absolute().name):
        study = StudyFolder.open(folder.absolute().parent, folder.absolute().name)
        kind, checks = "study", verify_study(study, stored_study(study, written=True))
    else:
        raise StoreError("neither a suite's folder nor a study's", where=str(folder))
    counts = {state: sum(check.state is state for check in checks) for state in State}
    if as_json:
        lines = [{"name": check.name, "state": check.state.value, "found": list(check.found)} for check in checks]
        named = {"schema_version": SCHEMA_VERSION, "kind": kind}
        print_json(named | {"counts": {state.value: count for state, count in counts.items()}, "checks": lines})
    else:
        rows = [
            [check.state.value if not place else "", check.name if not place else "", escape(text)]
            for check in checks
            for place, text in enumerate(check.found)
        ]
        print_table(["", "", ""], rows)
    if counts[State.WRONG]:
        message(f"error: {counted(counts[State.WRONG], 'check')} found something wrong")
        raise typer.Exit(VerificationError.exit_code)
