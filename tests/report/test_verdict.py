"""Winners under bit budgets and the health checks."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from lorap_bench.record import MemberResult, Status
from lorap_bench.report.verdict import Check, State, checks, winners
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]
    MakeConfirmation = Callable[..., Confirmation]
    MakeSpec = Callable[..., StudySpec]


def found(
    spec: StudySpec, records: list[TrialRecord], confirmations: Mapping[int, Confirmation] | None = None
) -> dict[str, Check]:
    return {check.name: check for check in checks(spec, records, confirmations or {})}


def test_winners_under_each_budget(make_record: Make) -> None:
    records = [make_record(0, 0.70, 2.5), make_record(1, 0.80, 3.9), make_record(2, 0.79, 7.0), make_record(3, 0.9, 32)]
    assert [(winner.budgets, winner.record.number) for winner in winners(records)] == [
        ((3.0,), 0),
        ((4.0, 6.0, 8.0), 1),
        ((math.inf,), 3),
    ]


def test_budgets_that_nothing_meets_are_left_out(make_record: Make) -> None:
    assert [winner.budgets for winner in winners([make_record(0, 0.7, 5.0)])] == [(6.0, 8.0, math.inf)]
    assert winners([]) == []


def test_only_complete_feasible_finite_trials_win(make_record: Make) -> None:
    records = [
        make_record(0, status=Status.DIVERGED),
        make_record(1, violations={"average_bits": 1.0}),
        make_record(2, math.nan),
        make_record(3, bits=math.inf),
        make_record(4, objectives={}),
    ]
    assert winners(records) == []


def test_ties_go_to_fewer_bits_then_less_overhead_then_the_earlier(make_record: Make) -> None:
    def best(*records: TrialRecord) -> int:
        return winners(records)[-1].record.number

    assert best(make_record(0, 0.8, 4.0), make_record(1, 0.8, 3.5)) == 1
    assert best(make_record(0, 0.8, 4.0, 2.0), make_record(1, 0.8, 4.0, 1.0)) == 1
    assert best(make_record(0, 0.8, 4.0, math.nan), make_record(1, 0.8, 4.0, 1.0)) == 1
    assert best(make_record(1, 0.8), make_record(0, 0.8)) == 0


def test_a_clean_study_is_all_good(make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation) -> None:
    record = make_record(0)
    spec = make_spec(budget={"trials": 1}, replicas={"search": 3, "confirm": 10})
    result = found(spec, [record], {0: make_confirmation(record)})
    assert {check.state for check in result.values()} == {State.GOOD}
    assert result["Budget"].text == "1 of 1 trials spent"
    assert result["Confirmation"].text == "1 of 1 front trials have test accuracy on fresh seeds"
    assert result["Seeds"].text == "3 in each of 1 complete trials"


def test_what_is_wrong_is_said_with_its_figures(make_spec: MakeSpec, make_record: Make) -> None:
    lost = MemberResult(seed=0, status=Status.COMPLETE, val=0.8)
    records = [
        make_record(0, members=(lost,)),
        make_record(1, status=Status.OUT_OF_MEMORY, reason="needs 9 GB " + "x" * 200),
        make_record(2, status=Status.DIVERGED),
        make_record(3, status=Status.INVALID, violations={"average_bits": 2.0}),
        make_record(4, status=Status.DUPLICATE, duplicate_of=0),
        make_record(5, members=(), effective={"clamped": True}, provenance={"commit": "fff"}),
    ]
    result = found(make_spec(), records)
    assert result["Budget"].text == "4 of 30 trials spent: the search is not finished"
    assert result["Failed trials"].text.startswith("2 of 6: out of memory (1), diverged (1); most often “needs 9 GB x")
    assert result["Failed trials"].text.endswith("…”")
    assert result["Confirmation"].state is State.NOTE
    assert result["Confirmation"].text == "the study asked for none, so there is no test accuracy"
    assert result["Seeds"].text == "2 of 2 complete trials lack some of their seeds"
    expected = "broken by 1 of 6 trials (average_bits: 1); refused before training: 1"
    assert result["Constraints"].text == expected
    assert result["Duplicates"].text == "answered from an earlier trial: 1 of 6 proposals"
    assert result["Prompt rank"].text == "clamped by the prompt count or a layer's width in 1 of 6 trials"
    assert result["Code"].text == "the trials come from 2 versions of the code"
    warned = {name for name, check in result.items() if check.state is State.WARN}
    assert warned == {"Budget", "Failed trials", "Seeds", "Code"}
    wanted = found(make_spec(replicas={"confirm": 10}), records)["Confirmation"]
    assert (wanted.state, wanted.text[:6]) == (State.WARN, "0 of 2")


def test_several_looks_and_failed_confirmations_are_told(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    record = make_record(0)
    spec = make_spec(replicas={"search": 3, "confirm": 10})
    again = found(spec, [record], {0: make_confirmation(record, look=2)})["Confirmation"]
    assert again.state is State.WARN
    assert again.text.endswith("fresh seeds; the test split was looked at 2 times")
    one = make_confirmation(record)
    lost = replace(one.baselines[Baseline.FP32], status=Status.OUT_OF_MEMORY)
    spoilt = replace(one, record=replace(one.record, status=Status.DIVERGED), baselines={Baseline.FP32: lost})
    failed = found(spec, [record], {0: spoilt})["Confirmation"]
    assert failed.state is State.WARN
    assert failed.text.endswith("; not complete: trial 0 (diverged), FP32 of trial 0 (out of memory)")


def test_failures_without_a_reason_and_no_commit(make_spec: MakeSpec, make_record: Make) -> None:
    result = found(make_spec(), [make_record(0, status=Status.TIMEOUT, provenance={})])
    assert result["Failed trials"].text == "1 of 1: timeout (1)"
    assert result["Code"].text == "no commit recorded"
    assert (result["Confirmation"].state, result["Confirmation"].text) == (State.NOTE, "no front to confirm")
    assert (result["Seeds"].state, result["Seeds"].text) == (State.NOTE, "no trial completed")


def test_a_search_that_another_limit_may_have_ended_is_not_called_unfinished(
    make_spec: MakeSpec, make_record: Make
) -> None:
    spec = make_spec(budget={"trials": 30, "epochs": 200, "hours": 2})
    check = found(spec, [make_record(0)])["Budget"]
    assert check.state is State.NOTE
    assert check.text == (
        "1 of 30 trials spent; beside 180 of 200 epochs and a limit of 2 hours, which may have ended the search"
    )


def test_screened_trials_lack_no_seeds(make_spec: MakeSpec, make_record: Make) -> None:
    spec = make_spec(replicas={"search": 3, "screen": 1})
    whole = make_record(0)
    screened = make_record(1, members=whole.members[:1])
    check = found(spec, [whole, screened])["Seeds"]
    assert (check.state, check.text) == (
        State.NOTE,
        "3 in 1 of 2 complete trials, the others screened with 1: their means scatter more",
    )
    lost = make_record(2, members=(replace(whole.members[0], val=None),))
    short = found(spec, [whole, screened, lost])["Seeds"]
    assert (short.state, short.text) == (State.WARN, "1 of 3 complete trials lack some of their seeds")
