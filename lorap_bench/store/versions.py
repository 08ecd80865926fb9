"""Put a new version of a study's folder in the place of the old one, so that no crash loses either.

A new folder is built as ``.name.building``, which nobody reads. Whole, it is renamed ``.name.new``; then the old
folder, if there is one, becomes ``name.v1`` (``v2``, …), and the new one ``name``. Whoever finds no ``name`` and a
``.name.new`` met a crash between the last two renames, and does the last one.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from lorap_bench.store.access import access, exists
from lorap_bench.store.atomic import sync_folder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["begin", "left_over", "mend", "old_name", "put", "remove_left_over"]


def begin(runs: Path, name: str) -> Path:
    """Return an empty folder to build a new version in; copies that a crash has left there go.

    Raises:
        StoreError: the folder cannot be made.
    """
    building = _building(runs, name)
    with access(building, "create the folder"):
        for path in left_over(runs, name):
            remove_left_over(path)
        building.mkdir(parents=True)
    return building


def put(runs: Path, name: str) -> str:
    """Put what was built in its place; return the name that the old folder has now, empty if there was none.

    Raises:
        StoreError: a folder cannot be renamed; the old one or the new one is in its place, or ``mend`` puts it there.
    """
    building, fresh, place = _building(runs, name), _fresh(runs, name), runs / name
    aside = ""
    with access(place, "rename"):
        sync_folder(building)
        building.rename(fresh)
        sync_folder(runs)
        if place.exists():
            aside = old_name(runs, name)
            place.rename(runs / aside)
            sync_folder(runs)
        with suppress(FileNotFoundError):  # a reader in between has put it in its place already
            fresh.rename(place)
        sync_folder(runs)
    return aside


def old_name(runs: Path, name: str) -> str:
    """Return the name that a study's folder gets when a new version takes its place: the first that is free."""
    return next(found for number in count(1) if not exists(runs / (found := f"{name}.v{number}")))


def mend(runs: Path, name: str) -> bool:
    """Do the last step of a ``put`` that a crash cut short; return whether there was one.

    Raises:
        StoreError: the folder cannot be renamed.
    """
    fresh, place = _fresh(runs, name), runs / name
    if exists(place) or not exists(fresh):
        return False
    with access(place, "rename"):
        try:
            fresh.rename(place)
        except FileNotFoundError:  # another process was faster
            return False
        sync_folder(runs)
    return True


def left_over(runs: Path, name: str) -> list[Path]:
    """Return the folders of copies that a crash has left beside a study."""
    return [path for path in (_building(runs, name), _fresh(runs, name)) if exists(path)]


def remove_left_over(path: Path) -> None:
    """Remove a folder of copies.

    Raises:
        StoreError: it cannot be removed.
    """
    with access(path, "remove"):
        shutil.rmtree(path)


def _building(runs: Path, name: str) -> Path:
    return runs / f".{name}.building"


def _fresh(runs: Path, name: str) -> Path:
    return runs / f".{name}.new"
