"""The text over a point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.hover import hover_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]


def test_it_holds_figures_configuration_and_command(
    make_spec: Callable[..., StudySpec], make_record: Make, make_confirmation: Make
) -> None:
    record = make_record(7, effective={"bits": {"layers.0.weight": 4}})
    text = hover_text(make_spec(), record, make_confirmation(record)).replace("<br>", "\n")
    assert text.startswith("<b>Trial 7 · LoRAP, k = 4, r = 2</b>\n")
    assert "validation accuracy 80.0 % [77.5, 82.5] (n = 3)" in text
    assert "test accuracy 79.0 %" in text
    assert "(n = 10), fresh seeds" in text
    assert "4 bits · overhead 1 %" in text
    assert "bits per layer  0: 4" in text
    for section, values in record.config.items():
        assert f"\n{section}" in text
        assert all(name in text for name, value in values.items() if value != {})
    command = text[text.index("lorap-bench train") :]
    assert " ".join(command.split()).count("--seed ") == 3


def test_hostile_strings_stay_text(make_spec: Callable[..., StudySpec], make_record: Make) -> None:
    record = make_record(config={"task": {"dataset": "<script>alert(1)</script>" + "y" * 400}, "optim": {}})
    text = hover_text(make_spec(), record, None)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert max(map(len, text.split("<br>"))) < 120
