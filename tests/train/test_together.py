"""Trials in company: each ends as it would alone, whatever leaves, whatever does not fit, however they are cut."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.record import Status
from lorap_bench.testing import graph_task, node_task
from lorap_bench.train import loop, run_groups, run_trial, run_trials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import Outcome

TASKS = {"node": node_task(), "graph": graph_task()}
BASE = TrialConfig(
    task=TaskConfig(batch_size=8),
    model=ModelConfig(hidden=8, heads=4, batch_norm=True),
    quant=QuantConfig(bits=4, search_epochs=2, pretrain_epochs=2, groups=10),
    prompt=PromptConfig(kind="LoRAP", count=4, rank=2),
    optim=OptimConfig(epochs=6),
)
Requests = list[tuple[TrialConfig, tuple[int, ...]]]


def configure(**sections: dict[str, Any]) -> TrialConfig:
    return replace(BASE, **{name: replace(getattr(BASE, name), **fields) for name, fields in sections.items()})


def different(scheme: str) -> Requests:
    """Return three trials that differ in every scalar that a cohort may mix, with seeds in common."""
    varied = [
        configure(
            model={"dropout": rate},
            quant={"scheme": scheme, "bits": bits, "p_max": rate, "lr_scale": rate, "lr_bits": rate, "momentum": rate},
            prompt={"lr": rate / 10},
            optim={"lr": rate, "weight_decay": rate / 100},
        )
        for rate, bits in ((0.05, 4), (0.2, 2), (0.4, 8))
    ]
    return [(config, seeds) for config, seeds in zip(varied, [(0, 1), (1,), (0, 7, 3)], strict=True)]


def essence(outcome: Outcome) -> tuple[Any, ...]:
    """Return an outcome without what tells of the hour and the company."""
    provenance = {name: fact for name, fact in outcome.record.provenance.items() if name != "cohort"}
    return replace(outcome.record, started="", seconds=0.0, provenance=provenance), outcome.curves


def alone(requests: Sequence[tuple[TrialConfig, Sequence[int]]], level: str = "node") -> list[tuple[Any, ...]]:
    return [essence(run_trial(config, seeds, task=TASKS[level])) for config, seeds in requests]


def sizes(monkeypatch: pytest.MonkeyPatch, *, most: int | None = None, estimate: int = 1000) -> list[int]:
    """Note how many members each program trains; fail for want of memory above ``most``."""
    seen: list[int] = []
    true_fit = loop.fit

    def fit(task: Any, members: Any, **arguments: Any) -> Any:
        seen.append(len(members))
        if most is not None and len(members) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return true_fit(task, members, **arguments)

    monkeypatch.setattr("lorap_bench.train.together.fit", fit)
    monkeypatch.setattr("lorap_bench.train.group.fits", lambda plan, task: estimate)
    return seen


@pytest.mark.parametrize("scheme", ["QAT", "DegreeQuant", "A2Q", "MixQ"])
@pytest.mark.parametrize("level", ["node", "graph"])
def test_trials_in_company_end_as_they_do_alone(level: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = different(scheme)
    if scheme in {"A2Q", "MixQ"}:  # the width is where parameters start: it shapes the program
        requests = [(replace(c, quant=replace(c.quant, bits=4)), seeds) for c, seeds in requests]
    apart = alone(requests, level)
    seen = sizes(monkeypatch)
    outcomes = run_trials(requests, task=TASKS[level])
    assert seen == [6]
    assert [essence(outcome) for outcome in outcomes] == apart
    assert [outcome.record.provenance["cohort"] for outcome in outcomes] == [6, 6, 6]
    assert len({outcome.record.digest for outcome in outcomes}) == 3


def test_seconds_are_shared_by_members() -> None:
    one, two, three = run_trials(different("QAT"), task=TASKS["node"])
    assert one.record.seconds == pytest.approx(2 * two.record.seconds)
    assert three.record.seconds == pytest.approx(3 * two.record.seconds)


def test_a_trial_that_diverges_leaves_the_others_alone() -> None:
    requests = different("DegreeQuant")
    requests[1] = (replace(requests[1][0], optim=replace(BASE.optim, lr=1e38)), (1, 2))
    outcomes = run_trials(requests, task=TASKS["node"])
    statuses = [outcome.record.status for outcome in outcomes]
    assert statuses == [Status.COMPLETE, Status.DIVERGED, Status.COMPLETE]
    assert "2 of 2 members diverged" in outcomes[1].record.reason
    assert [essence(outcome) for outcome in outcomes] == alone(requests)


def test_trials_of_different_shapes_train_group_by_group(monkeypatch: pytest.MonkeyPatch) -> None:
    wide, deep = configure(model={"hidden": 12}), configure(prompt={"count": 5})
    requests = [(BASE, (0,)), (wide, (1,)), (configure(optim={"lr": 0.1}), (2, 3)), (deep, (4,)), (wide, (5,))]
    apart = alone(requests)
    seen = sizes(monkeypatch)
    groups = list(run_groups(requests, task=TASKS["node"]))
    assert [sorted(group) for group in groups] == [[0, 2], [1, 4], [3]]
    assert seen == [3, 2, 1]
    together_again = {position: outcome for group in groups for position, outcome in group.items()}
    assert [essence(together_again[position]) for position in range(5)] == apart


@pytest.mark.parametrize(
    ("most", "tried"),
    [(3, [6, 3, 3]), (2, [6, 3, 1, 2, 3, 1, 2]), (1, [6, 3, 1, 2, 1, 1, 3, 1, 2, 1, 1])],
)
def test_a_cohort_that_runs_out_of_memory_is_halved(
    most: int, tried: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = different("QAT")
    apart = alone(requests)
    seen = sizes(monkeypatch, most=most)
    outcomes = run_trials(requests, task=TASKS["node"])
    assert seen == tried
    assert [essence(outcome) for outcome in outcomes] == apart
    assert max(outcome.record.provenance["cohort"] for outcome in outcomes) <= most


def test_only_a_member_that_does_not_fit_alone_fails_its_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = different("QAT")
    apart = alone(requests)
    true_fit = loop.fit

    def fit(task: Any, members: Any, **arguments: Any) -> Any:
        if any(member.seed == 7 for member in members):
            raise MemoryError
        return true_fit(task, members, **arguments)

    monkeypatch.setattr("lorap_bench.train.together.fit", fit)
    outcomes = run_trials(requests, task=TASKS["node"])
    assert [essence(outcome) for outcome in outcomes[:2]] == apart[:2]
    record = outcomes[2].record
    assert (record.status, record.reason) == (Status.OUT_OF_MEMORY, "MemoryError")
    assert [member.status for member in record.members] == [
        Status.COMPLETE,
        Status.OUT_OF_MEMORY,
        Status.COMPLETE,
    ]
    assert "accuracy" not in record.objectives


@pytest.mark.parametrize("estimate", [1, 2, 4, 5])
def test_what_would_not_fit_is_cut_before_training(estimate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial's own seeds are cut too: the record is the same."""
    requests: Requests = [(BASE, (0, 1, 2, 3, 4))]
    apart = alone(requests)
    seen = sizes(monkeypatch, estimate=estimate)
    assert [essence(outcome) for outcome in run_trials(requests, task=TASKS["node"])] == apart
    assert max(seen) <= estimate
    assert len(seen) == -(-5 // estimate)
    assert max(seen) - min(seen) <= 1


def test_the_callback_hears_every_programs_epochs() -> None:
    epochs: list[int] = []
    requests: Requests = [(BASE, (0,)), (configure(model={"hidden": 12}), (0,))]
    run_trials(requests, task=TASKS["node"], on_epoch=epochs.append)
    assert epochs == [*range(6), *range(6)]


def test_no_request_is_no_outcome() -> None:
    assert run_trials([]) == []


def test_an_error_raised_over_a_lack_of_memory_is_one_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(task: Any, members: Any, **arguments: Any) -> Any:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory")
        finally:
            raise RuntimeError("the recording was left unfinished")

    monkeypatch.setattr("lorap_bench.train.together.fit", fit)
    assert run_trial(BASE, [0], task=TASKS["node"]).record.status is Status.OUT_OF_MEMORY
