"""A study's trials as CSV, JSON or Parquet: the same data the page shows."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from lorap_bench.errors import ConfigError, Fault, nearest
from lorap_bench.report.provenance import redact
from lorap_bench.report.table import trial_rows
from lorap_bench.report.trial import command, gain

if TYPE_CHECKING:
    from lorap_bench.record import TrialRecord
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

__all__ = [
    "EXPORT_VERSION",
    "FORMATS",
    "Format",
    "export",
    "export_parquet",
    "json_lines",
    "table_csv",
    "table_parquet",
    "trial_mapping",
    "unknown_format",
]

EXPORT_VERSION = 1
Format = Literal["csv", "json"]
FORMATS: tuple[str, ...] = ("csv", "json")


def export(
    spec: StudySpec,
    records: Sequence[TrialRecord],
    format: str,  # noqa: A002 - the option's name
    confirmations: Mapping[int, Confirmation] | None = None,
    file: str = "",
) -> str:
    """Return the trials as text: ``csv`` (one row a trial) or ``json`` (one line a trial: everything but curves).

    Commands name the study ``file``, by default ``<name>.toml``, which a report writes.

    Raises:
        ConfigError: the format is not known.
    """
    if format == "csv":
        return table_csv(trial_rows(spec, records, confirmations, file))
    if format == "json":
        return "".join(json_lines(spec, records, confirmations, file))
    raise unknown_format(format, FORMATS)


def unknown_format(got: str, formats: Sequence[str]) -> ConfigError:
    """Return the error for a format that does not exist."""
    allowed, suggestion = ", ".join(formats), nearest(got, formats)
    return ConfigError(
        [Fault(path="format", message="unknown format", got=got, allowed=allowed, suggestion=suggestion)]
    )


def export_parquet(
    spec: StudySpec,
    records: Sequence[TrialRecord],
    confirmations: Mapping[int, Confirmation] | None = None,
    file: str = "",
) -> bytes:
    """Return the table of trials as a Parquet file: one row a trial, with the columns of the CSV."""
    return table_parquet(trial_rows(spec, records, confirmations, file))


def table_csv(table: pd.DataFrame) -> str:
    """Return the table that ``trial_rows`` makes as CSV."""
    return table.to_csv(index=False, lineterminator="\n")


def table_parquet(table: pd.DataFrame) -> bytes:
    """Return the table that ``trial_rows`` makes as a Parquet file.

    A column has one type: where a parameter takes both numbers and words, its values are words. The same study
    gives the same bytes with the same version of pyarrow.
    """
    mixed = [name for name in table.columns if table[name].dtype == object]
    buffer = io.BytesIO()
    table.assign(**{name: _one_type(table[name]) for name in mixed}).to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()


def json_lines(
    spec: StudySpec,
    records: Sequence[TrialRecord],
    confirmations: Mapping[int, Confirmation] | None = None,
    file: str = "",
) -> Iterator[str]:
    """Yield the JSON export line by line, a trial each, for a study too large to hold twice."""
    confirmed = confirmations or {}
    head = {"schema_version": EXPORT_VERSION, "name": spec.name, "objectives": list(spec.objectives)}
    yield json.dumps(head)[:-1] + ', "trials": ['
    separator = "\n"
    for record in sorted(records, key=lambda record: record.number):
        trial = _json(_trial(spec, record, confirmed.get(record.number)))
        rerun = json.dumps({"command": command(spec, record, file)})
        yield f"{separator}{trial[:-1]}, {rerun[1:]}"
        separator = ",\n"
    yield "\n]}\n"


def trial_mapping(
    spec: StudySpec, record: TrialRecord, confirmation: Confirmation | None = None, file: str = ""
) -> dict[str, Any]:
    """Return a trial as the JSON export has it, as plain values: what is not finite is null."""
    plain: dict[str, Any] = _plain(_trial(spec, record, confirmation))
    return plain | {"command": command(spec, record, file)}


def _one_type(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of mixed values as one of truth values or of words; what is missing stays so."""
    present = [value for value in column if not pd.isna(value)]
    if not present:
        return column
    if all(isinstance(value, bool) for value in present):
        return column.astype("boolean")
    return pd.Series([None if pd.isna(value) else str(value) for value in column], index=column.index, dtype="str")


def _trial(spec: StudySpec, record: TrialRecord, confirmation: Confirmation | None) -> dict[str, Any]:
    mapping = record.to_mapping()
    values = {name: mapping["objectives"].get(name) for name in spec.objectives}
    first = {name: mapping.pop(name) for name in ("number", "digest", "status", "reason", "params")}
    del mapping["objectives"], mapping["schema_version"]
    trial = first | {"values": values, "feasible": record.feasible} | mapping
    if confirmation is not None:
        trial["confirmation"] = _confirmation(confirmation)
    return trial


def _confirmation(confirmation: Confirmation) -> dict[str, Any]:
    """Return a confirmation and its baselines with their members, and the gain over each baseline."""
    baselines = {name.value: _ended(record) for name, record in confirmation.baselines.items()}
    gains = {name: gain(confirmation, name) for name in confirmation.baselines}
    return {
        "look": confirmation.look,
        **_ended(confirmation.record),
        "baselines": baselines,
        "gains": {name.value: asdict(found) for name, found in gains.items() if found is not None},
    }


def _ended(record: TrialRecord) -> dict[str, Any]:
    mapping = record.to_mapping()
    return {name: mapping[name] for name in ("status", "reason", "digest", "costs", "members")}


def _json(trial: dict[str, Any]) -> str:
    """Return a trial as JSON, cleaned where it needs it: hardly any does, and to look takes longest."""
    with suppress(ValueError):
        text = json.dumps(trial, allow_nan=False)
        if "/" not in text and "\\" not in text:
            return text
    return json.dumps(_plain(trial), allow_nan=False)


def _plain(value: Any) -> Any:
    """Return JSON values: no infinity, no NaN, no absolute path."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return redact(value) if isinstance(value, str) else value
