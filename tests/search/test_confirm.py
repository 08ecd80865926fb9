from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import ConfigError, Fault, StoreError
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Interrupted, Stop
from lorap_bench.record import Status
from lorap_bench.report.trial import gain
from lorap_bench.search.account import search_left
from lorap_bench.search.baselines import baselines, subject
from lorap_bench.search.confirm import Bench, confirm, front
from lorap_bench.search.loop import Broker
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.look import Baseline
from lorap_bench.study.space import overlay
from tests.search.synthetic import accuracy_of, each, fail, make_spec, sketch, train

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.record import Outcome, TrialRecord
    from lorap_bench.store.look import Look
    from lorap_bench.study.spec import StudySpec

pytestmark = pytest.mark.usefixtures("fast_disk")


PLAIN, FP32, GPF, LORAP = Baseline
BOTH = {
    "prompt.kind": {"choices": ["GPFPlus", "LoRAP", "GPFLoRAP"]},
    "prompt.rank": {"int": [1, 4]},
    "quant.bits": {"choices": [2, 4, 8]},
}
BENCH = Bench(train=train, planner=sketch)


def finished(tmp_path: Path, confirmations: int = 4) -> tuple[StudySpec, StudyFolder]:
    spec = make_spec(
        trials=12,
        constraints={"average_bits": "<= 8", "accuracy": ">= 0.5"},
        replicas={"search": 2, "confirm": confirmations},
    )
    folder = StudyFolder.create(tmp_path, spec.to_mapping(), spec.identity)
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        run_local(broker, each(train), Stop())
    return spec, folder


def prompted(tmp_path: Path) -> tuple[StudySpec, StudyFolder]:
    """Return a study whose front has every kind of prompt with simpler ones below it, and one without."""
    spec = make_spec(BOTH, trials=20)
    folder = StudyFolder.create(tmp_path, spec.to_mapping(), spec.identity)
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        run_local(broker, each(train), Stop())
    return spec, folder


def dominated(one: TrialRecord, other: TrialRecord) -> bool:
    gains = [
        other.objectives["accuracy"] - one.objectives["accuracy"],
        one.objectives["average_bits"] - other.objectives["average_bits"],
        one.objectives["overhead"] - other.objectives["overhead"],
    ]
    return min(gains) >= 0 and max(gains) > 0


def test_the_front_is_what_nothing_feasible_dominates(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    able = [record for record in folder.records() if record.status is Status.COMPLETE and record.feasible]
    expected = [record for record in able if not any(dominated(record, other) for other in able)]
    assert 0 < len(expected) < len(able)
    assert front(spec, folder.records()) == expected


def test_infeasible_and_failed_trials_are_on_no_front(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    best = front(spec, folder.records())[0]
    spoilt = [replace(best, violations={"accuracy": 0.1}), replace(best, status=Status.DIVERGED)]
    assert front(spec, spoilt) == []


def grown(spec: StudySpec, folder: StudyFolder, trials: int) -> StudySpec:
    """Run a study on to a larger budget."""
    more = spec.model_copy(update={"budget": spec.budget.model_copy(update={"trials": trials})})
    with Broker(more, folder, None, blueprint=sketch) as broker:
        run_local(broker, each(train), Stop())
    return more


def story(folder: StudyFolder, look: Look) -> list[tuple[Any, ...]]:
    return [
        (digest, record.number, tuple(member.seed for member in record.members), record.objectives)
        for digest, record in folder.looks.records(look).items()
    ]


def test_the_front_and_its_baselines_run_on_the_same_fresh_seeds_on_the_test_split(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    heard: list[str] = []
    look = confirm(spec, folder, replace(BENCH, on_event=lambda name, record: heard.append(name)), seeds=4)
    searched = {record.number: record for record in folder.records()}
    found = folder.confirmations()
    assert list(found) == [record.number for record in front(spec, folder.records())]
    used = {member.seed for record in searched.values() for member in record.members}
    assert len(look.seeds) == 4
    assert not used & set(look.seeds)
    records = folder.looks.records(look)
    assert list(records) == list(look.digests)
    assert [look.label(digest) for digest in look.digests] == heard
    for record in records.values():
        assert tuple(member.seed for member in record.members) == look.seeds
        assert all(member.test is not None for member in record.members)
    for number, one in found.items():
        assert one.record.digest == searched[number].digest
        assert one.record.params == searched[number].params
        assert (one.look, one.record.number) == (1, number)
    assert all(member.test is None for record in searched.values() for member in record.members)
    assert not folder.driven


def test_baselines_are_the_trial_without_prompt_and_in_fp32(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    confirm(spec, folder, BENCH, seeds=2)
    kinds = set()
    for one in folder.confirmations().values():
        config = one.record.config
        prompted = config["prompt"]["kind"] != "None"
        kinds.add(prompted)
        assert set(one.baselines) == ({PLAIN, FP32} if prompted else {FP32})
        for role, record in one.baselines.items():
            assert record.config["prompt"]["kind"] == "None"
            assert record.config["quant"]["scheme"] == ("FP32" if role is FP32 else config["quant"]["scheme"])
            assert [record.config[name] for name in ("task", "model", "optim")] == [
                config[name] for name in ("task", "model", "optim")
            ]
            assert record.params == {}
        if prompted:
            assert one.baselines[PLAIN].config["quant"] == config["quant"]
    assert kinds == {True, False}


def test_baselines_that_train_alike_run_once(tmp_path: Path) -> None:
    space = {"quant.bits": {"choices": [2, 4, 8]}, "prompt.rank": {"int": [1, 8]}}
    spec = make_spec(space, trials=20)
    folder = StudyFolder.create(tmp_path, spec.to_mapping(), spec.identity)
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        run_local(broker, each(train), Stop())
    look = confirm(spec, folder, BENCH, seeds=3)
    widths = {one.record.config["quant"]["bits"] for one in folder.confirmations().values()}
    assert len(look.subjects) > len(widths)
    assert len(look.digests) == len(look.subjects) + len(widths) + 1  # a plain model a width, and one FP32 for all
    assert len({one.baselines[FP32] for one in look.subjects}) == 1


def test_a_look_is_written_down_before_it_begins_and_when_it_is_whole(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    looks: list[Look] = []

    def watched(config: Any, seeds: Any, **arguments: Any) -> Outcome:
        looks.extend(folder.looks.all())
        return train(config, seeds, **arguments)

    done = confirm(spec, folder, replace(BENCH, train=watched), seeds=2)
    assert looks[0] == replace(done, finished="")
    assert (done.number, done.again, done.counted, done.budget) == (1, False, 12, 12)
    assert done.started
    assert done.finished >= done.started
    assert folder.looks.all() == [done]


def test_an_interrupted_confirmation_goes_on_with_the_same_seeds(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path / "whole")
    whole = story(folder, confirm(spec, folder, BENCH, seeds=4))
    spec, folder = finished(tmp_path / "pieces")
    calls: list[Any] = []

    def train_once(config: Any, seeds: Any, **arguments: Any) -> Outcome:
        calls.append(seeds)
        stop = Stop()
        if len(calls) % 2 == 0:
            stop.request()
            stop.request()
        return train(config, seeds, split=arguments["split"], on_epoch=stop.check)

    for _ in whole[1:]:
        with pytest.raises(Interrupted):
            confirm(spec, folder, replace(BENCH, train=train_once), seeds=4)
        assert not folder.driven
        assert folder.looks.unfinished() is not None
    done = confirm(spec, folder, replace(BENCH, train=train_once), seeds=4)
    assert story(folder, done) == whole
    assert [look.number for look in folder.looks.all()] == [1]
    assert len(calls) == 2 * len(whole) - 1


def test_an_interrupted_look_goes_on_with_its_own_trials_and_seeds_alone(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)

    def stop(config: Any, seeds: Any, **arguments: Any) -> Outcome:
        raise Interrupted

    with pytest.raises(Interrupted):
        confirm(spec, folder, replace(BENCH, train=stop), seeds=2)
    [begun] = folder.looks.all()
    more = grown(spec, folder, 40)
    with pytest.raises(StoreError, match="look 1 at the test split began with 2 seeds and goes on with them; got 3"):
        confirm(more, folder, BENCH, seeds=3)
    done = confirm(more, folder, BENCH, seeds=2, again=True)
    assert done == replace(begun, finished=done.finished)
    assert len(folder.looks.all()) == 1


def test_a_second_look_is_refused_unless_asked_for_and_keeps_the_first(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    first = confirm(spec, folder, BENCH, seeds=2)
    before = folder.looks.records(first)
    with pytest.raises(StoreError, match=rf"looked at already \(look 1, of {first.started[:10]}\); --again"):
        confirm(spec, folder, BENCH, seeds=2)
    second = confirm(spec, folder, BENCH, seeds=3, again=True)
    assert (second.number, second.again, len(second.seeds)) == (2, True, 3)
    assert not set(second.seeds) & set(first.seeds)
    assert folder.looks.all() == [first, second]
    assert folder.looks.records(first) == before
    assert {one.look for one in folder.confirmations().values()} == {2}


def test_the_first_look_is_no_second_one_whatever_was_asked_for(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    assert not confirm(spec, folder, BENCH, seeds=1, again=True).again


def test_a_study_that_went_on_after_its_look_needs_another(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    first = confirm(spec, folder, BENCH, seeds=2)
    more = grown(spec, folder, 60)
    new = {record.number for record in front(more, folder.records())} - {one.number for one in first.subjects}
    assert new
    with pytest.raises(StoreError, match="--again"):
        confirm(more, folder, BENCH, seeds=2)
    second = confirm(more, folder, BENCH, seeds=2, again=True)
    assert (first.counted, second.counted, second.budget) == (12, 60, 60)
    assert new <= {one.number for one in second.subjects}
    assert {folder.confirmations()[number].look for number in new} == {2}


def test_seeds_of_the_whole_study_and_of_earlier_looks_are_not_fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, folder = finished(tmp_path)
    asked: list[Any] = []

    def noted(study_seed: int, look: int, members: int, *, used: Any) -> tuple[int, ...]:
        asked.append((study_seed, look, set(used)))
        return tuple(range(10 * look, 10 * look + members))

    monkeypatch.setattr(sys.modules[confirm.__module__], "confirmation_seeds", noted)
    confirm(spec, folder, BENCH, seeds=2)
    confirm(spec, folder, BENCH, seeds=2, again=True)
    searched = {member.seed for record in folder.records() for member in record.members}
    assert len(searched) == 2 * 12
    assert asked == [(spec.seed, 1, searched), (spec.seed, 2, searched | {10, 11})]


def test_confirmations_of_a_folder_without_looks_count_as_one(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    for record in front(spec, folder.records()):
        path = folder.root / "confirmed" / f"{record.number:06d}.json"
        path.write_text(json.dumps(replace(record, started="2026-01-02").to_mapping()))
    assert folder.confirmations()
    with pytest.raises(StoreError, match=r"look 1, of 2026-01-02"):
        confirm(spec, folder, BENCH, seeds=2)
    second = confirm(spec, folder, BENCH, seeds=2, again=True)
    assert (second.number, second.again) == (2, True)


def test_a_search_that_is_not_finished_is_not_confirmed(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    more = spec.model_copy(update={"budget": spec.budget.model_copy(update={"trials": 14})})
    assert search_left(more, folder, sketch) == "2 of 14 trials missing"
    with pytest.raises(StoreError, match="the search is not finished: 2 of 14 trials missing; run it first"):
        confirm(more, folder, BENCH, seeds=2)
    assert folder.looks.all() == []


def test_an_exhausted_space_is_a_finished_search(tmp_path: Path) -> None:
    spec = make_spec({"quant.bits": {"choices": [2, 4]}}, trials=5)
    folder = StudyFolder.create(tmp_path, spec.to_mapping(), spec.identity)
    assert search_left(spec, folder, sketch) == "5 of 5 trials missing"
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        run_local(broker, each(train), Stop())
    assert search_left(spec, folder, sketch) == ""
    assert confirm(spec, folder, BENCH, seeds=1).finished


def test_a_study_without_a_front_is_not_confirmed(tmp_path: Path) -> None:
    spec = make_spec({"quant.bits": {"choices": [2]}}, trials=1)
    folder = StudyFolder.create(tmp_path, spec.to_mapping(), spec.identity)
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        run_local(broker, each(lambda config, seeds, **arguments: fail(config, seeds)), Stop())
    with pytest.raises(StoreError, match="no front to confirm"):
        confirm(spec, folder, BENCH, seeds=2)
    assert folder.looks.all() == []


def test_a_baseline_that_fails_is_recorded(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)

    def fragile(config: Any, seeds: Any, **arguments: Any) -> Outcome:
        if config.quant.scheme == "FP32":
            return fail(config, seeds, reason="2 of 2 members diverged")
        return train(config, seeds, **arguments)

    look = confirm(spec, folder, replace(BENCH, train=fragile), seeds=2)
    assert look.finished
    for one in folder.confirmations().values():
        assert one.record.status is Status.COMPLETE
        assert one.baselines[FP32].status is Status.DIVERGED
        assert one.baselines[FP32].reason == "2 of 2 members diverged"


def test_a_baseline_that_is_no_configuration_is_noted(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)

    def picky(config: Any) -> Any:
        if config.prompt.kind == "None" and config.quant.scheme != "FP32":
            raise ConfigError([Fault(path="quant.site_bits.x", message="this model has no such entry")])
        return sketch(config)

    chosen = [record for record in front(spec, folder.records()) if record.config["prompt"]["kind"] != "None"]
    prompted = replace(BENCH, planner=picky)
    with pytest.raises(ConfigError):  # the front's own unprompted trials are impossible too
        confirm(spec, folder, prompted, seeds=1)
    assert folder.looks.all() == []
    found = subject(chosen[0].number, overlay(spec.base, chosen[0].params), picky)
    assert set(found.baselines) == {FP32}
    assert "no such entry" in found.impossible[PLAIN]


def test_a_look_whose_trial_is_gone_says_so(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)

    def stop(config: Any, seeds: Any, **arguments: Any) -> Outcome:
        raise Interrupted

    with pytest.raises(Interrupted):
        confirm(spec, folder, replace(BENCH, train=stop), seeds=2)
    number = folder.looks.all()[0].subjects[0].number
    (folder.root / "trials" / f"{number:06d}.json").unlink()
    with pytest.raises(StoreError, match=f"the record of trial {number} is gone, which look 1 is at"):
        confirm(spec, folder, BENCH, seeds=2)


def test_confirming_needs_the_folder_to_itself(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    with folder.lock(), pytest.raises(StoreError, match="another process"):
        confirm(spec, folder, BENCH, seeds=2)


def test_gains_of_a_look_are_paired(tmp_path: Path) -> None:
    """The stand-in's noise is the seed's alone, so every paired difference is the configurations' own."""
    spec, folder = finished(tmp_path)
    look = confirm(spec, folder, BENCH, seeds=3)
    for one in folder.confirmations().values():
        config = overlay(spec.base, one.record.params)
        for role, other in one.baselines.items():
            found = gain(one, role)
            assert found is not None
            expected = accuracy_of(config, look.seeds[0]) - accuracy_of(baselines(config)[role], look.seeds[0])
            assert found.n == 3
            assert [found.mean, found.std] == pytest.approx([expected, 0.0], abs=1e-12)
            assert other.status is Status.COMPLETE


def test_a_ladder_runs_the_simpler_prompts_on_the_same_seeds(tmp_path: Path) -> None:
    spec, folder = prompted(tmp_path)
    look = confirm(spec, folder, replace(BENCH, ladder=True), seeds=2)
    assert look.ladder
    assert list(folder.looks.records(look)) == list(look.digests)
    expected = {"GPFPlus": {PLAIN, FP32}, "LoRAP": {PLAIN, FP32, GPF}, "GPFLoRAP": {PLAIN, FP32, GPF, LORAP}}
    seen = set()
    for one in folder.confirmations().values():
        kind = one.record.config["prompt"]["kind"]
        seen.add(kind)
        assert set(one.baselines) == expected[kind]
        for role in (GPF, LORAP):
            if role in one.baselines:
                rung = one.baselines[role]
                assert rung.config == one.record.config | {
                    "prompt": one.record.config["prompt"] | {"kind": "GPFPlus" if role is GPF else "LoRAP"}
                }
                assert tuple(member.seed for member in rung.members) == look.seeds
                assert all(member.test is not None for member in rung.members)
                found = gain(one, role)
                assert found is not None
                assert (found.n, round(found.std or 0.0, 12)) == (2, 0.0)
    assert {"LoRAP", "GPFLoRAP"} <= seen


def test_without_being_asked_for_there_is_no_ladder(tmp_path: Path) -> None:
    spec, folder = prompted(tmp_path)
    look = confirm(spec, folder, BENCH, seeds=1)
    assert not look.ladder
    assert {role for one in look.subjects for role in (*one.baselines, *one.impossible)} == {PLAIN, FP32}


@pytest.mark.parametrize("asked", [True, False])
def test_an_interrupted_ladder_goes_on_whether_it_is_asked_for_again_or_not(tmp_path: Path, asked: bool) -> None:
    spec, folder = prompted(tmp_path / "whole")
    whole = story(folder, confirm(spec, folder, replace(BENCH, ladder=True), seeds=2))
    spec, folder = prompted(tmp_path / "pieces")
    ran: list[str] = []

    def train_one(config: Any, seeds: Any, **arguments: Any) -> Outcome:
        if len(ran) in {1, 3}:
            ran.append("")
            raise Interrupted
        ran.append(sketch(config).digest)
        return train(config, seeds, **arguments)

    bench = replace(BENCH, train=train_one, ladder=True)
    with pytest.raises(Interrupted):
        confirm(spec, folder, bench, seeds=2)
    with pytest.raises(Interrupted):
        confirm(spec, folder, replace(bench, ladder=asked), seeds=2)
    done = confirm(spec, folder, replace(bench, ladder=asked), seeds=2)
    assert story(folder, done) == whole
    assert [digest for digest in ran if digest] == list(done.digests)
    assert done.ladder


def test_a_look_that_began_without_the_ladder_goes_on_without_it(tmp_path: Path) -> None:
    spec, folder = prompted(tmp_path)

    def stop(config: Any, seeds: Any, **arguments: Any) -> Outcome:
        raise Interrupted

    with pytest.raises(Interrupted):
        confirm(spec, folder, replace(BENCH, train=stop), seeds=2)
    with pytest.raises(StoreError, match="look 1 at the test split began without the ladder and goes on without it"):
        confirm(spec, folder, replace(BENCH, ladder=True), seeds=2)
    assert not confirm(spec, folder, BENCH, seeds=2).ladder
    assert confirm(spec, folder, replace(BENCH, ladder=True), seeds=2, again=True).ladder


def test_a_failed_rung_is_recorded(tmp_path: Path) -> None:
    spec, folder = prompted(tmp_path)

    def fragile(config: Any, seeds: Any, **arguments: Any) -> Outcome:
        kind = config.prompt.kind
        return fail(config, seeds) if kind == "GPFPlus" else train(config, seeds, **arguments)

    assert confirm(spec, folder, replace(BENCH, train=fragile, ladder=True), seeds=2).finished
    statuses = {one.baselines[GPF].status for one in folder.confirmations().values() if GPF in one.baselines}
    assert statuses == {Status.DIVERGED}
