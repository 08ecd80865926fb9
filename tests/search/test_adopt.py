from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Outcome, Status
from lorap_bench.search.adopt import Source, differences
from lorap_bench.search.loop import Broker
from lorap_bench.search.version import Built, NewStudy
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.look import Look
from tests.search.synthetic import each, fail, make_spec, sketch, story, train

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

pytestmark = pytest.mark.usefixtures("fast_disk")

NARROW: dict[str, Any] = {"quant.bits": {"choices": [2, 4, 8]}, "prompt.rank": {"int": [1, 4]}}
OTHER: dict[str, Any] = {"quant.bits": {"choices": [4, 8, 32]}, "prompt.rank": {"int": [1, 6]}}


class Killed(BaseException):
    """The process died here."""


def searched(runs: Path, spec: StudySpec, train_one: Any = train) -> StudyFolder:
    folder = StudyFolder.create(runs, spec.to_mapping(), spec.identity)
    go_on(folder, spec, train_one)
    return folder


def go_on(folder: StudyFolder, spec: StudySpec, train_one: Any = train) -> None:
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        run_local(broker, each(train_one), Stop())


def build(runs: Path, spec: StudySpec, *folders: StudyFolder, specs: list[StudySpec]) -> Built:
    sources = [Source(folder.root.name, folder, one) for folder, one in zip(folders, specs, strict=True)]
    return NewStudy(runs=runs, spec=spec, sources=sources, planner=sketch).build()


def figures(record: TrialRecord) -> tuple[Any, ...]:
    """Return what a trial came to, wherever it is."""
    seeds = tuple(member.seed for member in record.members)
    return record.digest, record.status, seeds, tuple(sorted(record.objectives.items())), record.seconds


def test_a_new_space_keeps_the_trials_that_are_points_of_it(tmp_path: Path) -> None:
    spec = make_spec(NARROW, trials=8)
    old = searched(tmp_path, spec)
    wanted = make_spec(OTHER, trials=20)
    fits = {record.number: record for record in old.records() if record.params["quant.bits"] != 2}
    fits = {number: record for number, record in fits.items() if record.status.counts}
    assert 0 < len(fits) < 8

    built = build(tmp_path, wanted, old, specs=[spec])
    new = StudyFolder.open(tmp_path, "synthetic")
    (origin,) = built.origins
    assert built.aside == "synthetic.v1"
    assert origin.trials == tuple(fits)
    assert origin.left["quant.bits outside the new space"] == 8 - len(fits)
    assert [record.number for record in new.records()] == list(range(len(fits)))
    assert [figures(record) for record in new.records()] == [figures(record) for record in fits.values()]
    assert [new.curves(place) for place in range(len(fits))] == [
        StudyFolder.open(tmp_path, "synthetic.v1").curves(number) for number in fits
    ]
    assert new.manifest.origins == (origin,)
    assert (new.manifest.identity, new.spec_mapping()) == (wanted.identity, wanted.to_mapping())


def test_the_search_goes_on_in_the_new_space(tmp_path: Path) -> None:
    spec, wanted = make_spec(NARROW, trials=8, sampler="TPE"), make_spec(OTHER, trials=14, sampler="TPE")
    old = searched(tmp_path, spec)
    kept = len(build(tmp_path, wanted, old, specs=[spec]).origins[0].trials)
    new = StudyFolder.create(tmp_path, wanted.to_mapping(), wanted.identity)
    go_on(new, wanted)
    records = new.records()
    assert sum(record.status.counts for record in records) == 14
    digests = [record.digest for record in records if record.status is Status.COMPLETE]
    assert len(set(digests)) == len(digests)
    assert any(record.params["quant.bits"] == 32 for record in records[kept:])


def test_what_is_no_longer_searched_must_have_the_base_value(tmp_path: Path) -> None:
    spec = make_spec(NARROW, trials=12)
    old = searched(tmp_path, spec)
    fixed = make_spec({"quant.bits": {"choices": [2, 4, 8]}}, prompt={"kind": "LoRAP", "rank": 2})
    built = build(tmp_path, fixed, old, specs=[spec])
    new = StudyFolder.open(tmp_path, "synthetic")
    assert {record.config["prompt"]["rank"] for record in new.records()} == {2}
    assert all(set(record.params) == {"quant.bits"} for record in new.records())
    assert built.origins[0].left["another configuration in the new study (prompt.rank)"] > 0


def test_what_is_searched_now_is_read_from_the_configuration(tmp_path: Path) -> None:
    spec = make_spec(NARROW, trials=4)
    old = searched(tmp_path, spec)
    more = make_spec({**NARROW, "model.hidden": {"int": [8, 32]}})
    (origin,) = build(tmp_path, more, old, specs=[spec]).origins
    assert len(origin.trials) == 4
    new = StudyFolder.open(tmp_path, "synthetic")
    assert {record.params["model.hidden"] for record in new.records()} == {spec.base.model.hidden}


def test_an_inactive_parameter_is_no_part_of_the_point(tmp_path: Path) -> None:
    when = {"prompt.kind": ["LoRAP"]}
    conditional = {
        "prompt.kind": {"choices": ["None", "LoRAP"]},
        "prompt.rank": {"int": [1, 4], "when": when},
        "quant.bits": {"choices": [4, 8]},
    }
    spec = make_spec(conditional, trials=9)
    old = searched(tmp_path, spec)
    wider = {**conditional, "prompt.rank": {"int": [1, 9], "when": when}}
    build(tmp_path, make_spec(wider, trials=30), old, specs=[spec])
    new = StudyFolder.open(tmp_path, "synthetic")
    assert {("prompt.rank" in record.params) for record in new.records()} == {True, False}
    assert all(
        ("prompt.rank" in record.params) == (record.params["prompt.kind"] == "LoRAP") for record in new.records()
    )


def test_failures_come_along_and_answers_stay(tmp_path: Path) -> None:
    tiny = make_spec({"quant.bits": {"choices": [2, 4]}, "prompt.rank": {"choices": [8, 12]}}, trials=4)
    # Ranks of 8 and 12 train alike, so half of the points are repeats.
    old = searched(tmp_path, tiny, lambda config, seeds, **options: fail(config, seeds))
    old_records = old.records()
    wider = make_spec({"quant.bits": {"choices": [2, 4, 8]}, "prompt.rank": {"choices": [8, 12]}}, trials=4)
    (origin,) = build(tmp_path, wider, old, specs=[tiny]).origins
    assert len(origin.trials) == 2
    assert origin.left == {"answered without training; asked for again at no cost": len(old_records) - 2}
    records = StudyFolder.open(tmp_path, "synthetic").records()
    assert [record.status for record in records] == [Status.DIVERGED, Status.DIVERGED]


def test_kept_trials_are_judged_by_the_new_constraints(tmp_path: Path) -> None:
    spec = make_spec(NARROW, trials=8)
    old = searched(tmp_path, spec)
    strict = make_spec(NARROW, trials=8, constraints={"average_bits": "<= 5"})
    build(tmp_path, strict, old, specs=[spec])
    records = StudyFolder.open(tmp_path, "synthetic").records()
    assert {(record.params["quant.bits"] <= 5) == record.feasible for record in records} == {True}
    assert {record.feasible for record in records} == {True, False}


def test_a_study_of_which_nothing_fits_is_refused_and_stays(tmp_path: Path) -> None:
    spec = make_spec(NARROW, trials=3)
    old = searched(tmp_path, spec)
    before = story(old)
    none = make_spec({"quant.bits": {"choices": [32]}, "prompt.rank": {"int": [1, 4]}})
    with pytest.raises(StoreError, match=r"none of the trials of synthetic fits: 3 quant\.bits outside the new space"):
        build(tmp_path, none, old, specs=[spec])
    assert story(StudyFolder.open(tmp_path, "synthetic")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["synthetic"]


def test_a_merge_has_the_trials_of_both_and_each_configuration_once(tmp_path: Path) -> None:
    first = make_spec(NARROW, trials=6, name="first")
    second = make_spec(NARROW, trials=6, name="second", seed=1)
    folders = [searched(tmp_path, spec) for spec in (first, second)]
    digests = [{record.digest for record in folder.records()} for folder in folders]
    merged = first.model_copy(update={"name": "both"})
    built = build(tmp_path, merged, *folders, specs=[first, second])
    new = StudyFolder.open(tmp_path, "both")
    found = [record.digest for record in new.records()]
    assert len(found) == len(set(found))
    assert set(found) == digests[0] | digests[1]
    shared = digests[0] & digests[1]
    assert shared
    assert built.origins[1].left["the same configuration as a trial kept already"] == len(shared)
    assert built.origins[1].first == len(built.origins[0].trials)
    for folder, origin in zip(folders, built.origins, strict=True):
        for place, number in enumerate(origin.trials, origin.first):
            moved, kept = new.read(place), folder.read(number)
            assert moved is not None
            assert kept is not None
            assert figures(moved) == figures(kept)
    assert built.aside == ""


def test_looks_stay_behind_and_count(tmp_path: Path) -> None:
    spec = make_spec(NARROW, trials=3)
    old = searched(tmp_path, spec)
    for number in (1, 2):
        look = Look(number=number, seeds=(number,), subjects=(), started="now", again=number > 1)
        old.looks.begin(look)
        old.looks.finish(look, "then")
    wider = make_spec({**NARROW, "quant.bits": {"choices": [2, 4, 8, 32]}})
    assert build(tmp_path, wider, old, specs=[spec]).origins[0].looks == 2
    new = StudyFolder.open(tmp_path, "synthetic")
    assert (new.looks.all(), new.looks.next_number) == ([], 3)
    widest = make_spec({**NARROW, "quant.bits": {"choices": [2, 3, 4, 8, 32]}})
    assert build(tmp_path, widest, new, specs=[wider]).origins[0].looks == 2


def test_hours_that_were_worked_stay_spent(tmp_path: Path) -> None:
    from lorap_bench.store.sessions import seconds_of

    spec = make_spec(NARROW, trials=3)
    old = searched(tmp_path, spec)
    spent = seconds_of(old.root)
    build(tmp_path, make_spec(OTHER), old, specs=[spec])
    assert seconds_of(tmp_path / "synthetic") == spent > 0


@pytest.mark.parametrize("at", [0, 1, 5, 9])
def test_killed_while_it_copies_the_old_study_stays_and_the_same_command_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    spec, wider = make_spec(NARROW, trials=6), make_spec({**NARROW, "quant.bits": {"choices": [2, 4, 8, 32]}})
    old = searched(tmp_path, spec)
    before, writes, true_write = story(old), iter(range(99)), StudyFolder.write

    def write(self: StudyFolder, outcome: Outcome) -> None:
        if next(writes) == at:
            raise Killed
        true_write(self, outcome)

    with monkeypatch.context() as patch:
        patch.setattr(StudyFolder, "write", write)
        patch.setattr(shutil, "rmtree", lambda *arguments, **options: None)  # the dead tidy nothing up
        if at < 6:
            with pytest.raises(Killed):
                build(tmp_path, wider, old, specs=[spec])
    assert story(StudyFolder.open(tmp_path, "synthetic")) == before
    assert build(tmp_path, wider, old, specs=[spec]).aside == "synthetic.v1"
    assert len(StudyFolder.open(tmp_path, "synthetic").records()) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["synthetic", "synthetic.v1"]


def test_what_cannot_be_one_study_is_told() -> None:
    one = make_spec(NARROW)
    assert differences(one, make_spec(OTHER, trials=99, seed=7, sampler="TPE")) == []
    assert differences(one, make_spec({**NARROW, "optim.epochs": {"int": [1, 9]}}, optim={"epochs": 9})) == []
    assert differences(one, make_spec(NARROW, objectives=["accuracy"])) == [
        "objectives: accuracy, average_bits, overhead and accuracy"
    ]
    other = make_spec(NARROW, replicas={"search": 5}, task={"dataset": "Cora"}, model={"hidden": 64})
    assert differences(one, other) == [
        "replicas.search: 2 and 5",
        "model.hidden: 16 and 64",
        "task.dataset: 'Digits' and 'Cora'",
    ]
    tables = make_spec(NARROW, quant={"layer_bits": {"0": 2}})
    assert differences(one, tables) == ["quant.layer_bits.0: absent and 2"]


def test_a_trial_without_a_value_for_an_objective_stays(tmp_path: Path) -> None:
    spec = make_spec(NARROW, trials=2, objectives=["accuracy"])

    def bare(*arguments: Any, **options: Any) -> Outcome:
        outcome = train(*arguments, **options)
        record = replace(outcome.record, objectives={"accuracy": outcome.record.objectives["accuracy"]})
        return outcome._replace(record=record)

    old = searched(tmp_path, spec, bare)
    with pytest.raises(StoreError, match="2 without a value for average_bits, overhead"):
        build(tmp_path, make_spec(NARROW), old, specs=[spec])
