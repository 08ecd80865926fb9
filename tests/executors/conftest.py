from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:  # shared stand-ins are imported as tests.search.…, also by child processes
    sys.path.insert(0, ROOT)


@pytest.fixture
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip fsync: a test's folder need not survive a power cut."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
