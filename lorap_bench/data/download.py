"""Fetch the raw files of a set from where they are published."""

from __future__ import annotations

import http.client
import shutil
import urllib.request
from typing import TYPE_CHECKING

from lorap_bench.data.families import mirror_folder
from lorap_bench.data.raw import MIRROR_VARIABLE, unpack
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.data.raw import RawSet

__all__ = ["download"]

STALL_SECONDS = 60.0


def download(raw: RawSet, folder: Path) -> None:
    """Fetch every file of the set into ``folder``; an archive is unpacked and removed.

    Raises:
        MissingResource: the set is not published, the network, the server or the disk fails, or a file arrives
            incomplete.
    """
    if not raw.urls:
        raise MissingResource(
            f"not published as a download; set {MIRROR_VARIABLE} to a folder that holds {mirror_folder(raw.name)}/"
            f"{raw.required[0]}",
            where=raw.name,
        )
    for url in raw.urls:
        path = folder / url.partition("?")[0].rpartition("/")[2]
        try:
            _fetch(url, path)
        except (OSError, http.client.HTTPException) as error:
            raise MissingResource(
                f"cannot download {url} ({error}); check the network, or set {MIRROR_VARIABLE} "
                "to a folder that holds the raw files",
                where=raw.name,
            ) from error
        if path.suffix == ".zip":
            unpack(raw, path, folder)
            path.unlink()


def _fetch(url: str, path: Path) -> None:
    """Write what the address serves to a file, and compare the length with the one announced."""
    # The addresses are those of the loaders' own tables, never a user's.
    with urllib.request.urlopen(url, timeout=STALL_SECONDS) as answer, path.open("wb") as stream:  # noqa: S310
        shutil.copyfileobj(answer, stream)
        announced = answer.headers.get("Content-Length")
    size = path.stat().st_size
    if announced is not None and size != int(announced):
        raise OSError(f"{size} of {announced} bytes arrived")
