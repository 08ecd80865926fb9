"""``study.json``: a study as written, how its budget was extended, and the studies its first trials came from."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, final

from lorap_bench.errors import StoreError
from lorap_bench.store.access import exists
from lorap_bench.store.atomic import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lorap_bench.study.extension import Extension

__all__ = ["FOLDER_VERSION", "STUDY", "SUITE", "Manifest", "ManifestFile", "Origin"]

FOLDER_VERSION = 1
STUDY = "study.json"
SUITE = "suite.json"
"""Its namesake in the folder of a suite, where no study may lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A study that gave trials to this one.

    Attributes:
        name: its name.
        identity: its identity.
        looks: how often its test split was looked at, by itself and by those it came from.
        first: the number that the first of its trials has here; the others follow.
        trials: the numbers that they had there.
        left: how many of its trials stayed behind, by reason.
    """

    name: str
    identity: str
    looks: int
    first: int
    trials: tuple[int, ...]
    left: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What ``study.json`` holds. ``extensions`` are those of the budget, each with the time ``when``."""

    identity: str
    spec: dict[str, Any]
    extensions: tuple[dict[str, Any], ...] = ()
    origins: tuple[Origin, ...] = ()

    @property
    def extension(self) -> Extension:
        """Return by how much the budget was extended in all."""
        from lorap_bench.study.extension import Extension  # late: it brings pydantic

        whole = Extension()
        for one in self.extensions:
            whole += Extension.from_mapping({name: more for name, more in one.items() if name != "when"})
        return whole

    @property
    def looks(self) -> int:
        """Return how often the studies that this one came from were looked at."""
        return sum(origin.looks for origin in self.origins)

    def to_mapping(self) -> dict[str, Any]:
        """Return plain values, ready for JSON; what is empty is left out."""
        mapping: dict[str, Any] = {"schema_version": FOLDER_VERSION, "identity": self.identity, "spec": self.spec}
        if self.extensions:
            mapping["extensions"] = list(self.extensions)
        if self.origins:
            mapping["origins"] = [asdict(origin) for origin in self.origins]
        return mapping


@final
class ManifestFile:
    """The ``study.json`` of the folder ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / STUDY

    @property
    def there(self) -> bool:
        """Whether there is one."""
        return exists(self._path)

    def read(self) -> Manifest:
        """Return what it holds.

        Raises:
            StoreError: it is damaged, of another schema version, or cannot be read.
        """
        stored = read_json(self._path)
        found = stored.get("schema_version") if isinstance(stored, dict) else None
        if found != FOLDER_VERSION:
            message = f"study folder of schema {found!r}, this version reads {FOLDER_VERSION}"
            raise StoreError(message, where=str(self._path))
        try:
            origins = (Origin(**{**one, "trials": tuple(one["trials"])}) for one in stored.get("origins", ()))
            manifest = Manifest(
                identity=stored["identity"],
                spec=dict(stored["spec"]),
                extensions=tuple(stored.get("extensions", ())),
                origins=tuple(origins),
            )
            _ = manifest.extension, manifest.looks  # what cannot be added up is damage as well
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"damaged ({error})", where=str(self._path)) from error
        return manifest

    def write(self, manifest: Manifest) -> None:
        """Write it, whole or not at all.

        Raises:
            StoreError: the disk refuses.
        """
        write_json(self._path, manifest.to_mapping())

    def extend(self, by: Extension, when: str) -> None:
        """Add an extension of the budget, also while a driver or another extension is at work.

        Raises:
            StoreError: the disk refuses.
        """
        with _alone(self._root):
            manifest = self.read()
            entry = {"when": when, **by.to_mapping()}
            self.write(replace(manifest, extensions=(*manifest.extensions, entry)))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let no other process change ``study.json`` at the same time, where the file system can lock a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
