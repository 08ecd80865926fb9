"""Learning rates over time: halved by the calendar and on plateaus, for each member by its own losses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from lorap_bench.config import ModelConfig, OptimConfig, QuantConfig, TrialConfig
from lorap_bench.models import blueprint, shape_of
from lorap_bench.models.digest import canonical
from lorap_bench.testing import node_task
from lorap_bench.testing.comparison import assert_same
from lorap_bench.train import Member, cohort, cohort_key, fit
from lorap_bench.train.pace import Pace

if TYPE_CHECKING:
    import pytest

CPU = torch.device("cpu")
TASK = node_task()
BASE = TrialConfig(model=ModelConfig(hidden=8), quant=QuantConfig(scheme="FP32"), optim=OptimConfig(epochs=12, lr=0.5))


def configured(**optim: Any) -> TrialConfig:
    return replace(BASE, optim=replace(BASE.optim, **optim))


def test_a_plateau_is_so_many_evaluations_in_a_row_without_a_better_loss() -> None:
    pace = Pace([OptimConfig(plateau=2), OptimConfig(plateau=3), OptimConfig()], CPU)
    # The first two see: best, equal, worse, worse, better, worse, worse.
    factors = []
    for epoch, loss in enumerate((1.0, 1.0, 1.2, 1.1, 0.9, 1.0, 1.0), start=1):
        pace.heed([loss, loss, loss])
        factors.append(pace.at(epoch).flatten().tolist())
    assert [row[0] for row in factors] == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]
    assert [row[1] for row in factors] == [1, 1, 1, 0.5, 0.5, 0.5, 0.5]
    assert [row[2] for row in factors] == [1] * 7


def test_the_calendar_and_a_plateau_multiply_and_a_stage_begins_anew() -> None:
    pace = Pace([OptimConfig(plateau=1, halve_every=2), OptimConfig(halve_every=2)], CPU)
    pace.heed([1.0, 1.0])
    pace.heed([1.0, 1.0])
    assert pace.at(5).flatten().tolist() == [0.125, 0.25]
    pace.begin()
    assert pace.at(0).flatten().tolist() == [1, 1]
    pace.heed([9.0, 9.0])
    assert pace.at(1).flatten().tolist() == [1, 1]


def test_who_stays_keeps_its_count() -> None:
    pace = Pace([OptimConfig(plateau=plateau) for plateau in (1, 2, 3)], CPU)
    pace.heed([1.0, 1.0, 1.0])
    pace.heed([2.0, 2.0, 2.0])
    pace.select([0, 2])
    assert pace.at(2).flatten().tolist() == [0.5, 1]
    pace.heed([2.0, 2.0])
    pace.heed([2.0, 2.0])
    assert pace.at(4).flatten().tolist() == [0.125, 0.5]


def test_training_halves_each_members_rates_by_its_own_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[list[float]] = []

    class Watched(Pace):  # type: ignore[misc]  # final for everybody else
        def at(self, epochs: int) -> torch.Tensor:
            used.append(super().at(epochs).flatten().tolist())
            return self.values

    monkeypatch.setattr(cohort, "Pace", Watched)
    members = [Member(configured(plateau=plateau), seed) for plateau, seed in ((1, 0), (2, 1), (0, 2))]
    fitted = fit(TASK, members)
    assert any(row[0] < row[1] for row in used)
    for position, trainee in enumerate(fitted.trainees):
        expected = Pace([trainee.member.config.optim], CPU)
        for epoch, loss in enumerate(trainee.val_loss):
            assert used[epoch][position] == expected.at(epoch).item()
            expected.heed([loss])


def test_a_member_with_a_plateau_keeps_its_bits_in_any_company() -> None:
    members = [Member(configured(plateau=plateau), seed) for plateau, seed in ((1, 0), (3, 1), (0, 0))]
    members.insert(1, Member(configured(lr=float("inf")), 5))  # leaves
    together = fit(TASK, members)
    assert [trainee.diverged for trainee in together.trainees] == [False, True, False, False]
    for place, position in enumerate((0, 2, 3)):
        assert_same(fit(TASK, [members[position]]), together, (0, place), "company")
    curves = [together.trainees[position].val_loss for position in (0, 3)]
    assert curves[0] != curves[1]


def test_no_plateau_leaves_no_trace_and_another_one_no_other_program() -> None:
    shape = shape_of(TASK)
    plain, asked = (blueprint(configured(plateau=plateau), shape) for plateau in (0, 4))
    assert "plateau" not in canonical(plain)["optim"]
    assert plain.digest != asked.digest
    assert cohort_key(plain) == cohort_key(asked)
