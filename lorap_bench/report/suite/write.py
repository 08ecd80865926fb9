"""The report of a suite in any of its forms, in a folder of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lorap_bench.report.export import table_csv, table_parquet
from lorap_bench.report.raw import raw_value
from lorap_bench.report.suite.assemble import assemble
from lorap_bench.report.write import USUAL, check_formats, write_document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from lorap_bench.report.suite.material import SuiteMaterial
    from lorap_bench.report.write import Content

__all__ = ["DATA_VERSION", "write_suite_report"]

DATA_VERSION = 1


def write_suite_report(
    material: SuiteMaterial,
    rows: pd.DataFrame,
    out: Path,
    formats: Sequence[str] = (),
    on_note: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the report and ``<name>.toml`` into ``out``; return the path of the page, else the folder.

    Args:
        material: the suite.
        rows: its tidy table, one row a training, which is the report's data.
        out: the folder; it is made if there is none.
        formats: of ``FORMATS``; by default the page, CSV and JSON.
        on_note: is told what older files lie in the folder.

    Raises:
        StoreError: the folder cannot be written.
        ConfigError: a format is not known.
        MissingResource: pictures are asked for, and what draws them is not there.
    """
    check_formats(formats)
    asked = tuple(formats) or USUAL
    data = _data(material.name, rows, asked) | {f"{material.name}.toml": material.text}
    return write_document(assemble(material), data, out, asked, on_note)


def _data(name: str, rows: pd.DataFrame, formats: Sequence[str]) -> dict[str, Content]:
    found: dict[str, Content] = {}
    if "csv" in formats:
        found["data.csv"] = table_csv(rows)
    if "parquet" in formats:
        found["data.parquet"] = table_parquet(rows)
    if "json" in formats:
        plain = rows.astype(object).where(rows.notna(), None).to_dict("records")
        trainings = [{str(column): raw_value(value) for column, value in row.items()} for row in plain]
        whole = {"schema_version": DATA_VERSION, "name": name, "trainings": trainings}
        found["data.json"] = json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    return found
