"""A trial trained again is the recorded one, bit for bit, however it ended; or the difference is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.config import ModelConfig, OptimConfig, QuantConfig, TrialConfig
from lorap_bench.errors import StoreError
from lorap_bench.record import Outcome, Status, TrialRecord
from lorap_bench.search.promotion import joined
from lorap_bench.testing import node_task
from lorap_bench.train import rerun as module
from lorap_bench.train import run_trials
from lorap_bench.train.rerun import check_rerun, rerun
from lorap_bench.train.trial import run_groups
from lorap_bench.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TASK = node_task()
BASE = TrialConfig(model=ModelConfig(hidden=8), quant=QuantConfig(bits=4), optim=OptimConfig(epochs=6))
MIXQ = replace(BASE, quant=QuantConfig(scheme="MixQ", search_epochs=3, pretrain_epochs=2))
A2Q = replace(BASE, quant=QuantConfig(scheme="A2Q"))
DIVERGING = replace(BASE, optim=OptimConfig(epochs=6, lr=1e38))


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_task", lambda config: TASK)


def stored(outcome: Outcome) -> Outcome:
    """Return an outcome as a folder gives it back."""
    record = TrialRecord.from_mapping(json.loads(json.dumps(replace(outcome.record, number=3).to_mapping())))
    return Outcome(record, json.loads(json.dumps(outcome.curves)))


def trained(config: TrialConfig = BASE, seeds: tuple[int, ...] = (7, 8, 9)) -> Outcome:
    """Train three members in company, as a search does."""
    other = replace(config, optim=replace(config.optim, lr=0.05))
    return stored(run_trials([(config, seeds), (other, (7, 1))], task=TASK)[0])


class Stop:
    """A judge that ends every trial at one rung."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def rungs(self, epochs: int) -> Sequence[int]:
        return [self.epoch]

    def stops(self, epoch: int, values: Mapping[int, Sequence[float]]) -> Mapping[int, str]:
        return dict.fromkeys(values, "behind")


def stopped(config: TrialConfig, epoch: int) -> Outcome:
    (outcomes,) = run_groups([(config, (7, 8))], task=TASK, watch=Watch(judge=Stop(epoch)))
    return stored(outcomes[0])


def failed(status: Status, **changes: Any) -> TrialRecord:
    record = trained().record
    members = tuple(replace(member, status=status, val=None, best_epoch=None, epochs=0) for member in record.members)
    return replace(record, status=status, **{"members": members, "reason": "no luck", **changes})


@pytest.mark.parametrize("config", [BASE, MIXQ, A2Q, DIVERGING], ids=["QAT", "MixQ", "A2Q", "diverging"])
def test_a_trial_trains_again_to_its_record(config: TrialConfig) -> None:
    outcome = trained(config)
    check_rerun(*outcome)
    epochs: list[int] = []
    found = rerun(*outcome, on_epoch=epochs.append)
    assert found.differences == found.causes == ()
    assert [(pair.here, pair.differs) for pair in found.pairs] == [(m, False) for m in outcome.record.members]
    assert (found.digest, found.objectives, found.costs) == (
        outcome.record.digest,
        outcome.record.objectives,
        outcome.record.costs,
    )
    assert epochs[0] == 0
    assert len(epochs) == (1 if config is DIVERGING else 11 if config is MIXQ else 6)


@pytest.mark.parametrize("config", [BASE, MIXQ], ids=["QAT", "MixQ"])
def test_a_stopped_trial_is_stopped_where_it_was(config: TrialConfig) -> None:
    outcome = stopped(config, 4)
    assert outcome.record.status is Status.PRUNED
    check_rerun(*outcome)
    epochs: list[int] = []
    found = rerun(*outcome, on_epoch=epochs.append)
    assert (found.differences, len(epochs)) == ((), outcome.record.members[0].epochs)
    assert tuple(pair.here for pair in found.pairs) == outcome.record.members


def test_what_was_stopped_before_its_turn_is_left_out() -> None:
    record, curves = stopped(BASE, 4)
    never = replace(record.members[0], seed=9, val=None, best_epoch=None, epochs=0)
    whole = trained().record.members[0]
    found = rerun(replace(record, members=(record.members[0], never, replace(whole, seed=7))), curves)
    assert [pair.recorded.seed for pair in found.pairs] == [7, 7]
    assert [pair.here.status for pair in found.pairs] == [Status.PRUNED, Status.COMPLETE]
    assert (found.differences, found.objectives) == ((), {})


def test_a_screened_trial_trains_again_as_one() -> None:
    first, rest = trained(MIXQ, (7, 8)), trained(MIXQ, (9,))
    assert rerun(*stored(joined(first, rest))).differences == ()


def test_each_difference_is_named() -> None:
    record, curves = trained(MIXQ)
    one, *others = record.members
    site = next(iter(one.bits))
    amended = replace(one, val=0.125, bits={**one.bits, site: 9.5})
    curves["val_loss"][1][2] = -1.0
    versions = record.provenance["versions"] | {"torch": "1.0"}
    old = replace(
        record,
        digest="0" * 16,
        costs={"model_bytes": 1.0, "gone": 2.0},
        members=(amended, *others),
        provenance=record.provenance | {"versions": versions},
    )
    found = rerun(old, curves)
    assert found.causes == (f"torch {record.provenance['versions']['torch']} here, 1.0 recorded",)
    assert [pair.differs for pair in found.pairs] == [True, False, False]
    text = "\n".join(found.differences)
    assert f"digest {record.digest} here, 0000000000000000 recorded" in text
    assert f"model bytes {record.costs['model_bytes']!r} here, 1.0 recorded" in text
    assert "gone absent here, 2.0 recorded" in text
    assert f"seed 7: val {one.val!r} here, 0.125 recorded" in text
    assert "seed 7: bits {" in text
    assert "seed 8: from value 3 on, val loss " in text
    assert len(found.differences) == 6


def test_rows_that_learned_other_widths_are_told() -> None:
    record, curves = trained(A2Q)
    site = next(name for name in curves if name.startswith("row_bits:"))
    curves[site][0][0] += 1
    found = rerun(record, curves)
    assert found.differences == (f"the learned widths of {site.removeprefix('row_bits:')}, row by row",)


def test_figures_that_an_older_version_did_not_record_are_no_difference() -> None:
    record, curves = trained(MIXQ)
    members = tuple(replace(member, bits={}, aggregation_error=[]) for member in record.members)
    assert rerun(replace(record, members=members, costs={}), curves).differences == ()


def test_what_the_machine_ended_trains_to_its_end_and_is_compared_as_far_as_it_came() -> None:
    _, curves = trained()
    cut = {name: [values[:2] for values in members] for name, members in curves.items()}
    late = failed(Status.TIMEOUT)
    check_rerun(late, cut)
    found = rerun(late, cut)
    assert found.differences == ()
    assert {pair.here.status for pair in found.pairs} == {Status.COMPLETE}
    cut["train_loss"][2][1] += 1
    assert [line[:32] for line in rerun(late, cut).differences] == ["seed 9: from value 2 on, train lo"[:32]]


def test_what_left_nothing_to_check_is_refused_only_for_the_check() -> None:
    gone = failed(Status.OUT_OF_MEMORY)
    with pytest.raises(StoreError, match=r"trial 3: ended out of memory \(no luck\) before its first epoch"):
        check_rerun(gone, {"train_loss": [[], [], []]})
    assert len(rerun(gone, {}).pairs) == 3


def test_what_was_not_trained_is_refused_before_any_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "run_groups", None)
    for record, words in (
        (failed(Status.DUPLICATE, duplicate_of=1), "trial 3: repeats trial 1, which has the result"),
        (failed(Status.INVALID, reason="overhead <= 5"), r"was not trained: it is invalid \(overhead <= 5\)"),
        (failed(Status.WORKER_LOST, members=()), r"ended worker lost \(no luck\) and has no seeds on record"),
    ):
        with pytest.raises(StoreError, match=words):
            rerun(record, {})
        with pytest.raises(StoreError, match=words):
            check_rerun(record, {})


def test_a_configuration_of_another_version_is_told() -> None:
    record, curves = trained()
    strange = {**record.config, "optim": {**record.config["optim"], "warp": 9}}
    with pytest.raises(StoreError, match="does not fit this version"):
        rerun(replace(record, config=strange), curves)
