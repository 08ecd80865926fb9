from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lorap_bench.config import OptimConfig, TrialConfig
from lorap_bench.record import MemberResult, Status, TrialRecord
from lorap_bench.suite.selection import selection_faults


def record(best: int, val: float, *, epochs: int = 4, **optim: Any) -> TrialRecord:
    config = replace(TrialConfig(), optim=OptimConfig(**{"epochs": 4, **optim}))
    member = MemberResult(seed=7, status=Status.COMPLETE, val=val, best_epoch=best, epochs=epochs)
    return TrialRecord(
        status=Status.COMPLETE, config=config.to_mapping(), digest="", members=(member,), objectives={"accuracy": val}
    )


def faults(one: TrialRecord, metric: list[float], loss: list[float]) -> list[str]:
    return list(selection_faults(one, {"val_metric": [metric], "val_loss": [loss]}))


LOSS = [0.5, 0.5, 0.5, 0.5]


def test_the_first_of_the_best_is_chosen() -> None:
    assert faults(record(1, 0.8), [0.1, 0.8, 0.8, 0.3], LOSS) == []
    assert faults(record(2, 0.8), [0.1, 0.8, 0.8, 0.3], LOSS) == [
        "seed 7: epoch 2 (0.8) was chosen, best on validation is epoch 1 (0.8)"
    ]
    assert faults(record(1, 0.9), [0.1, 0.8, 0.8, 0.3], LOSS) != []
    assert list(selection_faults(record(3, 0.8), {})) == []  # without curves nothing tells


def test_loss_decides_between_equals_or_alone() -> None:
    assert faults(record(2, 0.8), [0.1, 0.8, 0.8, 0.3], [0.5, 0.5, 0.4, 0.1]) == []
    assert faults(record(3, 0.3, selection="loss"), [0.1, 0.8, 0.8, 0.3], [0.5, 0.5, 0.4, 0.1]) == []
    assert faults(record(1, 0.8, selection="loss"), [0.1, 0.8, 0.8, 0.3], [0.5, 0.5, 0.4, 0.1]) != []


def test_of_several_stages_the_last_counts() -> None:
    # Six epochs, of which the last four are the last stage, judged at every second and at the end.
    assert faults(record(5, 0.4, epochs=6, eval_every=2), [0.9, 0.3, 0.4], LOSS[:3]) == []
    assert faults(record(1, 0.9, epochs=6, eval_every=2), [0.9, 0.3, 0.4], LOSS[:3]) != []
    assert faults(record(1, 0.9), [0.9], [0.5]) == ["seed 7: its curves have too few evaluations"]


def test_the_objective_is_the_mean_of_validation() -> None:
    wrong = replace(record(1, 0.8), objectives={"accuracy": 0.81})
    assert list(selection_faults(wrong, {})) == [
        "the objective accuracy, 0.81, is not the mean of the validation figures"
    ]


@pytest.mark.parametrize("change", [{"val": None}, {"best_epoch": None}])
def test_a_complete_member_has_figures(change: dict[str, Any]) -> None:
    one = record(1, 0.8)
    broken = replace(one, members=(replace(one.members[0], **change),))
    assert list(selection_faults(broken, {})) == ["seed 7 is complete and has no validation figure"]
    failed = replace(one.members[0], status=Status.DIVERGED, **change)
    assert list(selection_faults(replace(one, status=Status.DIVERGED, members=(failed,)), {})) == []


def test_of_errors_the_first_of_the_least_is_chosen() -> None:
    one = record(1, 0.3)
    config = {**one.config, "task": {**one.config["task"], "dataset": "ZINC"}}
    least = replace(one, config=config, objectives={"mae": 0.3})
    assert faults(least, [0.9, 0.3, 0.3, 0.8], LOSS) == []
    assert faults(least, [0.9, 0.3, 0.2, 0.8], LOSS) == [
        "seed 7: epoch 1 (0.3) was chosen, best on validation is epoch 2 (0.2)"
    ]
    assert list(selection_faults(replace(least, objectives={"mae": 0.4}), {})) == [
        "the objective mae, 0.4, is not the mean of the validation figures"
    ]
