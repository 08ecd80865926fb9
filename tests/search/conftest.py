from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.postgres import PASSWORD, Postgres, why_not

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip fsync: a test's folder need not survive a power cut."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """Return a PostgreSQL server, or skip: a user's machine need not have one."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'lorap-bench[postgres]'")
    reason = why_not()
    if reason:
        pytest.skip(reason)
    found = Postgres()
    yield found
    found.remove()


@pytest.fixture
def postgres(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """Return the server, with its password where an address finds it."""
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD)
    return server
