from __future__ import annotations

import os

import pytest


@pytest.fixture
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip fsync: a test's folder need not survive a power cut."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
