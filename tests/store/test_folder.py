from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.record import MemberResult, Outcome, Status, TrialRecord
from lorap_bench.store.folder import StudyFolder

if TYPE_CHECKING:
    from pathlib import Path

SPEC: dict[str, Any] = {
    "name": "a-study",
    "seed": 0,
    "budget": {"trials": 5},
    "description": "why?",
    "replicas": {"search": 2, "confirm": 0},
    "space": {"quant.bits": {"choices": [2, 4]}},
}


def outcome(number: int, **changes: Any) -> Outcome:
    member = MemberResult(seed=7, status=Status.COMPLETE, val=0.8, best_epoch=3, epochs=10)
    fields: dict[str, Any] = {
        "status": Status.COMPLETE,
        "config": {"optim": {"lr": 0.1}},
        "digest": "abc",
        "number": number,
        "objectives": {"accuracy": 0.8},
        "members": (member,),
    }
    return Outcome(TrialRecord(**{**fields, **changes}), {"val_metric": [[0.1, 0.8]]})


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    written = outcome(12, params={"quant.bits": 4}, violations={"average_bits": -1.0})
    folder.write(written)
    assert folder.read(12) == written.record
    assert folder.curves(12) == written.curves
    assert folder.read(13) is None
    assert folder.curves(13) == {}
    assert sorted(path.relative_to(folder.root).as_posix() for path in folder.root.rglob("*.json")) == [
        "curves/000012.json",
        "study.json",
        "trials/000012.json",
    ]


def test_records_come_by_number_and_half_written_files_do_not_count(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    for number in (1_000_000, 3, 20):
        folder.write(outcome(number))
    (folder.root / "trials" / ".000021.json.tmp").write_text("{")
    (folder.root / "trials" / "notes.json").write_text("{")
    assert [record.number for record in folder.records()] == [3, 20, 1_000_000]


def test_curves_are_there_before_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    renamed: list[str] = []
    replace = type(tmp_path).replace

    def noted(self: Path, target: Path) -> Path:
        renamed.append(target.parent.name)
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", noted)
    folder.write(outcome(0))
    folder.write(outcome(1)._replace(curves={}))
    assert renamed == ["curves", "trials", "trials"]


def test_a_record_is_written_once(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    folder.write(outcome(4))
    with pytest.raises(StoreError, match="trial 4 has a record already"):
        folder.write(outcome(4, digest="other"))


def test_gaps_of_a_curve_come_back_as_nan(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    folder.write(outcome(0)._replace(curves={"train_loss": [[0.5, math.inf], [math.nan, 1.0]]}))
    first, second = folder.curves(0)["train_loss"]
    assert first[0] == 0.5
    assert math.isnan(first[1])
    assert math.isnan(second[0])
    assert second[1] == 1.0


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    folder.write(outcome(4))
    path = folder.root / "trials" / "000004.json"
    path.write_text("{")
    with pytest.raises(StoreError, match=r"000004\.json: damaged"):
        folder.records()
    path.write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(StoreError, match=r"000004\.json: record schema 99"):
        folder.read(4)


def test_the_same_study_reopens_and_may_grow(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    folder.write(outcome(0))
    before = (folder.root / "study.json").stat().st_mtime_ns
    again = StudyFolder.create(tmp_path, {**SPEC, "space": {"quant.bits": {"choices": (2, 4)}}}, "id")
    assert (folder.root / "study.json").stat().st_mtime_ns == before
    assert again.read(0) is not None
    grown = {**SPEC, "budget": {"trials": 50}, "description": "more"}
    StudyFolder.create(tmp_path, grown, "id")
    assert StudyFolder.open(tmp_path, "a-study").spec_mapping() == grown


def test_another_study_is_refused_with_what_differs(tmp_path: Path) -> None:
    StudyFolder.create(tmp_path, SPEC, "id")
    other = {
        **SPEC,
        "budget": {"trials": 9},
        "replicas": {"search": 3, "confirm": 8},
        "space": {"quant.bits": {"choices": [2, 8]}, "optim.lr": {"float": [0.1, 1.0]}},
    }
    with pytest.raises(StoreError) as caught:
        StudyFolder.create(tmp_path, other, "other id")
    text = str(caught.value)
    assert "belongs to another study" in text
    assert "space.quant.bits.choices: [2, 4] here, [2, 8] now" in text
    assert "space.optim.lr.float: 'absent' here, [0.1, 1.0] now" in text
    assert "replicas.search: 2 here, 3 now" in text
    assert "budget" not in text
    assert "confirm" not in text
    assert StudyFolder.open(tmp_path, "a-study").spec_mapping() == SPEC


def test_a_study_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    StudyFolder.create(tmp_path, SPEC, "id")
    with pytest.raises(StoreError, match=r"no study called 'a-stuby' here; did you mean 'a-study'\?"):
        StudyFolder.open(tmp_path, "a-stuby")
    with pytest.raises(StoreError, match=r"no study called 'zzz' here$"):
        StudyFolder.open(tmp_path, "zzz")


@pytest.mark.parametrize("text", ["[]", '{"schema_version": 2}'])
def test_a_folder_of_another_version_is_refused(tmp_path: Path, text: str) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    (folder.root / "study.json").write_text(text)
    with pytest.raises(StoreError, match="this version reads 1"):
        StudyFolder.open(tmp_path, "a-study")


def test_trials_without_a_study_file_are_not_taken_over(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    (folder.root / "study.json").unlink()
    StudyFolder.create(tmp_path, SPEC, "id").write(outcome(0))
    (folder.root / "study.json").unlink()
    with pytest.raises(StoreError, match=r"trials without a study\.json"):
        StudyFolder.create(tmp_path, SPEC, "id")


def test_a_suites_folder_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "a-study").mkdir()
    (tmp_path / "a-study" / "suite.json").write_text("{}")
    with pytest.raises(StoreError, match="here lies a suite"):
        StudyFolder.create(tmp_path, SPEC, "id")
    assert [path.name for path in (tmp_path / "a-study").iterdir()] == ["suite.json"]


def test_a_place_that_cannot_hold_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a-study").write_text("a file")
    with pytest.raises(StoreError, match="cannot create the folder"):
        StudyFolder.create(tmp_path, SPEC, "id")


def test_a_place_that_does_not_let_itself_be_asked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    folder.write(outcome(0))

    def refuse(self: Path, **options: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "stat", refuse)
    asked = (
        lambda: StudyFolder.create(tmp_path, SPEC, "id"),
        lambda: StudyFolder.open(tmp_path, "a-study"),
        folder.records,
        lambda: folder.read(0),
        lambda: folder.curves(0),
        lambda: folder.write(outcome(0)),
    )
    for ask in asked:
        with pytest.raises(StoreError, match="cannot read: Permission denied"):
            ask()


def test_a_reader_who_may_not_lock_sees_no_driver(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    (folder.root / "driver.lock").mkdir()
    assert not folder.driven


def test_driven_tells_whether_a_driver_is_at_work(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    before = folder.driven
    with folder.lock():
        during = folder.driven
    assert (before, during, folder.driven) == (False, True, False)
