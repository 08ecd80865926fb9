from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.record import MemberResult, Status, TrialRecord
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.look import Baseline, Look, Subject
from lorap_bench.store.looks import Looks

if TYPE_CHECKING:
    from pathlib import Path

PLAIN, FP32 = Baseline.NO_PROMPT, Baseline.FP32
SUBJECTS = (
    Subject(number=3, digest="aa", baselines={PLAIN: "bb", FP32: "cc"}),
    Subject(number=8, digest="dd", baselines={PLAIN: "bb", FP32: "cc"}, impossible={}),
    Subject(number=9, digest="bb", baselines={FP32: "cc"}, impossible={PLAIN: "why"}),
)


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    return StudyFolder.create(tmp_path, {"name": "a-study"}, "id")


def look(number: int = 1, **changes: Any) -> Look:
    fields: dict[str, Any] = {
        "number": number,
        "seeds": (5, 6),
        "subjects": SUBJECTS,
        "started": "2026-02-03T04:05:06+00:00",
        "counted": 12,
        "budget": 10,
    }
    return Look(**{**fields, **changes})


def record(digest: str, **changes: Any) -> TrialRecord:
    member = MemberResult(seed=5, status=Status.COMPLETE, val=0.8, test=0.7)
    fields: dict[str, Any] = {"status": Status.COMPLETE, "config": {}, "digest": digest, "members": (member,)}
    return TrialRecord(**{**fields, **changes})


def old_confirmation(folder: StudyFolder, number: int, **changes: Any) -> TrialRecord:
    written = record(f"digest {number}", number=number, **changes)
    path = folder.root / "confirmed" / f"{number:06d}.json"
    path.write_text(json.dumps(written.to_mapping()), encoding="utf-8")
    return written


def test_a_look_comes_back_as_it_was(folder: StudyFolder) -> None:
    assert folder.looks.all() == []
    assert folder.looks.unfinished() is None
    folder.looks.begin(look())
    assert folder.looks.all() == [look()]
    assert folder.looks.unfinished() == look()
    whole = folder.looks.finish(look(), "2026-02-04T00:00:00+00:00")
    assert whole == look(finished="2026-02-04T00:00:00+00:00")
    assert folder.looks.all() == [whole]
    assert folder.looks.unfinished() is None
    assert (folder.root / "looks" / "000001.json").is_file()


def test_a_configuration_stands_once_in_a_look_and_has_a_name() -> None:
    assert look().digests == ("aa", "bb", "cc", "dd")
    assert [look().label(digest) for digest in look().digests] == [
        "trial 3",
        "trial 9",
        "FP32 (for trials 3, 8, 9)",
        "trial 8",
    ]
    both = look(subjects=(Subject(number=1, digest="aa", baselines={PLAIN: "bb", FP32: "bb"}),))
    assert both.label("bb") == "no prompt and FP32 (for trial 1)"
    rungs = look(subjects=(Subject(number=1, digest="aa", baselines={Baseline.GPF: "bb", Baseline.LORAP: "cc"}),))
    assert [rungs.label(digest) for digest in rungs.digests[1:]] == [
        "node prompts alone (for trial 1)",
        "LoRAP alone (for trial 1)",
    ]


def test_a_ladder_comes_back_as_it_was_and_older_looks_have_none() -> None:
    roles = {PLAIN: "bb", FP32: "cc", Baseline.GPF: "dd"}
    one = Subject(number=3, digest="aa", baselines=roles, impossible={Baseline.LORAP: "why"})
    whole = look(subjects=(one,), ladder=True)
    mapping = json.loads(json.dumps(whole.to_mapping()))
    assert Look.from_mapping(mapping) == whole
    assert list(mapping["subjects"][0]["baselines"]) == ["no_prompt", "fp32", "gpf"]
    del mapping["ladder"]
    assert not Look.from_mapping(mapping).ladder


def test_every_baseline_has_words_of_its_own() -> None:
    assert len({role.words for role in Baseline}) == len(Baseline)


def test_a_second_look_is_refused_with_the_first_ones_day_unless_it_says_again(folder: StudyFolder) -> None:
    folder.looks.begin(look())
    folder.looks.finish(look(), "2026-02-03")
    with pytest.raises(StoreError, match=r"looked at already \(look 1, of 2026-02-03\); --again looks once more"):
        folder.looks.begin(look(2))
    assert len(folder.looks.all()) == 1
    second = look(2, again=True, seeds=(7, 8))
    folder.looks.begin(second)
    assert folder.looks.all()[1] == second


@pytest.mark.parametrize("again", [False, True])
def test_no_look_begins_before_the_last_is_whole(folder: StudyFolder, again: bool) -> None:
    folder.looks.begin(look())
    with pytest.raises(StoreError, match=r"look 1 at the test split, of 2026-02-03, is not finished"):
        folder.looks.begin(look(2, again=again))


def test_records_of_looks_lie_side_by_side_and_are_written_once(folder: StudyFolder) -> None:
    first, second = look(), look(2, again=True)
    folder.looks.begin(first)
    folder.looks.write(first, "aa", record("aa", number=3))
    with pytest.raises(StoreError, match="trial 3 has a record in look 1 already"):
        folder.looks.write(first, "aa", record("aa", number=3))
    first = folder.looks.finish(first, "2026-02-03")
    folder.looks.begin(second)
    folder.looks.write(second, "aa", record("aa", number=3, seconds=9.0))
    assert folder.looks.records(first) == {"aa": record("aa", number=3)}
    assert folder.looks.records(second) == {"aa": record("aa", number=3, seconds=9.0)}


def test_extent_grows_with_everything_written(folder: StudyFolder) -> None:
    seen = [folder.looks.extent]
    folder.looks.begin(look())
    for digest in look().digests:
        folder.looks.write(look(), digest, record(digest))
        seen.append(folder.looks.extent)
    folder.looks.finish(look(), "2026-02-03")
    seen.append(folder.looks.extent)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_a_confirmation_stands_beside_its_baselines_as_the_last_look_saw_it(folder: StudyFolder) -> None:
    folder.looks.begin(look())
    assert folder.confirmations() == {}
    for digest in ("bb", "aa"):
        folder.looks.write(look(), digest, record(digest))
    found = folder.confirmations()
    assert list(found) == [3, 9]
    assert (found[3].look, found[3].record.number, found[3].record.digest) == (1, 3, "aa")
    assert found[3].baselines == {PLAIN: record("bb")}
    assert (found[9].record.number, found[9].baselines) == (9, {})
    for digest in ("cc", "dd"):
        folder.looks.write(look(), digest, record(digest))
    assert folder.confirmations()[8].baselines == {PLAIN: record("bb"), FP32: record("cc")}
    folder.looks.finish(look(), "2026-02-03")
    second = look(2, again=True, subjects=(Subject(number=8, digest="dd"),))
    folder.looks.begin(second)
    folder.looks.write(second, "dd", record("dd", seconds=4.0))
    found = folder.confirmations()
    assert {number: one.look for number, one in found.items()} == {3: 1, 8: 2, 9: 1}
    assert (found[8].record.seconds, found[8].baselines) == (4.0, {})


def test_confirmations_without_a_look_are_look_1(folder: StudyFolder) -> None:
    days = ["2026-01-02T00:00:00+00:00", "2026-01-01T00:00:00+00:00"]
    members = [(MemberResult(seed=seed, status=Status.COMPLETE, val=0.8, test=0.7),) for seed in (11, 12)]
    four = old_confirmation(folder, 4, started=days[0], members=members[0])
    seven = old_confirmation(folder, 7, started=days[1], members=members[1])
    [first] = folder.looks.all()
    assert (first.number, first.seeds, first.date, first.finished) == (1, (11, 12), "2026-01-01", days[0])
    assert (first.counted, first.budget) == (None, None)
    assert [one.number for one in first.subjects] == [4, 7]
    assert {number: (one.look, one.record) for number, one in folder.confirmations().items()} == {
        4: (1, four),
        7: (1, seven),
    }
    with pytest.raises(StoreError, match="look 1, of 2026-01-01"):
        folder.looks.begin(look(2))
    folder.looks.begin(look(2, again=True))
    folder.looks.write(look(2), "aa", record("aa"))
    assert [one.number for one in folder.looks.all()] == [1, 2]
    assert sorted(folder.confirmations()) == [3, 4, 7]


def test_an_old_confirmation_may_not_know_its_day(folder: StudyFolder) -> None:
    old_confirmation(folder, 4)
    [first] = folder.looks.all()
    assert first.date == "an unknown day"
    assert folder.looks.unfinished() is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "damaged"),
        ("[]", "look schema None, this version reads 1"),
        ('{"schema_version": 2}', "look schema 2, this version reads 1"),
        ('{"schema_version": 1}', "damaged look"),
    ],
)
def test_a_damaged_look_is_named(folder: StudyFolder, text: str, told: str) -> None:
    folder.looks.begin(look())
    (folder.root / "looks" / "000001.json").write_text(text)
    with pytest.raises(StoreError, match=rf"000001\.json: {told}"):
        folder.looks.all()


@pytest.mark.parametrize(
    "spoilt", [{"subjects": [1]}, {"subjects": [{"number": 1}]}, {"seeds": None}, {"subjects": "x"}, {"more": 1}]
)
def test_a_look_with_a_wrong_part_is_damaged(spoilt: dict[str, Any]) -> None:
    mapping = json.loads(json.dumps(look().to_mapping()))
    assert Look.from_mapping(mapping) == look()
    with pytest.raises(StoreError, match="damaged look"):
        Look.from_mapping({**mapping, **spoilt})


def test_a_baseline_that_is_unknown_is_damaged() -> None:
    mapping = json.loads(json.dumps(look().to_mapping()))
    mapping["subjects"][0]["baselines"] = {"int3": "aa"}
    with pytest.raises(StoreError, match="damaged look"):
        Look.from_mapping(mapping)


def test_a_place_that_takes_no_look_is_named(folder: StudyFolder) -> None:
    (folder.root / "looks").write_text("a file")
    with pytest.raises(StoreError, match="cannot"):
        folder.looks.begin(look())


def test_an_older_look_keeps_its_words_whatever_comes(folder: StudyFolder) -> None:
    folder.looks.begin(look())
    folder.looks.finish(look(), "2026-02-03")
    before = (folder.root / "looks" / "000001.json").read_bytes()
    folder.looks.begin(replace(look(2), again=True))
    assert (folder.root / "looks" / "000001.json").read_bytes() == before


def test_looks_of_the_studies_that_gave_trials_count(tmp_path: Path) -> None:
    looks = Looks(tmp_path, earlier=2)
    assert (looks.next_number, looks.all()) == (3, [])
    with pytest.raises(StoreError, match=r"looked at already \(by the studies its trials come from\); --again"):
        looks.begin(Look(number=3, seeds=(5,), subjects=(), started="2026-01-02"))
    looks.begin(Look(number=3, seeds=(5,), subjects=(), started="2026-01-02", again=True))
    assert [look.number for look in looks.all()] == [3]
    assert looks.next_number == 4
