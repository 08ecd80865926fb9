"""A folder is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.models.saved import folder as module
from lorap_bench.models.saved.folder import entries, read_file, write_folder

FIRST, SECOND = {"a": b"1", "b": b"2"}, {"a": b"3"}


def content(folder: Path) -> dict[str, bytes]:
    return {name: read_file(folder / name) for name in entries(folder)}


def test_a_folder_is_written_and_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "model"
    write_folder(folder, FIRST)
    assert content(folder) == FIRST
    write_folder(folder, SECOND)
    assert content(folder) == SECOND
    assert entries(folder.parent) == ["model"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_folder(tmp_path / "link", FIRST)
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "real") == FIRST


def test_what_a_crash_left_is_cleared(tmp_path: Path) -> None:
    for name in (".model.tmp", ".model.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_text("x")
    write_folder(tmp_path / "model", FIRST)
    assert content(tmp_path / "model") == FIRST
    assert entries(tmp_path) == ["model"]


@pytest.mark.parametrize("failing", ["_write", "_sync"])
def test_a_disk_that_refuses_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_folder(tmp_path / "model", FIRST)
    monkeypatch.setattr(module, failing, full)
    for name in ("model", "other"):
        with pytest.raises(StoreError, match=f"{name}: cannot write: No space left on device"):
            write_folder(tmp_path / name, SECOND)
    assert content(tmp_path / "model") == FIRST
    assert entries(tmp_path) == ["model"]


def test_the_old_folder_comes_back_where_the_new_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def refusing(self: Path, target: Path) -> Path:
        if self.name == ".model.tmp":
            raise OSError(16, "Device or resource busy")
        return rename(self, target)

    write_folder(tmp_path / "model", FIRST)
    monkeypatch.setattr(Path, "rename", refusing)
    with pytest.raises(StoreError, match="model: cannot write: Device or resource busy"):
        write_folder(tmp_path / "model", SECOND)
    assert content(tmp_path / "model") == FIRST
    assert entries(tmp_path) == ["model"]
