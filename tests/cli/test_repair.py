from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.executors.stop import ask_to_stop
from lorap_bench.store.folder import StudyFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


def test_nothing_to_mend(lorap_bench: Command, runs: Path, finished: Path) -> None:
    ended = lorap_bench("repair", "tiny", "--runs", runs)
    assert (ended.code, ended.out, ended.err) == (0, "", "tiny: nothing to mend\n")


def test_every_deed_is_told_and_the_study_goes_on(lorap_bench: Command, runs: Path, tiny: Path, finished: Path) -> None:
    folder = StudyFolder(finished)
    before = folder.records()
    (finished / "trials" / "000001.json").write_text('{"schema_ver')
    (finished / "trials" / ".000003.json.tmp").write_text("{")
    with folder.journal.open("ab") as journal:
        journal.write(b'{"op_code": 5, "wor')
    ask_to_stop(folder.stop_request, now=False)
    copies = runs / ".tiny.building"
    copies.mkdir()
    assert lorap_bench("status", "tiny", "--runs", runs).code == 2

    ended = lorap_bench("repair", "tiny", "--runs", runs)
    deeds = ended.out.splitlines()
    assert ended.code == 0
    for told in (
        "set aside trials/.000003.json.tmp: half-written",
        "set aside trials/000001.json: no JSON; its trial runs again",
        "cut half a line",
        "made the journal storage anew",
        "removed a request to stop",
        "removed .tiny.building: copies",
    ):
        assert any(told in deed for deed in deeds), told
    assert "tiny: mended" in ended.err
    assert not copies.exists()
    assert lorap_bench("repair", "tiny", "--runs", runs).out == ""

    assert lorap_bench("run", tiny, "--runs", runs, "--no-report", "--quiet").code == 0
    records = folder.records()
    assert sum(record.status.counts for record in records) == 3
    assert [records[0], records[2]] == [before[0], before[2]]


@pytest.mark.parametrize("text", [None, "", "no journal\n"])
def test_a_journal_that_is_lost_or_damaged_is_made_anew(
    lorap_bench: Command, runs: Path, tiny: Path, finished: Path, text: str | None
) -> None:
    folder = StudyFolder(finished)
    if text is None:
        folder.journal.unlink()
    else:
        folder.journal.write_text(text)
    ended = lorap_bench("repair", "tiny", "--runs", runs)
    assert ended.code == 0
    assert "made the journal storage anew from 3 records" in ended.out
    more = lorap_bench("run", tiny, "--runs", runs, "--no-report", "--set", "budget.trials=5")
    assert more.code == 0
    assert sum(record.status.counts for record in folder.records()) == 5


def test_a_study_that_is_driven_is_not_repaired(lorap_bench: Command, runs: Path, finished: Path) -> None:
    with StudyFolder(finished).lock():
        ended = lorap_bench("repair", "tiny", "--runs", runs)
    assert ended.code == 2
    assert "another process drives this study" in ended.err


def test_a_damaged_study_file_is_told(lorap_bench: Command, runs: Path, finished: Path) -> None:
    (finished / "study.json").write_text("{")
    ended = lorap_bench("repair", "tiny", "--runs", runs)
    assert ended.code == 2
    assert "study.json: damaged" in ended.err
