"""What a report is made from, read from a study's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.errors import StoreError
from lorap_bench.report.company import check_company
from lorap_bench.report.material import Material
from lorap_bench.report.provenance import study_toml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.store.manifest import Manifest
    from lorap_bench.study.spec import StudySpec

__all__ = ["Stored", "material_of"]

Stored = tuple["StudyFolder", "StudySpec"]


def material_of(stored: Stored, file: str = "", others: Sequence[Stored] = ()) -> Material:
    """Read a stored study, and those beside it, for a report.

    Raises:
        StoreError: a study has no trial yet, or cannot be read.
        ConfigError: a study beside it has another task or other objectives.
    """
    folder, spec = stored
    records = folder.records()
    if not records:
        raise StoreError("the study has no trials yet, so there is nothing to report; run it first", where=spec.name)
    material = Material(
        spec,
        records,
        folder.confirmations(),
        folder.curves,
        _since(spec.name, folder.manifest) + study_toml(folder.spec_mapping()),
        file,
        tuple(material_of(other) for other in others),
    )
    check_company(material)
    return material


def _since(name: str, manifest: Manifest) -> str:
    """Return comments for the study file: what the study has beside it, and how it came to that."""
    grown = manifest.extension.to_mapping()
    options = " ".join(f"--{limit.replace('_', '-')} +{more:g}" for limit, more in grown.items())
    lines = [f"# Extended since: lorap-bench extend {name} {options}"] if grown else []
    for origin in manifest.origins:
        last = origin.first + len(origin.trials) - 1
        looked = f"; its test split was looked at {origin.looks} times" if origin.looks else ""
        lines.append(f"# Trials {origin.first} to {last} come from {origin.name}{looked}")
    return "".join(f"{line}\n" for line in lines)
