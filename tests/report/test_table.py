"""Summary and table, in closed form over a handful of trials."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from lorap_bench.record import Status
from lorap_bench.report.table import front_records, summarise, trial_rows
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]
    MakeConfirmation = Callable[..., Confirmation]
    MakeSpec = Callable[..., StudySpec]


def numbers(spec: StudySpec, records: list[TrialRecord]) -> list[int]:
    return [record.number for record in front_records(spec, records)]


def test_front_in_three_objectives(make_spec: MakeSpec, make_record: Make) -> None:
    records = [
        make_record(0, 0.80, 4.0, 1.0),
        make_record(1, 0.79, 4.0, 1.0),  # dominated by 0
        make_record(2, 0.79, 4.0, 0.5),  # less overhead
        make_record(3, 0.70, 2.0, 9.0),  # fewer bits
    ]
    assert numbers(make_spec(), records) == [0, 2, 3]
    assert numbers(make_spec(objectives=["accuracy", "average_bits"]), records) == [0, 3]
    assert numbers(make_spec(objectives=["accuracy"]), records) == [0]
    assert numbers(make_spec(objectives=["average_bits", "overhead"]), records) == [2, 3]


def test_front_leaves_out_what_did_not_complete_or_breaks_a_rule(make_spec: MakeSpec, make_record: Make) -> None:
    records = [
        make_record(0, 0.70),
        make_record(1, 0.99, status=Status.DIVERGED),
        make_record(2, 0.99, status=Status.PRUNED),
        make_record(3, 0.99, violations={"average_bits": 0.1}),
        make_record(4, math.nan),
        make_record(5, math.inf),
        make_record(6, 0.99, objectives={}),
        make_record(7, 0.99, status=Status.DUPLICATE, duplicate_of=0),
    ]
    assert numbers(make_spec(), records) == [0]


def test_a_configuration_stands_on_the_front_once(make_spec: MakeSpec, make_record: Make) -> None:
    same = [make_record(4, digest="a"), make_record(2, digest="a"), make_record(3, digest="b")]
    assert numbers(make_spec(), same) == [2, 3]


def test_summary_counts_states_and_budget(make_spec: MakeSpec, make_record: Make) -> None:
    statuses = [*Status, Status.COMPLETE]
    records = [make_record(number, status=status) for number, status in enumerate(statuses)]
    summary = summarise(make_spec(), records, {}, running=2)
    assert summary.states == {
        "complete": 2,
        "pruned": 1,
        "failed": 5,  # diverged, out of memory, timeout, user error, worker lost
        "running": 2,
        "invalid": 1,
        "duplicate": 1,
        "interrupted": 1,
    }
    assert sum(summary.states.values()) == len(records) + 2
    assert summary.budget == {"trials": 30, "counted": 7}


def test_summary_front_and_hypervolume(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    records = [make_record(0, 0.5, 16.0, 50.0), make_record(1, 0.4, 20.0, 60.0)]
    summary = summarise(make_spec(), records, {0: make_confirmation(records[0])})
    values = {"accuracy": 0.5, "average_bits": 16.0, "overhead": 50.0}
    assert summary.front == [
        {"number": 0, "values": values, "test_accuracy": pytest.approx(0.49), "test_seeds": 10},
    ]
    assert summary.hypervolume == pytest.approx(0.125)
    assert summarise(make_spec(objectives=["overhead"]), records).hypervolume == pytest.approx(0.5)
    assert summarise(make_spec(objectives=["overhead"]), records).front[0]["values"] == {"overhead": 50.0}
    mapping = json.loads(json.dumps(summary.to_mapping(), allow_nan=False))
    assert mapping["name"] == "made-up"
    assert mapping["schema_version"] == mapping["reference"] == 1


def test_summary_of_nothing(make_spec: MakeSpec) -> None:
    summary = summarise(make_spec(), [])
    assert (summary.front, summary.hypervolume, sum(summary.states.values())) == ([], 0.0, 0)


def test_rows_are_one_a_trial_in_order(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    records = [
        make_record(3, 0.8),
        make_record(1, 0.7, params={"prompt.rank": 2}, violations={"average_bits": 1.0}),
        make_record(2, members=(), objectives={}, status=Status.DIVERGED, reason="loss is NaN", costs={}),
    ]
    frame = trial_rows(make_spec(), records, {3: make_confirmation(records[0])})
    assert frame["number"].tolist() == [1, 2, 3]
    assert frame["front"].tolist() == [False, False, True]
    assert frame["seeds"].tolist() == [3, 0, 3]
    assert frame["feasible"].tolist() == [False, None, None]
    assert frame["accuracy"].isna().tolist() == [False, True, False]
    assert frame["accuracy_std"].iloc[2] == pytest.approx(0.01)
    assert frame["test_accuracy"].iloc[2] == pytest.approx(0.79)
    assert frame["test_seeds"].iloc[2] == 10
    assert frame["look"].tolist() == [pd.NA, pd.NA, 1]
    assert frame["gain_no_prompt"].isna().tolist() == [True, True, False]
    assert frame["gain_no_prompt"].iloc[2] == pytest.approx(0.02)
    assert frame["gain_no_prompt_low"].iloc[2] == pytest.approx(0.02)
    assert frame["gain_fp32_high"].iloc[2] == pytest.approx(-0.01, abs=1e-3)
    assert frame["gain_fp32_seeds"].iloc[2] == 10
    assert frame["costs.model_bytes"].iloc[0] == 1000.0
    assert list(frame.columns[:3]) == ["number", "status", "reason"]
    assert list(frame.columns[-2:]) == ["digest", "command"]


def test_whole_numbers_stay_whole_where_rows_lack_them(make_spec: MakeSpec, make_record: Make) -> None:
    records = [
        make_record(0, params={"prompt.count": 4, "model.batch_norm": True}),
        make_record(1, params={"optim.lr": 0.1}),
    ]
    frame = trial_rows(make_spec(), records)
    assert str(frame["params.prompt.count"].dtype) == "Int64"
    assert frame["params.prompt.count"].tolist() == [4, pd.NA]
    assert str(frame["params.model.batch_norm"].dtype) == "object"
    assert "4.0" not in frame.to_csv(columns=["params.prompt.count"])
    assert str(frame["duplicate_of"].dtype) != "Int64"


def test_no_rows(make_spec: MakeSpec) -> None:
    assert trial_rows(make_spec(), []).empty


def test_gains_over_rungs_have_columns_where_a_look_had_a_ladder(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    records = [make_record(0), make_record(1)]
    plain = {record.number: make_confirmation(record) for record in records}
    gains = ["gain_no_prompt", "gain_fp32"]

    def columns(confirmations: dict[int, Confirmation]) -> list[str]:
        names = trial_rows(make_spec(), records, confirmations).columns
        return [name for name in names if name.startswith("gain_") and name.count("_") == 1 + ("no_prompt" in name)]

    assert columns({}) == columns(plain) == gains
    rung = plain[1].baselines[Baseline.NO_PROMPT]
    plain[1] = replace(plain[1], baselines=plain[1].baselines | {Baseline.LORAP: rung})
    assert columns(plain) == [*gains, "gain_lorap"]
    frame = trial_rows(make_spec(), records, plain)
    assert frame["gain_lorap"].isna().tolist() == [True, False]
    assert frame["gain_lorap"].iloc[1] == pytest.approx(0.02)
    assert frame["gain_lorap_seeds"].tolist() == [pd.NA, 10]
