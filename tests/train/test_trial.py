"""Trials: statuses, the split guard, best epochs, repeatability, and that everything learns."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.data.task import GraphTask
from lorap_bench.models import ARCHS
from lorap_bench.prompts import PROMPTS
from lorap_bench.quant import SCHEMES
from lorap_bench.record import Status, TrialRecord
from lorap_bench.testing import graph_task, node_task
from lorap_bench.train import loop, run_trial

NODE, GRAPH = node_task(), graph_task()
BASE = TrialConfig(
    task=TaskConfig(batch_size=8),
    model=ModelConfig(hidden=16, heads=4, dropout=0.2),
    quant=QuantConfig(bits=8, momentum=0.3),
    prompt=PromptConfig(kind="LoRAP", count=4, rank=2),
    optim=OptimConfig(epochs=40, lr=0.02),
)


def configure(**sections: dict[str, Any]) -> TrialConfig:
    return replace(BASE, **{name: replace(getattr(BASE, name), **fields) for name, fields in sections.items()})


@pytest.mark.slow
@pytest.mark.parametrize("task", [NODE, GRAPH], ids=["node", "graph"])
@pytest.mark.parametrize("kind", sorted(PROMPTS))
@pytest.mark.parametrize("scheme", sorted(SCHEMES))
@pytest.mark.parametrize("arch", sorted(ARCHS))
def test_every_combination_learns(arch: str, scheme: str, kind: str, task: GraphTask) -> None:
    config = configure(model={"arch": arch, "batch_norm": True}, quant={"scheme": scheme}, prompt={"kind": kind})
    record, curves = run_trial(config, [0, 1], task=task)
    assert record.status is Status.COMPLETE, record.reason
    chance = 1 / task.classes
    assert record.objectives["accuracy"] > chance + 0.15
    for losses in curves["train_loss"]:
        assert losses[-1] < losses[0]


@pytest.mark.parametrize("change", [{"messages": True}, {"weight_per_channel": True}, {"activation_symmetric": True}])
@pytest.mark.parametrize("arch", sorted(ARCHS))
def test_every_quantizer_option_learns(arch: str, change: dict[str, Any]) -> None:
    record, _ = run_trial(configure(model={"arch": arch}, quant=change), [0], task=NODE)
    assert record.objectives["accuracy"] > 0.5


@pytest.mark.parametrize("inject", ["pre_requant", "post_requant"])
def test_both_places_of_injection_learn_and_differ(inject: str) -> None:
    record, curves = run_trial(configure(prompt={"inject": inject}), [0], task=NODE)
    _, others = run_trial(BASE, [0], task=NODE)
    assert record.objectives["accuracy"] > 0.5
    assert (curves == others) == (inject == BASE.prompt.inject)


def test_learned_widths_of_nodes_come_with_how_many_neighbours_each_has() -> None:
    config = configure(quant={"scheme": "A2Q"}, optim={"epochs": 3})
    _, curves = run_trial(config, [0, 1], task=NODE)
    sites = [name for name in curves if name.startswith("row_bits:")]
    assert sites
    assert all(len(member) == len(NODE.x) for name in sites for member in curves[name])
    (in_degree,) = curves["in_degree"]
    targets = NODE.edge_index[1].tolist()
    assert in_degree == [targets.count(node) for node in range(len(NODE.x))]
    _, curves = run_trial(config, [0], task=GRAPH)
    assert "in_degree" not in curves  # a row is a group of nodes there, not a node


def test_the_same_seeds_give_the_same_record_and_curves() -> None:
    first, second = (run_trial(BASE, [4, 5], task=NODE) for _ in range(2))
    assert first.curves == second.curves
    assert first.record.members == second.record.members
    assert first.record.digest == second.record.digest


def test_accuracy_is_the_members_mean_at_their_best_epoch() -> None:
    record, curves = run_trial(BASE, [0, 1, 2], task=NODE)
    for member, metrics in zip(record.members, curves["val_metric"], strict=True):
        assert member.best_epoch is not None
        assert member.val == metrics[member.best_epoch] == max(metrics)
    assert record.objectives["accuracy"] == pytest.approx(sum(m.val or 0 for m in record.members) / 3)


def test_selection_by_loss_takes_the_lowest_loss() -> None:
    record, curves = run_trial(configure(optim={"selection": "loss"}), [0], task=NODE)
    epoch = record.members[0].best_epoch
    assert epoch is not None
    assert curves["val_loss"][0][epoch] == min(curves["val_loss"][0])


def test_evaluating_every_third_epoch_still_evaluates_the_last() -> None:
    _, curves = run_trial(configure(optim={"eval_every": 3, "epochs": 10}), [0], task=NODE)
    assert (len(curves["train_loss"][0]), len(curves["val_metric"][0])) == (10, 4)


def test_the_test_split_is_out_of_reach_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []
    fit = loop.fit

    def spy(task: GraphTask, *args: Any, **kwargs: Any) -> Any:
        seen.append(set(task.splits))
        return fit(task, *args, **kwargs)

    monkeypatch.setattr("lorap_bench.train.together.fit", spy)
    silent, _ = run_trial(BASE, [0], task=NODE)
    asked, _ = run_trial(BASE, [0], task=NODE, split="test")
    assert seen == [{"train", "val"}, {"train", "val", "test"}]
    assert silent.members[0].test is None
    assert asked.members[0].test is not None
    assert asked.members[0].val == silent.members[0].val


def test_changing_test_labels_changes_nothing_but_the_test_score() -> None:
    shuffled = NODE.y.clone()
    shuffled[NODE.splits["test"]] = (shuffled[NODE.splits["test"]] + 1) % 3
    other = GraphTask(**{name: getattr(NODE, name) for name in NODE.__slots__} | {"y": shuffled})
    ours, theirs = (run_trial(BASE, [0], task=task, split="test") for task in (NODE, other))
    assert ours.curves == theirs.curves
    assert ours.record.members[0].best_epoch == theirs.record.members[0].best_epoch
    assert ours.record.members[0].test != theirs.record.members[0].test


def test_the_reported_test_score_is_that_of_the_best_epochs_state() -> None:
    long = run_trial(configure(optim={"epochs": 30}), [0], task=NODE, split="test").record.members[0]
    assert long.best_epoch is not None
    short = configure(optim={"epochs": long.best_epoch + 1})
    assert run_trial(short, [0], task=NODE, split="test").record.members[0].test == long.test


def test_divergence_is_a_status_with_its_reason() -> None:
    record, curves = run_trial(configure(optim={"lr": 1e38}), [0, 1], task=NODE)
    assert record.status is Status.DIVERGED
    assert "2 of 2 members diverged" in record.reason
    assert "accuracy" not in record.objectives
    assert set(record.objectives) == {"average_bits", "overhead"}
    assert [len(values) for values in curves["val_metric"]] == [len(values) for values in curves["val_loss"]]
    assert all(math.isfinite(value) for curve in curves.values() for member in curve for value in member)
    assert TrialRecord.from_mapping(record.to_mapping()) == record


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no room"),
        MemoryError(),
        RuntimeError("std::bad_alloc"),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_running_out_of_memory_is_a_status(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr("lorap_bench.train.together.fit", fail)
    record, _ = run_trial(BASE, [0], task=NODE)
    assert record.status is Status.OUT_OF_MEMORY
    assert record.reason
    assert record.members[0].val is None


def test_a_bug_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("lorap_bench.train.together.fit", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        run_trial(BASE, [0], task=NODE)


def test_an_epoch_callback_may_stop_training() -> None:
    epochs: list[int] = []

    def watch(epoch: int) -> None:
        epochs.append(epoch)
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trial(BASE, [0], task=NODE, on_epoch=watch)
    assert epochs == [0, 1, 2, 3]


def test_provenance_names_versions_and_no_place() -> None:
    record, _ = run_trial(configure(optim={"epochs": 1}), [0], task=NODE)
    assert {"commit", "versions", "backend", "device", "machine", "cohort"} <= set(record.provenance)
    assert "/" not in str(record.provenance)


def test_training_uses_one_thread_and_gives_the_others_back() -> None:
    seen: list[int] = []
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run_trial(BASE, [0], task=NODE, on_epoch=lambda _: seen.append(torch.get_num_threads()))
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_sparse_raw_features_train_like_dense_ones() -> None:
    wide = torch.zeros(60, 140)
    wide[:, :12] = NODE.x * (NODE.x > 0.9)
    task = GraphTask(**{name: getattr(NODE, name) for name in NODE.__slots__} | {"x": wide})
    narrow = GraphTask(**{name: getattr(NODE, name) for name in NODE.__slots__} | {"x": wide[:, :12].contiguous()})
    sparse, dense = (run_trial(BASE, [0], task=each).record for each in (task, narrow))
    assert abs(sparse.objectives["accuracy"] - dense.objectives["accuracy"]) < 0.25
    assert sparse.objectives["accuracy"] > 0.5
