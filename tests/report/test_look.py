"""What a look found, for the screen and for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lorap_bench.record import MemberResult, Status
from lorap_bench.report.look import look_columns, look_entry, look_mapping, look_rows
from lorap_bench.store.look import Baseline, Confirmation, Look

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord

    Make = Callable[..., TrialRecord]
    MakeConfirmation = Callable[..., Confirmation]

LOOK = Look(number=2, seeds=(100, 101), subjects=(), started="2026-01-02", finished="2026-01-03", again=True, budget=3)


def test_one_row_a_trial_by_number(make_record: Make, make_confirmation: MakeConfirmation) -> None:
    confirmations = {7: make_confirmation(make_record(7)), 2: make_confirmation(make_record(2))}
    rows = look_rows(confirmations)
    assert look_columns(confirmations) == [
        "trial",
        "test accuracy, %",
        "gain over no prompt, points",
        "gain over FP32, points",
        "n",
    ]
    assert len(rows[0]) == 5
    assert [row[0] for row in rows] == ["2", "7"]
    assert rows[0][1:] == ["79.0 [78.7, 79.3]", "+2.0 [+2.0, +2.0]", "-1.0 [-1.1, -0.9]", "10"]


def test_seeds_that_failed_show_in_n(make_record: Make, make_confirmation: MakeConfirmation) -> None:
    whole = make_confirmation(make_record(0))
    plain = whole.baselines[Baseline.NO_PROMPT]
    lost = MemberResult(seed=100, status=Status.DIVERGED, val=None)
    partly = replace(plain, status=Status.DIVERGED, members=(lost, *plain.members[1:]))
    one = replace(whole, baselines={Baseline.NO_PROMPT: partly})
    none = replace(one, record=replace(one.record, status=Status.DIVERGED, members=()))
    assert look_rows({0: one, 1: none}) == [
        ["0", "79.0 [78.7, 79.3]", "+2.0 [+2.0, +2.0]", "–", "10/9"],
        ["1", "–", "–", "–", "0"],
    ]


def test_a_ladder_has_columns_where_it_occurs(make_record: Make, make_confirmation: MakeConfirmation) -> None:
    plain = make_confirmation(make_record(0))
    rung = plain.baselines[Baseline.NO_PROMPT]
    climbed = replace(plain, baselines=plain.baselines | {Baseline.GPF: rung})
    headings = ["gain over FP32, points", "gain over node prompts alone, points", "n"]
    assert look_columns({0: plain, 1: climbed})[3:] == headings
    rows = look_rows({0: plain, 1: climbed})
    assert [row[4] for row in rows] == ["–", "+2.0 [+2.0, +2.0]"]
    assert {len(row) for row in rows} == {6}
    assert look_columns({})[2:4] == ["gain over no prompt, points", "gain over FP32, points"]
    [told] = look_mapping("x", replace(LOOK, ladder=True), {1: climbed})["trials"]
    assert list(told["baselines"]) == list(told["gains"]) == ["no_prompt", "fp32", "gpf"]
    assert told["gains"]["gpf"]["mean"] == pytest.approx(0.02)


def test_programs_get_the_look_and_every_gain(make_record: Make, make_confirmation: MakeConfirmation) -> None:
    one = make_confirmation(make_record(4))
    bare = Confirmation(look=2, record=one.record)
    failed = replace(one, baselines={Baseline.FP32: make_record(members=(), status=Status.DIVERGED)})
    found = look_mapping("x", LOOK, {4: one, 5: bare, 6: failed})
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["schema_version"], found["name"], found["look"]) == (1, "x", look_entry(LOOK))
    assert found["look"]["seeds"] == [100, 101]
    assert (found["look"]["ladder"], look_entry(replace(LOOK, ladder=True))["ladder"]) == (False, True)
    assert (found["look"]["again"], found["look"]["counted"], found["look"]["budget"]) == (True, None, 3)
    first, second, third = found["trials"]
    assert (first["number"], first["status"]) == (4, "complete")
    assert first["test_accuracy"]["mean"] == pytest.approx(0.79)
    assert first["gains"]["no_prompt"]["mean"] == pytest.approx(0.02)
    assert first["gains"]["no_prompt"]["n"] == 10
    assert (second["baselines"], second["gains"]) == ({}, {})
    assert (third["baselines"], third["gains"]) == ({"fp32": "diverged"}, {"fp32": None})
