from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("ray", reason="the ray extra is not installed")

from lorap_bench.executors.ray.environment import TOKEN_VARIABLE, authenticate, for_workers


@pytest.fixture(autouse=True)
def stranger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Be somebody without a token."""
    monkeypatch.setenv(TOKEN_VARIABLE, "")
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_MODE", "token")


def test_a_local_cluster_gets_a_fresh_token(tmp_path: Path) -> None:
    authenticate(None)
    first = os.environ[TOKEN_VARIABLE]
    os.environ[TOKEN_VARIABLE] = ""
    authenticate(None)
    assert len(first) == 64
    assert os.environ[TOKEN_VARIABLE] != first
    assert not list(tmp_path.iterdir())  # never on disk


def test_an_existing_cluster_needs_the_users_token() -> None:
    with pytest.raises(MissingResource, match=r"--address 10\.0\.0\.1:6379: no token.*set RAY_AUTH_TOKEN"):
        authenticate("10.0.0.1:6379")
    os.environ[TOKEN_VARIABLE] = "known"
    authenticate("10.0.0.1:6379")
    assert os.environ[TOKEN_VARIABLE] == "known"


def test_a_token_in_its_file_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("known", encoding="utf-8")
    authenticate("auto")
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "elsewhere"))
    authenticate("auto")
    assert not os.environ[TOKEN_VARIABLE]


def test_workers_elsewhere_are_told_how_to_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORAP_BENCH_BACKEND", "reference")
    monkeypatch.setenv("LORAP_BENCH_RAW", "/here/only")
    told = for_workers()
    assert told["LORAP_BENCH_BACKEND"] == "reference"
    assert told["OMP_NUM_THREADS"] == "1"
    assert "LORAP_BENCH_RAW" not in told
    assert TOKEN_VARIABLE not in told
