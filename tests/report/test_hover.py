"""The text over a point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.hover import hover_text
from lorap_bench.report.trial import command

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]
    MakeConfirmation = Callable[..., Confirmation]


def test_it_holds_figures_configuration_and_command(
    make_spec: Callable[..., StudySpec], make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    record = make_record(7, effective={"bits": {"layers.0.weight": 4}})
    text = hover_text(record, make_confirmation(record), command(make_spec(), record)).replace("<br>", "\n")
    assert text.startswith("<b>Trial 7 · LoRAP, k = 4, r = 2</b>\n")
    assert "validation accuracy 80.0 % [77.5, 82.5] (n = 3)" in text
    assert "test accuracy 79.0 %" in text
    assert "(n = 10), fresh seeds" in text
    assert "test gain over no prompt +2.0 [+2.0, +2.0] points (n = 10)" in text
    assert "test gain over FP32 -1.0 [-1.1, -0.9] points (n = 10)" in text
    assert "4 bits · overhead 1 %" in text
    assert "bits per layer  0: 4" in text
    for section, values in record.config.items():
        assert f"\n{section}" in text
        assert all(name in text for name, value in values.items() if value != {})
    rerun = text[text.index("lorap-bench train") :]
    assert " ".join(rerun.split()).count("--seed ") == 3


def test_hostile_strings_stay_text(make_record: Make) -> None:
    record = make_record(config={"task": {"dataset": "<script>alert(1)</script>" + "y" * 400}, "optim": {}})
    text = hover_text(record, None, "lorap-bench train x.toml")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert max(map(len, text.split("<br>"))) < 120


def test_a_long_word_of_the_command_stays_whole(make_record: Make) -> None:
    rerun = f"lorap-bench train {'deep/' * 30}study.toml --set a.b=1 --seed 0"
    text = hover_text(make_record(), None, rerun).replace("<br>", "\n")
    assert " ".join(text[text.index("lorap-bench train") :].split()) == rerun


def test_figures_of_the_configuration_are_rounded(make_record: Make) -> None:
    text = hover_text(make_record(config={"optim": {"lr": 0.1 + 0.2, "epochs": 60}}), None, "lorap-bench train x.toml")
    assert "lr=0.3 epochs=60" in text
