"""Importances in words, bars and a table; what cannot be told says why."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from lorap_bench.report.document import Figure, Section, Words
from lorap_bench.report.material import Material
from lorap_bench.report.sections.importance import section

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

    MakeSpec = Callable[..., StudySpec]
    MakeRecord = Callable[..., TrialRecord]


def _made(section_: Section | None) -> tuple[str, Figure]:
    assert section_ is not None
    words, figure = section_.blocks
    assert isinstance(words, Words)
    assert isinstance(figure, Figure)
    return words.text, figure


def _told(found: Section | None) -> str:
    assert found is not None
    (words,) = found.blocks
    assert isinstance(words, Words)
    assert words.empty
    return words.text


def _records(make_record: MakeRecord, count: int, *, clamp: bool = False) -> list[TrialRecord]:
    """Accuracy hangs on the rank (as clamped, if asked for), bits on the width, overhead on neither."""
    rng, found = random.Random(0), []
    for number in range(count):
        rank, width = rng.choice([1, 2, 4, 8, 16]), rng.choice([2, 4, 8])
        left = min(rank, 4) if clamp else rank
        found.append(
            make_record(
                number,
                accuracy=0.6 + 0.01 * left,
                bits=float(width),
                overhead=rng.random(),
                params={"prompt.rank": rank, "quant.layer_bits.0": width},
                effective={"ranks": [left, 1]},
            )
        )
    return found


def test_each_objective_hangs_on_its_parameter(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    text, figure = _made(section(Material(make_spec(), _records(make_record, 60))))
    rows = {row[0]: row[1:] for row in figure.table.rows}
    accuracy, bits, overhead = (slice(2 * place, 2 * place + 2) for place in range(3))
    assert rows["prompt.rank"][accuracy][0] > 1.0
    assert rows["quant.layer_bits.0"][bits][0] > 1.0
    assert abs(rows["quant.layer_bits.0"][accuracy][0]) < 0.1
    assert abs(rows["prompt.rank"][bits][0]) < 0.1
    assert all(one[1] >= 0 for row in rows.values() for one in (row[accuracy], row[bits], row[overhead]))
    assert "for accuracy (n = 60 trials)" in text
    assert "Below 0.3: overhead." in text
    assert [trace.name.partition(" (R²")[0] for trace in figure.plot.data] == ["accuracy", "average bits", "overhead"]
    assert len({trace.marker.pattern.shape for trace in figure.plot.data}) == 3
    assert list(figure.plot.data[0].y) == ["prompt.rank", "quant.layer_bits.0"]


def test_the_same_study_gives_the_same_bars(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    records = _records(make_record, 40)
    one, other = (_made(section(Material(make_spec(), records)))[1].table.rows for _ in range(2))
    assert one == other
    assert _made(section(Material(make_spec(seed=1), records)))[1].table.rows != one


def test_a_rank_counts_as_its_layers_clamped_it(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    """Clamped, 4, 8 and 16 are one rank: a forest that sees the clamped rank explains all of the accuracy."""
    spec = make_spec(objectives=["accuracy", "average_bits"])
    text, figure = _made(section(Material(spec, _records(make_record, 60, clamp=True))))
    assert "**1.00** for accuracy" in text
    assert figure.table.rows[0][0] == "prompt.rank"


def test_what_does_not_vary_has_no_bars(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    records = [
        make_record(n, bits=4.0, overhead=1.0, accuracy=0.5 + n / 99, params={"prompt.rank": n + 1}) for n in range(30)
    ]
    _, figure = _made(section(Material(make_spec(), records)))
    assert [column.label for column in figure.table.columns] == ["Parameter", "Accuracy: importance", "± std"]


def test_too_little_says_so(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    few = _records(make_record, 19)
    assert "19 complete trials: too few" in _told(section(Material(make_spec(), few)))
    same = [make_record(number) for number in range(30)]
    assert "took two values" in _told(section(Material(make_spec(), same)))
    flat = [make_record(n, params={"prompt.rank": n + 1}) for n in range(30)]
    assert "None of the objectives differs" in _told(section(Material(make_spec(), flat)))
    assert section(Material(make_spec(space={}, search={"sampler": "Random"}), few)) is None
