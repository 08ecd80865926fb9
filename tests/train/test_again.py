"""A member trained again is the recorded one, bit for bit, or the difference is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.errors import ConfigError, LorapBenchError, StoreError
from lorap_bench.record import Status, TrialRecord
from lorap_bench.testing import node_task
from lorap_bench.train import again, run_trials
from lorap_bench.train.again import train_again
from lorap_bench.train.loop import fit

if TYPE_CHECKING:
    from lorap_bench.data.task import GraphTask

TASK = node_task()
BASE = TrialConfig(model=ModelConfig(hidden=8), quant=QuantConfig(bits=4), optim=OptimConfig(epochs=4))
MIXQ = replace(BASE, quant=QuantConfig(scheme="MixQ", search_epochs=3, pretrain_epochs=2))


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[GraphTask]:
    """Let every data set be the small one; return the tasks that were trained on."""
    trained_on: list[GraphTask] = []

    def watched(task: GraphTask, *rest: Any, **named: Any) -> Any:
        trained_on.append(task)
        return fit(task, *rest, **named)

    monkeypatch.setattr(again, "load_task", lambda config: TASK)
    monkeypatch.setattr(again, "fit", watched)
    return trained_on


def recorded(config: TrialConfig = BASE) -> TrialRecord:
    """Train three members in company, as a search does."""
    other = replace(config, optim=replace(config.optim, lr=0.05))
    return replace(run_trials([(config, (7, 8, 9)), (other, (7, 1))], task=TASK)[0].record, number=3)


@pytest.mark.parametrize("config", [BASE, MIXQ], ids=["QAT", "MixQ"])
def test_every_member_trains_again_to_its_record(config: TrialConfig, embedded: list[GraphTask]) -> None:
    record = recorded(config)
    for index, member in enumerate(record.members):
        found = train_again(record, index)
        assert found.differences == found.causes == ()
        assert (found.val, found.best_epoch, found.trained.seed) == (member.val, member.best_epoch, member.seed)
        assert found.measured.bits == member.bits
        assert found.trained.network.members == 1
    assert [set(task.splits) for task in embedded] == [{"train", "val"}] * 3


def test_the_costs_are_the_members_own() -> None:
    record = recorded(MIXQ)
    costs = [train_again(record, index).costs for index in range(3)]
    assert record.costs["average_bits"] == pytest.approx(sum(each["average_bits"] for each in costs) / 3)
    assert train_again(recorded()).costs == recorded().costs


def test_another_result_and_what_may_have_caused_it_are_told() -> None:
    record = recorded()
    first = replace(record.members[0], val=0.125, best_epoch=1_000)
    versions = record.provenance["versions"] | {"torch": "1.0"}
    old = replace(
        record,
        digest="0" * 16,
        members=(first,),
        provenance=record.provenance | {"versions": versions, "backend": "slow", "cohort": 99},
    )
    found = train_again(old)
    assert found.differences == (
        f"val {found.val!r} here, 0.125 recorded",
        f"best epoch {found.best_epoch} here, 1000 recorded",
        f"digest {record.digest} here, 0000000000000000 recorded",
    )
    assert found.causes == (
        f"torch {record.provenance['versions']['torch']} here, 1.0 recorded",
        f"backend {record.provenance['backend']} here, slow recorded",
    )


def test_versions_that_are_not_recorded_are_told() -> None:
    found = train_again(replace(recorded(), provenance={}))
    assert found.differences == ()
    assert any(cause.startswith("numpy") and cause.endswith("absent recorded") for cause in found.causes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"status": Status.DIVERGED, "reason": "at epoch 2"},
            r"trial 3: ended diverged \(at epoch 2\); only a",
        ),
        ({"status": Status.PRUNED}, "trial 3: ended pruned; only a complete trial has a model"),
        ({"status": Status.DUPLICATE, "duplicate_of": 1, "members": ()}, "trial 3: repeats trial 1, which has"),
        ({"config": {"model": {"hiden": 3}}}, "trial 3: its configuration does not fit this version"),
    ],
)
def test_a_trial_without_a_complete_record_has_no_model(change: dict[str, Any], said: str) -> None:
    with pytest.raises(StoreError, match=said):
        train_again(replace(recorded(), **change))


def test_a_member_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match="--seed-index: the trial has no such member; got 3; allowed: 0 to 2"):
        train_again(recorded(), 3)


def test_a_training_that_diverges_here_is_told() -> None:
    record = recorded()
    config = replace(BASE, optim=replace(BASE.optim, lr=1e38))
    with pytest.raises(LorapBenchError, match="the training diverged here, though not where it was recorded"):
        train_again(replace(record, config=config.to_mapping()))


def test_epochs_are_told_and_threads_given_back() -> None:
    heard: list[int] = []
    threads = torch.get_num_threads()
    train_again(recorded(), on_epoch=heard.append)
    assert heard == [0, 1, 2, 3]
    assert torch.get_num_threads() == threads


def test_the_default_data_set_is_loaded_by_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[TaskConfig] = []

    def load(config: TaskConfig) -> GraphTask:
        asked.append(config)
        return TASK

    monkeypatch.setattr(again, "load_task", load)
    train_again(recorded())
    assert asked == [BASE.task]
