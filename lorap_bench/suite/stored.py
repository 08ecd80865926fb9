"""A suite as its folder keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from lorap_bench.errors import StoreError
from lorap_bench.suite.spec import SuiteSpec

if TYPE_CHECKING:
    from lorap_bench.suite.folder import SuiteFolder

__all__ = ["stored_suite"]


def stored_suite(folder: SuiteFolder) -> tuple[SuiteSpec, dict[str, str]]:
    """Return the suite as it was last run, and key → reason of its cells that cannot exist.

    Raises:
        StoreError: ``suite.json`` is damaged, or of another version.
    """
    stored = folder.manifest()
    try:
        return SuiteSpec.from_mapping(stored["spec"]), dict(stored["impossible"])
    except ValidationError as error:
        message = f"suite.json does not fit this version ({error.error_count()} faults)"
        raise StoreError(message, where=str(folder.root)) from error
