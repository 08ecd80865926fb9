"""A trial of a study, trained again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.record import Outcome, Status, TrialRecord
from lorap_bench.store.folder import StudyFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


@pytest.fixture
def finished(finish: Callable[..., Path]) -> Path:
    """Return where the tiny study lies, finished with two seeds a trial."""
    return finish("replicas.search=2")


def first_complete(study: Path) -> TrialRecord:
    records = StudyFolder.open(study.parent, study.name).records()
    return next(record for record in records if record.status is Status.COMPLETE)


def amend(study: Path, record: TrialRecord, **changes: Any) -> None:
    """Rewrite a record, as another version or machine would have written it."""
    (study / "trials" / f"{record.number:06d}.json").unlink()
    StudyFolder.open(study.parent, study.name).write(Outcome(replace(record, **changes), {}))


def test_a_trial_comes_out_as_recorded_and_nothing_is_stored(lorap_bench: Command, finished: Path) -> None:
    record = first_complete(finished)
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    ended = lorap_bench("rerun", finished, record.number, "--check")
    assert ended.code == 0
    assert ended.err == "2 seeds: all that was recorded came out again, bit for bit\n"
    lines = [line.split() for line in ended.out.splitlines()]
    for member in record.members:
        val = f"{member.val:.4g}"
        assert [str(member.seed), "complete", "1", str(member.best_epoch), val, val, "0"] in lines
    bits = f"{record.costs['average_bits']:.4g}"
    assert ["average_bits", bits, bits] in lines
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before


def test_a_difference_is_an_error_only_for_the_check(lorap_bench: Command, finished: Path) -> None:
    record = first_complete(finished)
    one, other = record.members
    assert one.val is not None
    versions = record.provenance["versions"] | {"torch": "1.0"}
    provenance = record.provenance | {"versions": versions}
    amend(finished, record, members=(replace(one, val=0.125), other), provenance=provenance)
    ended = lorap_bench("rerun", finished, record.number)
    assert (ended.code, ended.err) == (0, "1 difference from the record; --check names them\n")
    row = next(line.split() for line in ended.out.splitlines() if line.startswith(str(one.seed)))
    assert row[-3:] == [f"{one.val:.4g}", "0.125", f"{one.val - 0.125:.4g}"]
    checked = lorap_bench("rerun", finished, record.number, "--check")
    assert checked.code == 4
    assert "this is not the recorded training:\n" in checked.err
    assert f"  seed {one.seed}: val {one.val!r} here, 0.125 recorded\n" in checked.err
    assert f"the cause may be: torch {record.provenance['versions']['torch']} here, 1.0 recorded" in checked.err


def test_a_rerun_for_programs(lorap_bench: Command, finished: Path) -> None:
    record = first_complete(finished)
    one, other = record.members
    amend(finished, record, members=(replace(one, best_epoch=77), other))
    ended = lorap_bench("rerun", finished, record.number, "--check", "--json")
    assert ended.code == 4
    found = ended.json
    assert (found["schema_version"], found["study"], found["trial"]) == (1, "tiny", record.number)
    assert (found["digest"], found["reproduced"], found["causes"]) == (record.digest, False, [])
    assert found["differences"] == [f"seed {one.seed}: best epoch 0 here, 77 recorded"]
    assert [(member["seed"], member["differs"]) for member in found["members"]] == [
        (one.seed, True),
        (other.seed, False),
    ]
    assert found["members"][0]["recorded"]["best_epoch"] == 77
    assert "test" not in found["members"][0]["here"]
    assert found["objectives"]["here"] == record.objectives
    assert "the cause may be: another processor, which sums in another order" in ended.err


def test_a_trial_that_was_stopped_is_checked(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    settings = ("early_stopping.rule=MO-ASHA", "early_stopping.grace_epochs=1", "early_stopping.reduction_factor=4")
    more = ("optim.epochs=3", "budget.trials=12", "search.together=12")
    words = [word for each in (*settings, *more) for word in ("--set", each)]
    assert lorap_bench("run", tiny, "--runs", runs, "--no-report", "--quiet", *words).code == 0
    records = StudyFolder.open(runs, "tiny").records()
    pruned = [record for record in records if record.status is Status.PRUNED]
    assert pruned
    ended = lorap_bench("rerun", "tiny", pruned[0].number, "--runs", runs, "--check")
    assert (ended.code, "came out again, bit for bit" in ended.err) == (0, True)
    row = next(line.split() for line in ended.out.splitlines() if line.startswith(str(pruned[0].members[0].seed)))
    assert row[1:3] == ["pruned", str(pruned[0].members[0].epochs)]


def test_what_cannot_be_trained_or_checked_is_refused(lorap_bench: Command, finished: Path) -> None:
    record = first_complete(finished)
    call = ("rerun", finished, record.number)
    amend(finished, record, status=Status.DUPLICATE, duplicate_of=1)
    ended = lorap_bench(*call)
    assert (ended.code, f"trial {record.number}: repeats trial 1, which has the result" in ended.err) == (2, True)
    amend(finished, record, status=Status.INVALID, reason="average_bits <= 7")
    assert "was not trained: it is invalid (average_bits <= 7)" in lorap_bench(*call).err
    lost = tuple(replace(member, status=Status.OUT_OF_MEMORY, epochs=0) for member in record.members)
    amend(finished, record, status=Status.OUT_OF_MEMORY, members=lost)
    (finished / "curves" / f"{record.number:06d}.json").unlink()
    ended = lorap_bench(*call, "--check")
    assert (ended.code, "there is nothing to check, only to train again" in ended.err) == (2, True)
    assert lorap_bench(*call).code == 0
