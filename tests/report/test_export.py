"""CSV and JSON of a study."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.record import Status
from lorap_bench.report.export import export, export_parquet, table_parquet, unknown_format
from lorap_bench.report.table import trial_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]
    MakeConfirmation = Callable[..., Confirmation]
    MakeSpec = Callable[..., StudySpec]


def test_json_holds_every_trial(make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation) -> None:
    records = [make_record(1), make_record(0, status=Status.DIVERGED, reason="see /home/me/x/log.txt", objectives={})]
    found = json.loads(export(make_spec(), records, "json", {1: make_confirmation(records[0])}))
    assert (found["schema_version"], found["name"]) == (1, "made-up")
    assert found["objectives"] == ["accuracy", "average_bits", "overhead"]
    failed, complete = found["trials"]
    assert (failed["number"], failed["status"], failed["reason"]) == (0, "diverged", "see …/log.txt")
    assert failed["values"] == {"accuracy": None, "average_bits": None, "overhead": None}
    assert "confirmation" not in failed
    assert complete["values"] == {"accuracy": 0.8, "average_bits": 4.0, "overhead": 1.0}
    assert complete["params"] == {"prompt.count": 4, "prompt.rank": 2}
    assert complete["digest"] == records[0].digest
    assert complete["costs"]["model_bytes"] == 1000.0
    assert [member["seed"] for member in complete["members"]] == [0, 1, 2]
    confirmation = complete["confirmation"]
    assert (confirmation["look"], confirmation["status"], len(confirmation["members"])) == (1, "complete", 10)
    assert set(confirmation["baselines"]) == set(confirmation["gains"]) == {"no_prompt", "fp32"}
    for baseline in confirmation["baselines"].values():
        assert [member["seed"] for member in baseline["members"]] == list(range(100, 110))
        assert baseline["digest"] != complete["digest"]
    assert confirmation["gains"]["no_prompt"]["mean"] == pytest.approx(0.02)
    assert set(confirmation["gains"]["fp32"]) == {"mean", "std", "low", "high", "n", "level"}
    assert complete["command"].startswith("lorap-bench train")


def test_json_has_a_line_for_each_trial(make_spec: MakeSpec, make_study: Callable[[int], list[TrialRecord]]) -> None:
    text = export(make_spec(), make_study(20), "json")
    head, *lines, tail = text.splitlines()
    assert json.loads(head + "]}")["name"] == "made-up"
    assert [json.loads(line.removesuffix(","))["number"] for line in lines] == list(range(20))
    assert (tail, text[-1]) == ("]}", "\n")


def test_json_shows_no_path_in_any_spelling(make_spec: MakeSpec, make_record: Make) -> None:
    odd = {"reason": "größer als C:\\Users\\me\\x.txt", "effective": {"note": "/home/me/y.txt", "value": math.inf}}
    (trial,) = json.loads(export(make_spec(), [make_record(0, **odd)], "json"))["trials"]
    assert (trial["reason"], trial["effective"]) == ("größer als …/x.txt", {"note": "…/y.txt", "value": None})


def test_json_has_no_infinity(make_spec: MakeSpec, make_record: Make) -> None:
    record = make_record(0, math.inf, bits=math.nan, effective={"ranks": (1, math.inf)})
    (trial,) = json.loads(export(make_spec(), [record], "json"))["trials"]
    assert trial["values"] == {"accuracy": None, "average_bits": None, "overhead": 1.0}
    assert trial["effective"]["ranks"] == [1, None]


def test_csv_has_one_row_a_trial(make_spec: MakeSpec, make_study: Callable[[int], list[TrialRecord]]) -> None:
    rows = list(csv.DictReader(io.StringIO(export(make_spec(), make_study(20), "csv"))))
    assert [int(row["number"]) for row in rows] == list(range(20))
    assert {row["params.prompt.count"] for row in rows} <= {"1", "2", "4", "8", "16"}
    assert not any("/home/" in row["reason"] for row in rows)


def test_nothing_to_export_is_an_empty_table(make_spec: MakeSpec) -> None:
    assert json.loads(export(make_spec(), [], "json"))["trials"] == []
    assert not list(csv.DictReader(io.StringIO(export(make_spec(), [], "csv"))))


def test_an_unknown_format_names_the_nearest(make_spec: MakeSpec) -> None:
    with pytest.raises(ConfigError, match=r"unknown format; got 'jsn'; allowed: csv, json; did you mean 'json'\?"):
        export(make_spec(), [], "jsn")


def test_parquet_has_the_rows_of_the_csv_with_types(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    points: list[dict[str, Any]] = [
        {"prompt.count": 4, "optim.batch": "full", "prompt.gate": True},
        {"prompt.count": 2, "optim.batch": 64},
        {"prompt.gate": False},
    ]
    made = [make_record(0), make_record(1), make_record(2, status=Status.DIVERGED, objectives={})]
    records = [replace(record, params=point) for record, point in zip(made, points, strict=True)]
    confirmations = {0: make_confirmation(made[0])}
    data = export_parquet(make_spec(), records, confirmations)
    assert data == export_parquet(make_spec(), records[::-1], confirmations)
    frame = pd.read_parquet(io.BytesIO(data))
    table = pd.read_csv(io.StringIO(export(make_spec(), records, "csv", confirmations)))
    assert list(frame.columns) == list(table.columns)
    assert frame["params.prompt.count"].dtype == "Int64"
    assert frame["params.optim.batch"].tolist()[:2] == ["full", "64"]
    assert frame["params.prompt.gate"].tolist()[0] is True
    assert frame["accuracy"].dtype == "float64"
    assert frame["accuracy"].tolist()[:2] == table["accuracy"].tolist()[:2]
    assert frame["test_accuracy"].isna().tolist() == [False, True, True]
    assert frame["number"].tolist() == [0, 1, 2]


def test_parquet_leaves_the_table_as_it_is(make_spec: MakeSpec, make_record: Make) -> None:
    records = [replace(make_record(number), params={"optim.batch": value}) for number, value in enumerate(("full", 64))]
    table = trial_rows(make_spec(), records)
    assert table_parquet(table) == export_parquet(make_spec(), records)
    assert table["params.optim.batch"].tolist() == ["full", 64]


def test_an_unknown_format_is_told_with_all_there_are() -> None:
    with_all = unknown_format("parket", ["csv", "parquet"])
    assert "got 'parket'; allowed: csv, parquet; did you mean 'parquet'?" in str(with_all)
