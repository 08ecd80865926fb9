from __future__ import annotations

import json
import math
import os
import stat
from typing import TYPE_CHECKING

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.store.atomic import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_written_is_read_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": [1, 2.5, "é", None, True]})
    assert read_json(tmp_path / "a.json") == {"x": [1, 2.5, "é", None, True]}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_numbers_that_json_has_not_become_null(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"loss": [[0.5, math.nan], (math.inf, -math.inf)], "n": 3})
    assert json.loads((tmp_path / "a.json").read_text()) == {"loss": [[0.5, None], [None, None]], "n": 3}


def test_data_reaches_the_disk_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, replace = os.fsync, type(tmp_path).replace

    def noted_sync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def noted_replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(type(tmp_path), "replace", noted_replace)
    write_json(tmp_path / "a.json", 1)
    assert steps == ["file", "rename", "folder"]


def test_a_write_into_what_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write: Not a directory"):
        write_json(tmp_path / "file" / "a.json", 1)


def test_a_write_the_disk_refuses_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_json(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"a\.json: cannot write: No space left"):
        write_json(path, "new")
    assert read_json(path) == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"gone\.json: cannot read: No such file"):
        read_json(tmp_path / "gone.json")
    (tmp_path / "torn.json").write_text('{"x": ')
    with pytest.raises(StoreError, match=r"torn\.json: damaged"):
        read_json(tmp_path / "torn.json")
