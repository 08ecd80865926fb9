"""Arguments and options that several verbs share."""

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from lorap_bench.errors import ConfigError, Fault, MissingResource, nearest

__all__ = [
    "Backend",
    "Device",
    "Json",
    "Quiet",
    "RawMirror",
    "Runs",
    "Settings",
    "StudyOrName",
    "compute_with",
    "use_mirror",
]

StudyOrName: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="STUDY", help="Study file (TOML), or a study's name under --runs, or its folder.", show_default=False
    ),
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
Backend: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="What trains: auto, native, triton or reference (default: $LORAP_BENCH_BACKEND, else auto).",
        show_default=False,
    ),
]
Device: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="Where it trains: auto, cpu or cuda (default: $LORAP_BENCH_DEVICE, else auto: cuda if there is one).",
        show_default=False,
    ),
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


def compute_with(backend: str | None, device: str | None) -> None:
    """Let this process and its workers train with a backend on a device; None: as the environment says.

    Raises:
        ConfigError: there is no such backend or device. Whether it can be had is found where it is used.
    """
    if backend is None and device is None:
        return
    from lorap_bench.kernels.backend import BACKEND_VARIABLE, BACKENDS
    from lorap_bench.kernels.device import DEVICE_VARIABLE, DEVICES

    chosen = (
        ("--backend", backend, BACKENDS, BACKEND_VARIABLE),
        ("--device", device, DEVICES, DEVICE_VARIABLE),
    )
    faults = [
        Fault(path=option, message="no such name", got=name, allowed=", ".join(names), suggestion=nearest(name, names))
        for option, name, names, _ in chosen
        if name is not None and name not in names
    ]
    if faults:
        raise ConfigError(faults)
    os.environ.update({variable: name for _, name, _, variable in chosen if name is not None})
