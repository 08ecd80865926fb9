from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from lorap_bench.store import atomic
from lorap_bench.suite import tables
from lorap_bench.suite.expand import expand
from lorap_bench.suite.table import COSTS, tidy
from lorap_bench.suite.tables import CSV, PARQUET, differences, write_tables
from tests.suite.test_forecast import result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.suite.spec import SuiteSpec

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
OTHER = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})


def test_one_row_a_replica_in_the_order_of_the_suite(load: Callable[[str], SuiteSpec], text: str) -> None:
    cells = expand(load(text.replace("[axes]", "[axes]\nbits = [4]\n")))
    results = {cell.key: result(cell, seconds=3, epochs=1) for cell in (cells[2], cells[0])}
    table = tidy(cells, results)
    assert table["key"].tolist() == [cells[0].key, cells[2].key]
    first = ["bits", "scheme", "prompt", "key", "seed", "fold", "status", "reason", "metric"]
    first += ["val", "test", "best_epoch"]
    last = ["started", "seconds", "commit", "versions", "backend", "device", "machine"]
    assert list(table.columns) == [*first, *COSTS, *(f"run.{name}" for name in last)]
    assert table["bits"].tolist() == [4, 4]
    assert table["val"].tolist() == [0.5, 0.5]
    assert table["test"].isna().all()
    assert table["run.seconds"].tolist() == [3, 3]
    assert tidy(cells, {}).empty
    assert list(tidy(cells, {}).columns) == list(table.columns)


def test_both_files_hold_the_table_to_the_last_digit(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [0.1 + 0.2, 1 / 3], "b": pd.array([1, None], dtype="Int64")})
    assert write_tables(tmp_path, table) == []
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / PARQUET), table)
    assert pd.read_csv(tmp_path / CSV)["a"].tolist() == [0.30000000000000004, 0.3333333333333333]
    assert differences(tmp_path, table) == {CSV: "", PARQUET: ""}


@pytest.mark.parametrize("name", [CSV, PARQUET])
def test_a_file_changed_by_hand_is_set_aside(tmp_path: Path, name: str) -> None:
    write_tables(tmp_path, TABLE)
    write_tables(tmp_path, TABLE)
    (tmp_path / name).write_bytes(b"mine")
    assert differences(tmp_path, TABLE)[name] != ""
    (deed,) = write_tables(tmp_path, OTHER)
    assert deed.startswith(f"{name} was changed by hand: it is kept as edited/table-")
    (kept,) = (tmp_path / "edited").iterdir()
    assert kept.read_bytes() == b"mine"
    assert differences(tmp_path, OTHER) == {CSV: "", PARQUET: ""}
    assert write_tables(tmp_path, OTHER) == []


def test_a_crash_between_two_files_is_no_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tables(tmp_path, TABLE)
    for _ in range(3):  # one crash after the other, each before the first file
        with monkeypatch.context() as patch:
            patch.setattr(tables, "write_bytes", crash)
            with pytest.raises(KeyboardInterrupt):
                write_tables(tmp_path, OTHER)
    with monkeypatch.context() as patch:  # the CSV is written, the Parquet file not
        patch.setattr(tables, "write_bytes", csv_alone)
        assert write_tables(tmp_path, OTHER) == []
    assert differences(tmp_path, OTHER) == {CSV: "", PARQUET: "is not what the cells make"}
    assert write_tables(tmp_path, TABLE) == []
    assert differences(tmp_path, TABLE) == {CSV: "", PARQUET: ""}
    assert not (tmp_path / "edited").exists()


def crash(path: Path, data: bytes) -> None:
    raise KeyboardInterrupt


def csv_alone(path: Path, data: bytes) -> None:
    if path.name == CSV:
        atomic.write_bytes(path, data)


def test_differences_are_told_in_words(tmp_path: Path) -> None:
    assert differences(tmp_path, TABLE) == {CSV: "is missing", PARQUET: "is missing"}
    write_tables(tmp_path, TABLE)
    assert differences(tmp_path, OTHER)[CSV] == "has 3 lines, the cells make 4"
    (tmp_path / CSV).write_text("a,b\n1,x\n2,Y\n")
    assert differences(tmp_path, TABLE)[CSV] == "line 3 is not what the cells make (1 in all)"
    (tmp_path / PARQUET).write_bytes(b"")
    assert differences(tmp_path, TABLE)[PARQUET].startswith("cannot be read (")
