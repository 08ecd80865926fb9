"""The study folder: records, curves, looks at the test split and the lock of its one driver (no torch)."""

from __future__ import annotations

from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.lock import DriverLock
from lorap_bench.store.look import Baseline, Confirmation, Look, Subject
from lorap_bench.store.looks import Looks
from lorap_bench.store.manifest import FOLDER_VERSION

__all__ = ["FOLDER_VERSION", "Baseline", "Confirmation", "DriverLock", "Look", "Looks", "StudyFolder", "Subject"]
