"""Early stopping in training: who leaves, that the others never notice, and what the record of a stopped trial says."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.record import Status, TrialRecord
from lorap_bench.testing import graph_task, node_task
from lorap_bench.train import Watch, loop, run_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorap_bench.record import Outcome

TASKS = {"node": node_task(), "graph": graph_task()}
BASE = TrialConfig(
    task=TaskConfig(batch_size=8),
    model=ModelConfig(hidden=8, batch_norm=True),
    quant=QuantConfig(bits=4, search_epochs=2, pretrain_epochs=3, groups=10),
    prompt=PromptConfig(kind="LoRAP", count=4, rank=2),
    optim=OptimConfig(epochs=8),
)
Requests = list[tuple[TrialConfig, tuple[int, ...]]]


class Script:
    """A judge that stops what it was told to, and remembers what it was asked."""

    def __init__(self, at: Sequence[int], stops: Mapping[int, Sequence[int]] | None = None) -> None:
        self.at = tuple(at)
        self.plan = dict(stops or {})
        self.asked: list[tuple[int, dict[int, list[float]]]] = []
        self.epochs: set[int] = set()

    def rungs(self, epochs: int) -> tuple[int, ...]:
        self.epochs.add(epochs)
        return self.at

    def stops(self, epoch: int, values: Mapping[int, Sequence[float]]) -> dict[int, str]:
        self.asked.append((epoch, {position: list(found) for position, found in values.items()}))
        return {position: f"because of {epoch}" for position in self.plan.get(epoch, ()) if position in values}


def three(scheme: str = "QAT", arch: str = "GCN") -> Requests:
    """Return three trials of one shape that differ in their learning rates."""
    base = replace(BASE, model=replace(BASE.model, arch=arch), quant=replace(BASE.quant, scheme=scheme))
    rates = (0.05, 0.01, 0.1)
    configs = [replace(base, optim=replace(base.optim, lr=rate)) for rate in rates]
    return list(zip(configs, [(0, 1), (1, 5), (0, 7)], strict=True))


def run(requests: Requests, judge: Script | None, level: str = "node") -> list[Outcome]:
    found: dict[int, Outcome] = {}
    for ended in run_groups(requests, task=TASKS[level], watch=Watch(judge=judge)):
        found.update(ended)
    return [found[position] for position in range(len(requests))]


def essence(outcome: Outcome) -> tuple[Any, ...]:
    """Return an outcome without what tells of the hour, the company and the judge."""
    provenance = {name: fact for name, fact in outcome.record.provenance.items() if name != "cohort"}
    curves = {name: curve for name, curve in outcome.curves.items() if name != "val_best"}
    return replace(outcome.record, started="", seconds=0.0, provenance=provenance), curves


def test_without_a_judge_nothing_is_left_of_rungs() -> None:
    assert all("val_best" not in outcome.curves for outcome in run(three(), None))


@pytest.mark.parametrize(("arch", "level"), [("GCN", "node"), ("GIN", "node"), ("GIN", "graph")])
@pytest.mark.parametrize("scheme", ["QAT", "A2Q"])
def test_who_is_stopped_leaves_the_others_bit_for_bit_alone(scheme: str, arch: str, level: str) -> None:
    requests = three(scheme, arch)
    alone = [essence(run([request], None, level)[0]) for request in requests]
    outcomes = run(requests, Script([2, 4], {2: [1]}), level)
    assert [outcome.record.status for outcome in outcomes] == [Status.COMPLETE, Status.PRUNED, Status.COMPLETE]
    assert [essence(outcomes[place]) for place in (0, 2)] == [alone[0], alone[2]]
    whole, stopped = alone[1][1], outcomes[1].curves
    for name in ("train_loss", "val_loss", "val_metric"):
        assert stopped[name] == [values[:2] for values in whole[name]]


def test_the_record_of_a_stopped_trial() -> None:
    outcome = run(three(), Script([2, 4], {4: [0]}))[0]
    record, curves = outcome
    best = [max(values) for values in curves["val_metric"]]
    assert (record.status, record.reason) == (Status.PRUNED, "stopped after 4 epochs: because of 4")
    assert record.objectives["accuracy"] == pytest.approx(sum(best) / 2)
    assert {"average_bits", "overhead"} < set(record.objectives)
    assert record.objectives["average_bits"] == record.costs["average_bits"]
    for member, value in zip(record.members, best, strict=True):
        assert (member.status, member.epochs, member.val) == (Status.PRUNED, 4, value)
        assert (member.bits, member.aggregation_error) == ({}, [])
    assert curves["val_best"] == [[max(values[:2]), max(values)] for values in curves["val_metric"]]
    assert TrialRecord.from_mapping(record.to_mapping()) == record


def test_a_stopped_trial_costs_less_of_the_cohorts_time() -> None:
    first, second, third = (outcome.record for outcome in run(three(), Script([2], {2: [0]})))
    assert first.seconds == pytest.approx(second.seconds / 4)
    assert third.seconds == pytest.approx(second.seconds)


def test_the_judge_hears_of_all_that_are_at_a_rung() -> None:
    judge = Script([2, 4, 6], {2: [1], 4: [0]})
    outcomes = run(three(), judge)
    assert [(epoch, sorted(values)) for epoch, values in judge.asked] == [(2, [0, 1, 2]), (4, [0, 2]), (6, [2])]
    assert judge.epochs == {8}
    for epoch, values in judge.asked:
        for position, found in values.items():
            assert found == [max(member[:epoch]) for member in outcomes[position].curves["val_metric"]]


def test_all_may_be_stopped() -> None:
    outcomes = run(three(), Script([3], {3: [0, 1, 2]}))
    assert {outcome.record.status for outcome in outcomes} == {Status.PRUNED}
    assert {member.epochs for outcome in outcomes for member in outcome.record.members} == {3}


def test_rungs_lie_in_the_last_stage() -> None:
    """MixQ: two epochs of search, three in full precision, eight quantized."""
    judge = Script([2], {2: [0]})
    (outcome,) = run([three("MixQ")[0]], judge)
    assert [epoch for epoch, _ in judge.asked] == [2]
    assert outcome.record.reason == "stopped after 7 epochs: because of 2"
    assert outcome.curves["val_best"] == [[max(values[5:7])] for values in outcome.curves["val_metric"]]
    assert set(outcome.record.objectives) == {"accuracy"}  # widths are learned: costs are known at the end


def test_a_rung_waits_for_the_next_evaluation_and_the_last_epoch_is_none() -> None:
    requests = [(replace(config, optim=replace(config.optim, eval_every=3)), seeds) for config, seeds in three()]
    judge = Script([1, 2, 4, 7])
    outcomes = run(requests, judge)
    assert [epoch for epoch, _ in judge.asked] == [1, 2, 4]
    curves = outcomes[0].curves
    firsts, seconds = ([max(values[:count]) for values in curves["val_metric"]] for count in (1, 2))
    assert curves["val_best"] == [[first, first, second] for first, second in zip(firsts, seconds, strict=True)]
    assert [essence(outcome) for outcome in outcomes] == [essence(outcome) for outcome in run(requests, None)]


def test_values_are_of_the_epoch_that_would_be_chosen() -> None:
    config, seeds = three()[0]
    judge = Script([4])
    (outcome,) = run([(replace(config, optim=replace(config.optim, selection="loss")), seeds)], judge)
    losses, metrics = outcome.curves["val_loss"], outcome.curves["val_metric"]
    expected = [metric[loss.index(min(loss[:4]))] for loss, metric in zip(losses, metrics, strict=True)]
    assert judge.asked[0][1][0] == expected


def test_a_diverged_member_is_told_as_nan_and_outweighs_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    true_note = loop._note

    def note(alive: Any, train: Any, loss: Any, metric: Any) -> None:
        true_note(alive, train, loss, metric)
        for trainee in alive:
            if trainee.member.seed == 5:
                trainee.val_loss[-1] = math.nan

    monkeypatch.setattr(loop, "_note", note)
    judge = Script([2], {2: [1]})
    outcomes = run(three(), judge)
    first, second = judge.asked[0][1][1]
    assert math.isfinite(first)
    assert math.isnan(second)
    record, curves = outcomes[1]
    assert record.status is Status.DIVERGED
    assert [member.status for member in record.members] == [Status.PRUNED, Status.DIVERGED]
    assert [len(values) for values in curves["val_best"]] == [1, 0]


def test_a_trial_that_memory_keeps_apart_is_judged_by_all_its_members_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lorap_bench.train.group.fits", lambda plan, task: 2)
    judge = Script([2])
    config = three()[0][0]
    (outcome,) = run([(config, (0, 1, 2, 3))], judge)
    values = [found[0] for _, found in judge.asked]
    assert [len(found) for found in values] == [2, 4]
    assert values[1][:2] == values[0]
    assert values[1] == [best[0] for best in outcome.curves["val_best"]]


def test_what_waits_of_a_stopped_trial_is_not_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lorap_bench.train.group.fits", lambda plan, task: 2)
    config = three()[0][0]
    judge = Script([2], {2: [0]})
    (outcome,) = run([(config, (0, 1, 2, 3))], judge)
    assert len(judge.asked) == 1
    assert [(member.status, member.epochs) for member in outcome.record.members] == [
        (Status.PRUNED, 2),
        (Status.PRUNED, 2),
        (Status.PRUNED, 0),
        (Status.PRUNED, 0),
    ]
    assert outcome.record.reason == "stopped after 2 epochs: because of 2"
    assert outcome.record.provenance["cohort"] == 2


def test_running_out_of_memory_begins_the_rungs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    true_fit = loop.fit

    def fit(task: Any, members: Any, **arguments: Any) -> Any:
        fitted = true_fit(task, members, **arguments)
        if len(members) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return fitted

    monkeypatch.setattr("lorap_bench.train.together.fit", fit)
    requests = three()[:2]
    judge = Script([2], {2: [1]})
    outcomes = run(requests, judge)
    assert [outcome.record.status for outcome in outcomes] == [Status.COMPLETE, Status.PRUNED]
    assert [sorted(values) for _, values in judge.asked] == [[0, 1], [0], [1]]
