"""Studies that are strange, broken or still being written: a correct report in every text form, or a clear message."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.record import Outcome, Status
from lorap_bench.report import write_report
from tests.report.test_page import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]
    MakeSpec = Callable[..., StudySpec]
    MakeFolder = Callable[..., StudyFolder]
    MakeStudy = Callable[..., list[TrialRecord]]

TEXTS = ("html", "md", "tex", "json", "csv", "parquet")
NOTHING: dict[str, Any] = {"members": (), "objectives": {}, "costs": {}, "effective": {}}


def identical(make: Make) -> list[TrialRecord]:
    return [make(number, params={"prompt.count": 2, "prompt.rank": 1}) for number in range(30)]


def one_point(make: Make) -> list[TrialRecord]:
    return [make(0, 0.9, 2.0, 0.1), *(make(number, 0.5, 4.0, 1.0 + number) for number in range(1, 25))]


def gaps(make: Make) -> list[TrialRecord]:
    return [
        make(0, math.nan),
        make(1, 0.8, math.inf),
        make(2, 0.8, 4.0, -math.inf),
        make(3, objectives={}),
        make(4, costs={}, effective={}, provenance={}, started=""),
        make(5, members=()),
        make(6, 0.7, 3.0, params={}),
        *(make(number, 0.6 + number / 100, 3.0 + number / 10) for number in range(7, 30)),
    ]


def failed(make: Make) -> list[TrialRecord]:
    kinds = (Status.DIVERGED, Status.OUT_OF_MEMORY, Status.TIMEOUT, Status.USER_ERROR, Status.WORKER_LOST)
    return [make(number, status=kinds[number % 5], reason="because", **NOTHING) for number in range(10)]


def infeasible(make: Make) -> list[TrialRecord]:
    return [make(number, 0.7 + number / 100, violations={"average_bits": 1.0}) for number in range(5)]


def clockless(make: Make) -> list[TrialRecord]:
    return [make(number, 0.7 + number / 100, started="not a time", seconds=0.0) for number in range(5)]


STUDIES = [identical, one_point, gaps, failed, infeasible, clockless, lambda make: [make(0)]]


@pytest.mark.parametrize("objectives", [["accuracy", "average_bits", "overhead"], ["accuracy"], ["average_bits"]])
@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.__name__.strip("<>"))
def test_every_form_of_a_strange_study(  # every section meets every kind of gap
    make_spec: MakeSpec,
    make_record: Make,
    make_folder: MakeFolder,
    tmp_path: Path,
    study: Callable[[Make], list[TrialRecord]],
    objectives: list[str],
) -> None:
    spec = make_spec(objectives=objectives)
    folder = make_folder(spec, study(make_record))
    page = write_report((folder, spec), tmp_path / "out", formats=TEXTS)
    checker, text, _ = read(page)
    assert len(checker.ids) == len(set(checker.ids))
    assert {ref[1:] for ref in checker.references if ref.startswith("#")} <= set(checker.ids)
    words = {word.strip("[](),;:%") for word in text.split()}
    assert not words & {"nan", "inf", "-inf", "None", "NaN"} - {"None"}
    json.loads((page.parent / "report.json").read_text(encoding="utf-8"), parse_constant=refuse)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def test_a_record_of_another_version_is_named(
    make_spec: MakeSpec, make_record: Make, make_folder: MakeFolder, tmp_path: Path
) -> None:
    spec = make_spec()
    folder = make_folder(spec, [make_record(0), make_record(1)])
    path = folder.root / "trials" / "000001.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 99}), encoding="utf-8")
    with pytest.raises(StoreError, match=r"000001\.json: record schema 99, this version reads 1"):
        write_report((folder, spec), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_study_that_is_being_written_gives_what_was_there(
    make_spec: MakeSpec, make_study: MakeStudy, make_folder: MakeFolder, tmp_path: Path
) -> None:
    spec, records = make_spec(), make_study(60)
    folder = make_folder(spec, records[:10])

    def write() -> None:
        for record in records[10:]:
            folder.write(Outcome(replace(record), {"train_loss": [[1.0, 0.5]]}))

    writer = threading.Thread(target=write)
    writer.start()
    counts: list[int] = []
    while writer.is_alive() or not counts:
        _, text, _ = read(write_report((folder, spec), tmp_path / "out"))
        (count,) = (n for n in range(10, 61) if f" of {n} proposed, 3 seeds each" in text)
        counts.append(count)
    writer.join()
    assert counts == sorted(counts)
