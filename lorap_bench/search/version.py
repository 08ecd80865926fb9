"""Build a study out of others' trials beside its place, and put it there when it is whole."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from lorap_bench.search.adopt import adopt, refuse_nothing_kept
from lorap_bench.search.repair import rebuild
from lorap_bench.store.access import access
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.manifest import Manifest
from lorap_bench.store.versions import begin, put

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lorap_bench.search.adopt import Source
    from lorap_bench.search.objective import Planner
    from lorap_bench.store.manifest import Origin
    from lorap_bench.study.spec import StudySpec

__all__ = ["Built", "NewStudy"]


@final
@dataclass(frozen=True, slots=True)
class Built:
    """What a new study has: where its trials came from, and the name of the folder whose place it took."""

    origins: list[Origin]
    aside: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NewStudy:
    """A study that is to begin with the trials of others.

    Attributes:
        runs: where its folder is to lie; one that is there is kept under another name.
        spec: the study as written.
        sources: the studies that give trials; the caller sees to it that none of them loses its folder meanwhile.
        planner: what works out a configuration before training.
        extensions: of its budget, as ``study.json`` has them.
    """

    runs: Path
    spec: StudySpec
    sources: Sequence[Source]
    planner: Planner
    extensions: tuple[dict[str, Any], ...] = ()

    def build(self) -> Built:
        """Build it and put it in its place; a crash at any instant leaves what was there, or the new study.

        Raises:
            StoreError: no trial of a source fits, a record is damaged, or the disk refuses.
        """
        building = begin(self.runs, self.spec.name)
        try:
            origins = self._fill(building)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        return Built(origins, put(self.runs, self.spec.name))

    def _fill(self, root: Path) -> list[Origin]:
        mapping = self.spec.to_mapping()
        manifest = Manifest(identity=self.spec.identity, spec=mapping, extensions=self.extensions)
        folder = StudyFolder.make(root, manifest)
        origins = adopt(self.spec, self.sources, folder, self.planner)
        refuse_nothing_kept(origins, self.spec.name)
        for source in self.sources:
            sessions = source.folder.root / "sessions"
            with access(sessions, "copy"):
                if sessions.is_dir():
                    shutil.copytree(sessions, root / "sessions", dirs_exist_ok=True)
        rebuild(self.spec, folder)
        StudyFolder.make(root, replace(manifest, origins=tuple(origins)))
        return origins
