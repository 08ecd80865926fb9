"""The study folder: records, curves, confirmations and the lock of its one driver (no torch)."""

from __future__ import annotations

from lorap_bench.store.folder import FOLDER_VERSION, StudyFolder
from lorap_bench.store.lock import DriverLock

__all__ = ["FOLDER_VERSION", "DriverLock", "StudyFolder"]
