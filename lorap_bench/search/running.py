"""How many trials of a study run now, for somebody who looks on."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from lorap_bench.search.consistency import running, stored_trials
from lorap_bench.search.storage import read_storage
from lorap_bench.study.sections import StorageSpec

if TYPE_CHECKING:
    from lorap_bench.store.folder import StudyFolder

__all__ = ["count_running"]


def count_running(folder: StudyFolder) -> int:
    """Return how many trials run now; without a living driver none does.

    Raises:
        MissingResource: PostgreSQL's package is not installed.
        StoreError: the storage cannot be read.
    """
    if not folder.driven:
        return 0
    memory = read_storage(StorageSpec(**folder.spec_mapping().get("storage", {})), folder)
    if memory is None:
        return 0
    with closing(memory):
        return len(running(stored_trials(memory)))
