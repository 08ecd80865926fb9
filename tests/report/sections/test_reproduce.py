"""The commands that make a report's figures again, and that the words name them in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.document import Commands, Words
from lorap_bench.report.material import Material
from lorap_bench.report.sections.reproduce import section
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

    MakeRecord = Callable[..., TrialRecord]
    MakeSpec = Callable[..., StudySpec]
    MakeConfirmation = Callable[..., Confirmation]


def _told(material: Material) -> tuple[tuple[str, ...], str]:
    blocks = section(material).blocks
    (commands,) = (block.lines for block in blocks if isinstance(block, Commands))
    return commands, " ".join(block.text for block in blocks if isinstance(block, Words))


def test_the_words_follow_the_commands(
    make_spec: MakeSpec, make_record: MakeRecord, make_confirmation: MakeConfirmation
) -> None:
    record = make_record(0)
    commands, words = _told(Material(make_spec(), [record]))
    assert [line.split()[1] for line in commands] == ["run", "report", "rerun"]
    assert "The commands run it again, make this report from what is stored, and train one trial again" in words
    confirmation = make_confirmation(record)
    commands, words = _told(Material(make_spec(), [record], {0: confirmation}))
    assert commands[1] == "lorap-bench confirm made-up.toml --seeds 10"
    assert "run it again, measure its front on the test split, make this report from what is stored, and train" in words
    confirmation.baselines[Baseline.GPF] = confirmation.baselines[Baseline.NO_PROMPT]
    commands, _ = _told(Material(make_spec(), [record], {0: confirmation}))
    assert commands[1] == "lorap-bench confirm made-up.toml --seeds 10 --ladder"


def test_without_a_front_there_is_no_trial_to_train_again(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    commands, words = _told(Material(make_spec(), [make_record(0, violations={"average_bits": 1.0})]))
    assert [line.split()[1] for line in commands] == ["run", "report"]
    assert "The commands run it again, and make this report from what is stored" in words
