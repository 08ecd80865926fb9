"""``lorap-bench data``: which data sets there are, and whether their files are ready and whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Annotated

import typer

from lorap_bench.cli.options import Json, RawMirror, use_mirror
from lorap_bench.cli.screen import counted, message, print_json, print_table
from lorap_bench.errors import ConfigError, VerificationError

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Data sets by name.", show_default=False)]
SCHEMA_VERSION = 1

app = typer.Typer(
    help="List, prepare and verify data sets.", epilog="Example: lorap-bench data prepare Cora", no_args_is_help=True
)


@app.command("list", epilog="Example: lorap-bench data list --raw-mirror ~/graphs")
def list_(raw_mirror: RawMirror = None, as_json: Json = False) -> None:
    """Print every data set and where it would come from now."""
    from lorap_bench.data.inventory import list_datasets

    use_mirror(raw_mirror)
    sets = list_datasets()
    if as_json:
        print_json({"schema_version": SCHEMA_VERSION, "datasets": [asdict(item) for item in sets]})
        return
    rows = [[item.name, item.family, item.level, item.place] for item in sets]
    print_table(["name", "family", "level", "from"], rows)
    message("TUDataset/<name> reaches further sets")


@app.command(epilog="Example: lorap-bench data prepare Cora MUTAG")
def prepare(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Data sets by name.", show_default=False)],
    raw_mirror: RawMirror = None,
    as_json: Json = False,
) -> None:
    """Read data sets once, so that later runs find them in the cache."""
    from lorap_bench.data.inventory import prepare as prepared

    use_mirror(raw_mirror)
    with _by_name():
        summaries = prepared(names)
    if as_json:
        print_json({"schema_version": SCHEMA_VERSION, "datasets": [asdict(item) for item in summaries]})
        return
    columns = ["name", "level", "graphs", "nodes", "edges", "features", "classes"]
    print_table(columns, [[str(getattr(item, column)) for column in columns] for item in summaries])


@app.command(epilog="Example: lorap-bench data verify Cora --raw-mirror ~/graphs")
def verify(names: Names = None, raw_mirror: RawMirror = None, as_json: Json = False) -> None:
    """Check raw files against the checksums known (without names: every data set that is there)."""
    from lorap_bench.data.inventory import list_datasets
    from lorap_bench.data.inventory import verify as verified

    use_mirror(raw_mirror)
    there = [item.name for item in list_datasets() if item.place not in {"download", "missing"}]
    with _by_name():
        results = verified(names or there)
    if as_json:
        stated = [asdict(item) | {"state": item.state} for item in results]
        print_json({"schema_version": SCHEMA_VERSION, "datasets": stated})
    else:
        rows = [[item.name, str(item.files), str(item.compared), item.problem or item.state] for item in results]
        print_table(["name", "files", "compared", "state"], rows)
    unchecked = [item.name for item in results if item.state == "unchecked"]
    if unchecked:
        message(f"compared with no checksum: {', '.join(unchecked)} (a mirror's SHA256SUMS can list them)")
    wrong = [item.name for item in results if item.problem]
    if wrong:
        sets = counted(len(results), "data set")
        raise VerificationError(f"{len(wrong)} of {sets} not whole: {', '.join(wrong)}")


@contextmanager
def _by_name() -> Iterator[None]:
    """Leave key paths of study files out of the faults: here the user gave a name alone."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError([replace(fault, path="") for fault in error.faults]) from error
