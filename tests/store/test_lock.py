from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.store.lock import DriverLock

if TYPE_CHECKING:
    from pathlib import Path


def test_one_holder_at_a_time_and_free_after(tmp_path: Path) -> None:
    path = tmp_path / "driver.lock"
    with DriverLock(path) as lock:
        with pytest.raises(StoreError, match="another process drives this study"):
            DriverLock(path)
        lock.close()
        lock.close()
        DriverLock(path).close()
    assert path.read_bytes() == b""  # no host, no process, no user


def test_a_lock_that_cannot_be_had_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match=r"cannot lock: Is a directory"):
        DriverLock(tmp_path)

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StoreError, match=r"driver\.lock: cannot lock: No locks available"):
        DriverLock(tmp_path / "driver.lock")


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "driver.lock"
    code = (
        "import sys, pathlib; from lorap_bench.store.lock import DriverLock;"
        "lock = DriverLock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreError):
            DriverLock(path)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        DriverLock(path).close()


def test_those_that_share_it_keep_out_who_wants_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "driver.lock"
    with DriverLock(path, shared=True), DriverLock(path, shared=True), pytest.raises(StoreError, match="drives"):
        DriverLock(path)
    with DriverLock(path), pytest.raises(StoreError, match="drives"):
        DriverLock(path, shared=True)
