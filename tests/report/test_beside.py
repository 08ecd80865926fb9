"""Ours beside the published: which of ours is held against which figure, and what the section says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lorap_bench.published import Verdict
from lorap_bench.report.beside import beside, measured
from lorap_bench.report.document import Figure, Table, Words, walk
from lorap_bench.report.material import Material
from lorap_bench.report.sections import published
from lorap_bench.store.look import Baseline, Confirmation

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]
    MakeSpec = Callable[..., StudySpec]
    MakeConfirmation = Callable[..., Confirmation]


def confirmed(record: TrialRecord, make_confirmation: MakeConfirmation) -> Confirmation:
    """Return a confirmation whose baselines are what their roles say, with costs of their own."""
    made = make_confirmation(record)
    bare = {**record.config, "prompt": {**record.config["prompt"], "kind": "None"}}
    full = {**bare, "quant": {**bare["quant"], "scheme": "FP32"}}
    parts = {Baseline.NO_PROMPT: (bare, 8.0), Baseline.FP32: (full, 32.0)}
    baselines = {
        role: replace(made.baselines[role], config=config, costs={"bits_mixq": bits, "average_bits": bits})
        for role, (config, bits) in parts.items()
    }
    return replace(made, baselines=baselines)


def test_the_nearest_setting_is_judged(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    record = make_record(0, 0.815)
    material = Material(make_spec(), [record], {0: confirmed(record, make_confirmation)})
    assert [one.words for one in measured(material)] == [
        "QAT, LoRAP, k = 4, r = 2",
        "QAT, no prompt",
        "FP32, no prompt",
    ]
    found = beside(material)
    by_framework = {(one.theirs.framework, one.theirs.average_bits): one for one in found}
    qat = by_framework["QAT", 8.0]
    assert (qat.ours.words, qat.judgement.verdict) == ("QAT, no prompt", Verdict.WORSE)
    assert by_framework["FP32", 32.0].ours.words == "FP32, no prompt"
    mixq = by_framework["MixQ", 7.69].judgement
    assert mixq.verdict is Verdict.NOT_COMPARABLE
    assert "another scheme" in mixq.reason
    order = [list(Verdict).index(one.judgement.verdict) for one in found]
    assert order == sorted(order)


def test_the_section_counts_verdicts_and_draws_everything_measured(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    record = make_record(0, 0.815)
    assert published.section(Material(make_spec(), [record])) is None
    material = Material(make_spec(), [record], {0: confirmed(record, make_confirmation)})
    section = published.section(material)
    assert section is not None
    (figure,) = [block for block in walk(section.blocks) if isinstance(block, Figure)]
    names = [trace.name for trace in figure.plot.data]
    assert names[:3] == ["confirmed trial (n = 1)", "its scheme without a prompt (n = 1)", "FP32, no prompt (n = 1)"]
    assert names[3].startswith("published (n = ")
    table, sources = [block for block in walk(section.blocks) if isinstance(block, Table)]
    assert len(table.rows) == len(sources.rows) == len(beside(material))
    words = " ".join(block.text for block in section.blocks if isinstance(block, Words))
    assert f"(n = {len(table.rows)})" in words


def test_an_unknown_set_has_no_published_figure(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    record = make_record(0)
    digits = replace(record, config={**record.config, "task": {"dataset": "Digits"}})
    section = published.section(Material(make_spec(), [digits], {0: confirmed(digits, make_confirmation)}))
    assert section is not None
    assert any(isinstance(block, Words) and block.empty for block in section.blocks)


def test_a_confirmed_trial_that_is_also_a_baseline_stands_as_itself(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    first = confirmed(make_record(0, 0.815), make_confirmation)
    plain = replace(first.baselines[Baseline.NO_PROMPT], number=1)
    fp32 = first.baselines[Baseline.FP32]
    second = Confirmation(look=1, record=plain, baselines={Baseline.FP32: fp32})
    material = Material(make_spec(), [make_record(0), make_record(1)], {0: first, 1: second})
    assert [(one.trial, one.words) for one in measured(material)] == [
        (0, "QAT, LoRAP, k = 4, r = 2"),
        (0, "FP32, no prompt"),
        (1, "QAT, no prompt"),
    ]
    found = published.section(material)
    assert found is not None
    (figure,) = [block for block in walk(found.blocks) if isinstance(block, Figure)]
    assert [trace.name for trace in figure.plot.data][:2] == ["confirmed trial (n = 2)", "FP32, no prompt (n = 1)"]


def test_what_decides_no_verdict_is_said_and_the_interval_stands_beside(
    make_spec: MakeSpec, make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    record = make_record(0, 0.815)
    confirmations = {0: replace(confirmed(record, make_confirmation), look=2)}
    found = published.section(Material(make_spec(), [record], confirmations))
    assert found is not None
    words = " ".join(block.text for block in found.blocks if isinstance(block, Words))
    assert "on the test split, in 2 looks, with fresh seeds" in words
    assert "Width, depth and pooling of the model decide nothing" in words
    table = next(block for block in found.blocks if isinstance(block, Table))
    places = [[column.label for column in table.columns].index(name) for name in ("± std", "Difference, points")]
    for row in table.rows:
        std, difference = (row[place] for place in places)
        if difference is not None and std is not None:
            assert difference.low < difference.mean < difference.high
        else:
            assert difference is None or difference.low is None
