"""The ladder: rungs from the bottom, steps seed by seed, p values corrected for their number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lorap_bench.report.document import Figure, Table, Words, walk
from lorap_bench.report.ladder import rungs, steps
from lorap_bench.report.material import Material
from lorap_bench.report.sections import ladder
from lorap_bench.stats.significance import holm
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]
    MakeSpec = Callable[..., StudySpec]
    MakeConfirmation = Callable[..., Confirmation]


def test_rungs_stand_in_order_with_the_trial_on_top(make_record: Make, make_confirmation: MakeConfirmation) -> None:
    confirmation = make_confirmation(make_record(3))
    gpf = confirmation.baselines[Baseline.NO_PROMPT]
    whole = replace(confirmation, baselines={Baseline.GPF: gpf, **confirmation.baselines})
    found = rungs(whole)
    assert [rung.words for rung in found] == [
        "FP32, no prompt",
        "no prompt",
        "node prompts alone",
        "QAT, LoRAP, k = 4, r = 2",
    ]
    assert all(rung.test is not None and rung.test.n == 10 for rung in found)


def test_steps_are_paired_and_corrected(make_record: Make, make_confirmation: MakeConfirmation) -> None:
    confirmed = [make_confirmation(make_record(number, 0.8 - number / 100)) for number in range(3)]
    found = steps(confirmed)
    assert [(step.trial, step.words) for step in found[:2]] == [
        (0, "no prompt − FP32"),
        (0, "own prompt − no prompt"),
    ]
    assert found[1].comparison.difference.mean == pytest.approx(0.02)
    assert found[0].comparison.difference.mean == pytest.approx(-0.03)
    assert [step.adjusted for step in found] == holm([step.comparison.t_test for step in found])
    assert len(found) == 6


def test_a_trial_without_a_prompt_is_compared_with_fp32_alone(
    make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    record = make_record(0)
    config = {**record.config, "prompt": {**record.config["prompt"], "kind": "None"}}
    confirmation = make_confirmation(replace(record, config=config))
    alone = replace(confirmation, baselines={Baseline.FP32: confirmation.baselines[Baseline.FP32]})
    assert [step.words for step in steps([alone])] == ["no prompt − FP32"]
    assert [rung.words for rung in rungs(alone)] == ["FP32, no prompt", "QAT, no prompt"]


def test_the_section_names_what_is_significant_and_how_to_get_one(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    spec, record = make_spec(), make_record(0)
    (without,) = ladder.section(Material(spec, [record])).blocks
    assert isinstance(without, Words)
    assert "lorap-bench confirm made-up.toml --ladder" in without.text
    blocks = ladder.section(Material(spec, [record], {0: make_confirmation(record)})).blocks
    (figure,) = [block for block in walk(blocks) if isinstance(block, Figure)]
    (trace,) = figure.plot.data
    assert trace.meta == {"trial": 0}
    assert list(trace.x) == ["FP32, no prompt", "no prompt", "the trial"]
    assert len(figure.table.rows) == 3
    (table,) = [block for block in walk(blocks) if isinstance(block, Table)]
    assert [row[1] for row in table.rows] == ["own prompt − no prompt", "no prompt − FP32"]
    assert any("**2 of 2 are below 0.05**" in block.text for block in blocks if isinstance(block, Words))


def test_the_gains_of_prompts_are_counted_apart_and_every_look_is_told(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    records = [make_record(0, 0.8), make_record(1, 0.7)]
    confirmations = {record.number: make_confirmation(record) for record in records}
    swapped = confirmations[1]
    bare = swapped.baselines[Baseline.NO_PROMPT]
    lower = replace(swapped.record, members=bare.members)
    upper = replace(bare, members=swapped.record.members)
    worse = replace(swapped, record=lower, baselines={Baseline.NO_PROMPT: upper}, look=2)
    blocks = ladder.section(Material(make_spec(), records, {0: confirmations[0], 1: worse})).blocks
    words = " ".join(block.text for block in blocks if isinstance(block, Words))
    assert "measured in 2 looks on the test split" in words
    assert "Of 2 comparisons of a trial’s own prompt with no prompt" in words
    assert "**gains: 1, losses: 1**" in words
    alone = replace(confirmations[0], baselines={Baseline.FP32: confirmations[0].baselines[Baseline.FP32]})
    blocks = ladder.section(Material(make_spec(), records[:1], {0: alone})).blocks
    words = " ".join(block.text for block in blocks if isinstance(block, Words))
    assert "measured once on the test split" in words
    assert "are gains" not in words
