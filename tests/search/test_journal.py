from __future__ import annotations

import os
from typing import TYPE_CHECKING

import optuna
import pytest

from lorap_bench.errors import StoreError
from lorap_bench.search import journal
from lorap_bench.search.journal import open_journal, read_journal

if TYPE_CHECKING:
    from pathlib import Path


def fill(path: Path) -> optuna.Study:
    study = optuna.create_study(storage=open_journal(path), study_name="s", load_if_exists=True)
    study.tell(study.ask(), 1.0)
    return study


@pytest.mark.parametrize("block", [1, 7, 1 << 16])
@pytest.mark.parametrize("torn", ["", '{"op_code": 4, "wor', "x" * 500])
def test_half_a_line_at_the_end_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: str, block: int
) -> None:
    monkeypatch.setattr(journal, "_BLOCK", block)
    path = tmp_path / "journal.log"
    fill(path)
    whole = path.read_bytes()
    path.write_bytes(whole + torn.encode())
    open_journal(path)
    assert path.read_bytes() == whole
    assert len(fill(path).trials) == 2
    assert path.read_bytes().startswith(whole)


def test_a_journal_that_is_only_half_a_line_starts_empty(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    path.write_text("{")
    assert len(fill(path).trials) == 1


@pytest.mark.parametrize("alien", ["garbage", "{}", "[]", "3", "\xff"])
@pytest.mark.parametrize("place", ["whole", "first", "middle", "last", "before half a line"])
def test_what_is_no_journal_is_refused_and_left_alone(tmp_path: Path, alien: str, place: str) -> None:
    path = tmp_path / "journal.log"
    fill(path)
    lines, line = path.read_bytes().splitlines(keepends=True), alien.encode("latin-1") + b"\n"
    made = {
        "whole": [line],
        "first": [line, *lines],
        "middle": [*lines[:2], line, *lines[2:]],
        "last": [*lines, line],
        "before half a line": [*lines, line, b'{"op'],
    }
    path.write_bytes(b"".join(made[place]))
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"journal\.log: damaged"):
        open_journal(path)
    assert path.read_bytes() == before


def test_a_journal_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    path.mkdir()
    for opened in (open_journal, read_journal):
        with pytest.raises(StoreError, match=r"journal\.log: cannot read: Is a directory"):
            opened(path)


def test_no_lock_file_is_left_or_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    (tmp_path / "journal.log.lock").symlink_to(path)  # as a killed process would leave it
    assert len(fill(path).trials) == 1


def test_a_line_the_disk_does_not_take_whole_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.log"
    study = fill(path)
    whole = path.read_bytes()
    write = os.write

    def short(descriptor: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[: len(data) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", short)
        with pytest.raises(StoreError, match=r"journal\.log: cannot write: No space left"):
            study.ask()
    assert path.read_bytes() == whole
    study.tell(study.ask(), 2.0)
    assert len(fill(path).trials) == 3
