from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.record import Outcome, Status, TrialRecord
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.look import Look
from lorap_bench.store.repair import repair_files

if TYPE_CHECKING:
    from pathlib import Path

SPEC: dict[str, Any] = {"name": "a-study", "budget": {"trials": 5}}


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    made = StudyFolder.create(tmp_path, SPEC, "id")
    for number in range(3):
        record = TrialRecord(status=Status.COMPLETE, config={}, digest=str(number), number=number)
        made.write(Outcome(record, {"val_metric": [[0.5]]}))
    return made


def contents(folder: StudyFolder) -> dict[str, str]:
    return {str(path.relative_to(folder.root)): path.read_text() for path in folder.root.rglob("*") if path.is_file()}


def test_a_whole_folder_is_left_alone(folder: StudyFolder) -> None:
    before = contents(folder)
    assert repair_files(folder) == []
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "no JSON"),
        ("", "no JSON"),
        ("[]", "damaged"),
        ("{}", "damaged"),
        (json.dumps({"schema_version": 1, "status": "fine", "members": []}), "damaged"),
    ],
)
def test_a_damaged_record_is_set_aside_and_its_trial_runs_again(folder: StudyFolder, text: str, why: str) -> None:
    path = folder.root / "trials" / "000001.json"
    path.write_text(text)
    (deed,) = repair_files(folder)
    assert deed.startswith(f"set aside trials/000001.json: {why}")
    assert deed.endswith("; its trial runs again")
    assert [record.number for record in folder.records()] == [0, 2]
    assert (folder.damaged / "trials" / "000001.json").read_text() == text
    assert repair_files(folder) == []


def test_a_record_under_anothers_number_is_set_aside(folder: StudyFolder) -> None:
    path = folder.root / "trials" / "000001.json"
    path.rename(path.with_name("000007.json"))
    (deed,) = repair_files(folder)
    assert "trials/000007.json: damaged (the record of trial 1)" in deed


def test_what_is_set_aside_is_never_written_over(folder: StudyFolder) -> None:
    path = folder.root / "trials" / "000001.json"
    for text in ("{1", "{2", "{3"):
        path.write_text(text)
        repair_files(folder)
    kept = sorted(one.read_text() for one in (folder.damaged / "trials").iterdir())
    assert kept == ["{1", "{2", "{3"]


def test_half_written_files_and_damaged_curves_and_sessions_are_set_aside(folder: StudyFolder) -> None:
    (folder.root / "sessions").mkdir()
    (folder.root / "sessions" / "abc.json").write_text('{"began": 1.0, "ended": "x"}')
    (folder.root / "sessions" / "def.json").write_text('{"began": 1.0, "ended": 2.0}')
    (folder.root / "curves" / "000000.json").write_text('{"val_metric": 3}')
    (folder.root / "trials" / ".000009.json.tmp").write_text('{"sta')
    (folder.root / ".study.json.tmp").write_text("")
    deeds = repair_files(folder)
    assert sorted(deed.partition(":")[0] for deed in deeds) == [
        "set aside .study.json.tmp",
        "set aside curves/000000.json",
        "set aside sessions/abc.json",
        "set aside trials/.000009.json.tmp",
    ]
    assert len(folder.records()) == 3
    assert folder.curves(0) == {}
    assert repair_files(folder) == []


def test_a_record_of_another_version_is_no_damage(folder: StudyFolder) -> None:
    (folder.root / "trials" / "000001.json").write_text('{"schema_version": 99}')
    with pytest.raises(StoreError, match="record schema 99, this version reads"):
        repair_files(folder)
    assert not folder.damaged.exists()


def test_a_look_is_never_set_aside(folder: StudyFolder) -> None:
    folder.looks.begin(Look(number=1, seeds=(5,), subjects=(), started="now"))
    path = folder.root / "looks" / "000001.json"
    path.write_text("{")
    with pytest.raises(StoreError, match=r"looks/000001\.json: damaged"):
        repair_files(folder)
    assert path.exists()


def test_a_file_that_cannot_be_read_is_no_damage(folder: StudyFolder) -> None:
    path = folder.root / "trials" / "000001.json"
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError, match="cannot read"):
        repair_files(folder)
