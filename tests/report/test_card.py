"""A trial's card: everything about it, from the record, its confirmation and its curves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lorap_bench.record import MemberResult, Status
from lorap_bench.report.card import replica_columns, trial_card, trial_cards
from lorap_bench.report.material import Material
from lorap_bench.report.score import Score

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import Curves, TrialRecord
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]
    MakeSpec = Callable[..., StudySpec]
    MakeConfirmation = Callable[..., Confirmation]


def test_it_holds_figures_replicas_and_command(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    record = make_record(4, 0.8, violations={"average_bits": -3.0, "overhead": 0.5})
    material = Material(make_spec(), [record], {4: make_confirmation(record)})
    card = trial_card(material, record, log=False)
    assert card["title"] == "Trial 4 · QAT, LoRAP, k = 4, r = 2"
    assert card["head"][0] == "validation accuracy 80.0 % [77.5, 82.5] (n = 3)"
    assert any(line.startswith("test gain over no prompt +2.0") for line in card["head"])
    facts = dict(card["facts"])
    assert facts["status"] == "complete, infeasible"
    assert (facts["bound on average bits"], facts["bound on overhead"]) == ("kept", "broken by 0.5")
    assert facts["model bytes"] == "1000"
    assert [row[0] for row in card["replicas"]] == ["search"] * 3 + ["fresh"] * 10
    columns = replica_columns(Score())
    test = columns.index("test, %")
    assert [row[test] == "–" for row in card["replicas"]] == [True] * 3 + [False] * 10
    assert all(len(row) == len(columns) for row in card["replicas"])
    assert card["differs"] == {"prompt.count": 4, "prompt.rank": 2}
    assert card["command"].startswith("lorap-bench train made-up.toml --set prompt.count=4")
    assert "log" not in card
    assert json.loads(json.dumps(card, allow_nan=False)) == card


def test_the_log_is_the_end_of_the_curves(make_spec: MakeSpec, make_record: Make) -> None:
    record = make_record(0, config=make_spec(optim={"eval_every": 4}).base.to_mapping())
    losses = [1.0 - epoch / 100 for epoch in range(10)]
    curves: Curves = {
        "train_loss": [losses] * 3,
        "val_loss": [[1.0] * 3] * 3,
        "val_metric": [[0.5, 0.6, 0.7]] * 3,
    }  # after 4, 8 and the last
    material = Material(make_spec(), [record], curves=lambda _: curves)
    log = trial_card(material, record, log=True)["log"]
    assert log[:5] == [
        "seed 0  epoch 6  train loss 0.9500",
        "seed 0  epoch 7  train loss 0.9400",
        "seed 0  epoch 8  train loss 0.9300  val 60.0 %",
        "seed 0  epoch 9  train loss 0.9200",
        "seed 0  epoch 10  train loss 0.9100  val 70.0 %",
    ]
    assert len(log) == 15
    short = Material(make_spec(), [record], curves=lambda _: {**curves, "val_metric": [[0.5]] * 3})
    assert "val" not in " ".join(trial_card(short, record, log=True)["log"])


def test_every_drawn_trial_has_one_and_nothing_names_a_folder(make_spec: MakeSpec, make_record: Make) -> None:
    lost = MemberResult(seed=3, status=Status.DIVERGED, val=None)
    records = [make_record(0), make_record(1, 0.5, reason="see /home/someone/log.txt", members=(lost,))]
    cards = trial_cards(Material(make_spec(), records))
    assert set(cards) == {0, 1}
    assert dict(cards[1]["facts"])["reason"] == "see …/log.txt"
    assert cards[1]["replicas"] == [["search", "3", "diverged", "–", "–", "–", "0"]]
