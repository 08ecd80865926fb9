"""Reports on errors: every word, column and sign as a reader of errors expects them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lorap_bench.metric import Metric
from lorap_bench.report.assemble import assemble
from lorap_bench.report.company import Method
from lorap_bench.report.compare import compare
from lorap_bench.report.compare_page import compare_document
from lorap_bench.report.ladder import steps
from lorap_bench.report.look import look_columns, look_mapping
from lorap_bench.report.markdown import markdown
from lorap_bench.report.material import Material
from lorap_bench.report.score import Score, spoken
from lorap_bench.report.sides import method_side
from lorap_bench.report.surfaces import window
from lorap_bench.report.table import trial_rows
from lorap_bench.report.trial import gain, gain_test, score
from lorap_bench.report.verdict import winners
from lorap_bench.stats.intervals import Interval
from lorap_bench.store.look import Baseline, Confirmation, Look

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]
    MakeSpec = Callable[..., StudySpec]
    MakeStudy = Callable[..., list[TrialRecord]]
    MakeConfirmation = Callable[..., Confirmation]

MAE = Score(Metric.MAE)


def _erring(record: TrialRecord) -> TrialRecord:
    """Return a record whose error is 1 less its accuracy: as good as before, told the other way round."""
    members = tuple(
        replace(
            member,
            val=None if member.val is None else 1 - member.val,
            test=None if member.test is None else 1 - member.test,
        )
        for member in record.members
    )
    objectives = {
        ("mae" if name == "accuracy" else name): 1 - value if name == "accuracy" else value
        for name, value in record.objectives.items()
    }
    config = {**record.config, "task": {**record.config["task"], "dataset": "ZINC"}}
    return replace(record, members=members, objectives=objectives, config=config)


def _confirmed(one: Confirmation) -> Confirmation:
    baselines = {role: _erring(record) for role, record in one.baselines.items()}
    return replace(one, record=_erring(one.record), baselines=baselines)


@pytest.fixture
def pair(make_spec: MakeSpec, make_study: MakeStudy, make_confirmation: MakeConfirmation) -> tuple[Material, Material]:
    """Return a study told in accuracies, and the same told in errors."""
    records = make_study(60)
    spec = make_spec()
    first = Material(spec, records)
    confirmations = {record.number: make_confirmation(record) for record in first.front}
    first = Material(spec, records, confirmations)
    erring = make_spec(objectives=["mae", "average_bits", "overhead"], task={"dataset": "ZINC"})
    second = Material(
        erring,
        [_erring(record) for record in records],
        {number: _confirmed(one) for number, one in confirmations.items()},
    )
    return first, second


def test_the_same_trials_win(pair: tuple[Material, Material]) -> None:
    one, other = pair
    assert other.metric is Metric.MAE
    assert [record.number for record in one.front] == [record.number for record in other.front]
    found = [[(winner.budgets, winner.record.number) for winner in winners(study.records)] for study in pair]
    assert found[0] == found[1]


def test_a_gain_is_the_error_that_was_saved(pair: tuple[Material, Material]) -> None:
    one, other = pair
    number = one.front[0].number
    for role in (Baseline.NO_PROMPT, Baseline.FP32):
        gains = [gain(study.confirmations[number], role) for study in pair]
        tests = [gain_test(study.confirmations[number], role) for study in pair]
        assert gains[0] is not None
        assert gains[1] is not None
        assert gains[1].mean == pytest.approx(gains[0].mean)
        assert tests[0] is not None
        assert tests[1] is not None
        assert tests[1].rank_biserial == tests[0].rank_biserial
    words = {step.words for step in steps(list(other.confirmations.values()))}
    assert words == {"FP32 − no prompt", "no prompt − own prompt"}
    assert {step.words for step in steps(list(one.confirmations.values()))} == {
        "no prompt − FP32",
        "own prompt − no prompt",
    }
    mine, theirs = (steps(list(study.confirmations.values())) for study in pair)
    assert [step.comparison.difference.mean for step in mine] == pytest.approx(
        [step.comparison.difference.mean for step in theirs]
    )


def test_a_report_on_errors_speaks_of_no_accuracy(pair: tuple[Material, Material]) -> None:
    text = markdown(assemble(pair[1]))
    assert "\n".join(re.findall(r".*accura.*", text, re.IGNORECASE)) == ""
    assert "Validation MAE ↓" in text
    assert "MAE ↓" in text.split("Objectives")[1][:200]
    assert "minus the trial’s own test MAE, so that more than 0 is better" in text


def test_two_studies_of_errors(pair: tuple[Material, Material]) -> None:
    told = []
    for study in pair:
        worse = Material(study.spec, study.records[:20])
        compared = compare(study, worse)
        told.append((compared.first.hypervolume > 0, compared.first.more_often, [row.first for row in compared.rows]))
        text = markdown(compare_document(compared, study, worse))
        if study.metric is Metric.MAE:
            assert "\n".join(re.findall(r".*accura.*", text, re.IGNORECASE)) == ""
            assert "Differences are B − A" in text
            best = compared.to_mapping()["rows"][0]["first"]
            assert set(best) == {"trial", "average_bits", "mae"}
    numbers = [[one.trial for one in found if one] for _, _, found in told]
    assert numbers[0] == numbers[1]
    assert told[1][1] is not None
    assert told[1][1] >= 0


def test_what_runs_attain_lies_above_the_surface(pair: tuple[Material, Material]) -> None:
    one, other = (
        window("average_bits", [method_side(Method("", (study,)), "average_bits", searches=False)], study.score)
        for study in pair
    )
    assert one is not None
    assert other is not None
    assert one.worst == one.box[1][0]
    assert other.worst == other.box[1][1]
    assert [1 - end for end in reversed(other.box[1])] == pytest.approx(list(one.box[1]))


def test_tables_name_the_metric(pair: tuple[Material, Material]) -> None:
    study = pair[1]
    rows = trial_rows(study.spec, study.records, study.confirmations)
    assert {"mae", "mae_std", "test_mae", "test_mae_low", "gain_fp32"} <= set(rows.columns)
    assert not [name for name in rows.columns if "accuracy" in name]
    assert look_columns(study.confirmations)[:2] == ["trial", "test MAE ↓"]
    entry = look_mapping("a", Look(number=1, seeds=(100,), subjects=(), started=""), study.confirmations)["trials"][0]
    assert entry["test_mae"]["n"] == 10


def test_intervals_of_errors_end_at_zero_alone(make_record: Make) -> None:
    record = _erring(make_record(accuracy=-0.5))  # errors of 1.49, 1.5 and 1.51
    found = score(record)
    assert found is not None
    assert (round(found.mean, 9), found.high is not None and found.high > 1.5) == (1.5, True)


def test_figures_in_words() -> None:
    interval = Interval(mean=0.41234, std=0.01, low=0.4, high=0.425, n=5)
    assert MAE.interval(interval) == "0.412 [0.400, 0.425] (n = 5)"
    assert MAE.gain(interval) == "+0.412 [+0.400, +0.425]"
    assert MAE.spread(replace(interval, n=2)) == "± 0.010"
    assert Score().interval(interval) == "41.2 % [40.0, 42.5] (n = 5)"
    assert Score().spread(replace(interval, n=2)) == "± 1.0"
    assert (MAE.title("test"), Score().title("test")) == ("test MAE ↓", "test accuracy (%)")
    assert (MAE.less("A", "B"), Score().less("A", "B")) == ("B − A", "A − B")
    assert [spoken(name) for name in ("mae", "accuracy", "average_bits")] == ["MAE", "accuracy", "average bits"]
