"""Arguments and options that several verbs share."""

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from lorap_bench.errors import MissingResource

__all__ = ["Json", "Quiet", "RawMirror", "Runs", "Settings", "StudyFile", "StudyOrName", "use_mirror"]

StudyFile: TypeAlias = Annotated[Path, typer.Argument(metavar="STUDY", help="Study file (TOML).", show_default=False)]
StudyOrName: TypeAlias = Annotated[
    str, typer.Argument(metavar="STUDY", help="Study file, or the name of a study under --runs.", show_default=False)
]
Runs: TypeAlias = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where study folders lie.")]
RawMirror: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--raw-mirror",
        metavar="DIR",
        help="Folder with raw data files, read offline, never written to (default: $LORAP_BENCH_RAW, else download).",
        show_default=False,
    ),
]
Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the file; may be repeated.", show_default=False),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")]


def use_mirror(mirror: Path | None) -> None:
    """Let the data loaders, of this process and of its workers, read from ``mirror``.

    Raises:
        MissingResource: the mirror is no folder.
    """
    if mirror is None:
        return
    from lorap_bench.data.raw import MIRROR_VARIABLE

    if not mirror.is_dir():
        raise MissingResource(f"no such folder: {mirror}", where="--raw-mirror")
    os.environ[MIRROR_VARIABLE] = str(mirror.absolute())
