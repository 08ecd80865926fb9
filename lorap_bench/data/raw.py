"""Raw files of a data set: what a set consists of, where a mirror keeps it, and whether it is whole.

A mirror is a folder with ``<Name>/raw/<files>`` (or where the table of families says), or ``zips/<Name>.zip``, and
maybe a ``SHA256SUMS``.
It is read in place and never written to; nothing of it is linked into the cache.
"""

from __future__ import annotations

import os
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_dir

from lorap_bench.data.checksums import KNOWN, read_sums, sha256
from lorap_bench.data.families import mirror_folder
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CACHE_VARIABLE",
    "MIRROR_VARIABLE",
    "Folders",
    "RawSet",
    "Source",
    "checked_files",
    "locate",
    "present",
    "processed_path",
    "unpack",
]

CACHE_VARIABLE = "LORAP_BENCH_CACHE"
MIRROR_VARIABLE = "LORAP_BENCH_RAW"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Folders:
    """Where raw files are read (``None``: downloaded) and where processed ones are kept."""

    mirror: Path | None
    cache: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Folders:
        """Read ``LORAP_BENCH_RAW`` and ``LORAP_BENCH_CACHE``; the cache defaults to the user's cache folder.

        Raises:
            MissingResource: the mirror named is no folder.
        """
        named = environment.get(MIRROR_VARIABLE)
        mirror = Path(named).expanduser().absolute() if named else None
        if mirror is not None and not mirror.is_dir():
            raise MissingResource(
                f"raw-data mirror {mirror} is no folder; correct the path, or unset it to download",
                where=MIRROR_VARIABLE,
            )
        cache = Path(environment.get(CACHE_VARIABLE) or user_cache_dir("lorap-bench")).expanduser().absolute()
        return cls(mirror, cache)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSet:
    """The raw files of one data set: ``required`` ones, ``optional`` ones, and where they are published.

    A file's name may hold folders. ``urls`` name the files themselves or one archive that holds them; none: they
    cannot be downloaded.
    """

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Whole raw files at hand: a folder or an archive, with the checksum of each file by its name.

    ``compared`` counts the files whose checksum was known and agreed.
    """

    path: Path
    sums: dict[str, str]
    compared: int

    @property
    def is_archive(self) -> bool:
        """Whether the files have to be unpacked first."""
        return self.path.suffix == ".zip"


def processed_path(name: str, folders: Folders) -> Path:
    """Return where the processed set is kept; readers differ between versions of PyG, so each has its own."""
    return folders.cache / f"pyg-{version('torch-geometric')}" / name / f"v{FORMAT}.pt"


def present(name: str, mirror: Path) -> bool:
    """Whether the mirror has a place for the set, whole or not."""
    return _holds(_folder(name, mirror)) or _archive(name, mirror).is_file()


def _holds(folder: Path) -> bool:
    """Whether a folder is there; one above ``raw`` may be another set's, and then has to hold more than that."""
    if folder.name == "raw" or not folder.is_dir():
        return folder.is_dir()
    return any(item.name not in {"raw", "processed"} for item in folder.iterdir())


def locate(raw: RawSet, mirror: Path) -> Source | None:
    """Return the set's files in the mirror, all there and as listed, or ``None`` when it has none of them.

    Raises:
        MissingResource: a file is missing or does not have its checksum.
    """
    folder, archive = _folder(raw.name, mirror), _archive(raw.name, mirror)
    sums = read_sums(mirror)
    if folder.is_dir():
        prefix = f"{mirror_folder(raw.name)}/"
        listed = {path.removeprefix(prefix): value for path, value in sums.items() if path.startswith(prefix)}
        found = checked_files(raw, folder, listed)
        compared = sum(name in listed or name in KNOWN for name in found)
        return Source(path=folder, sums=found, compared=compared)
    if archive.is_file():
        expected = sums.get(f"zips/{archive.name}")
        value = _checked(archive, expected, raw.name)
        return Source(path=archive, sums={archive.name: value}, compared=int(expected is not None))
    return None


def _folder(name: str, mirror: Path) -> Path:
    return mirror / mirror_folder(name)


def _archive(name: str, mirror: Path) -> Path:
    return mirror / "zips" / f"{name}.zip"


def checked_files(raw: RawSet, folder: Path, listed: Mapping[str, str]) -> dict[str, str]:
    """Return the checksum of each of the set's files in ``folder``, after checking that all are there.

    Args:
        raw: the set.
        folder: the folder that holds the files.
        listed: checksums by file name that the files must have; a listed file must be there.

    Raises:
        MissingResource: a file is missing or does not have its checksum.
    """
    optional = [name for name in raw.optional if name in listed or (folder / name).is_file()]
    names = dict.fromkeys([*raw.required, *optional])
    for name in names:
        if not (folder / name).is_file():
            raise MissingResource(
                f"raw file {folder / name} is missing; copy it there"
                + f", or unset {MIRROR_VARIABLE} to download the set" * bool(raw.urls),
                where=raw.name,
            )
    return {name: _checked(folder / name, listed.get(name), raw.name) for name in names}


def _checked(path: Path, listed: str | None, name: str) -> str:
    """Return a file's checksum after comparing it with the list's and with the one this package knows."""
    try:
        value = sha256(path)
    except OSError as error:
        raise MissingResource(f"raw file {path} cannot be read ({error.strerror})", where=name) from error
    for expected in (listed, KNOWN.get(path.name)):
        if expected is not None and value != expected:
            raise MissingResource(
                f"raw file {path} has the wrong checksum (SHA-256 {value[:12]}…, expected {expected[:12]}…); "
                "fetch it again",
                where=name,
            )
    return value


def unpack(raw: RawSet, archive: Path, folder: Path) -> None:
    """Unpack the set's files from an archive into ``folder``, whatever folders the archive keeps them in.

    Raises:
        MissingResource: the archive is truncated or damaged, or lacks a required file.
    """
    wanted = (*raw.required, *raw.optional)
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.namelist():
                for name in wanted:
                    if f"/{member}".endswith(f"/{name}"):
                        _extract(opened, member, folder / name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise MissingResource(
            f"archive {archive} is truncated or damaged ({error}); fetch it again", where=raw.name
        ) from error
    for name in raw.required:
        if not (folder / name).is_file():
            raise MissingResource(f"archive {archive} holds no {name}; fetch it again", where=raw.name)


def _extract(opened: zipfile.ZipFile, member: str, path: Path) -> None:
    """Write one member of an archive to a file; reading to its end checks its CRC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as stream, path.open("wb") as sink:
        shutil.copyfileobj(stream, sink)
