"""What a record says of a training, beside what this machine makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.config import TrialConfig
from lorap_bench.errors import StoreError
from lorap_bench.train.provenance import provenance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lorap_bench.record import TrialRecord

__all__ = ["causes", "name_of", "recorded_config", "said"]

# What may change a result's last bits; the number of members that trained together may not.
_CAUSES = ("versions", "commit", "backend", "device", "machine")


def recorded_config(record: TrialRecord) -> TrialConfig:
    """Return a trial's configuration.

    Raises:
        StoreError: it does not fit this version.
    """
    try:
        return TrialConfig.from_mapping(record.config)
    except TypeError as error:
        message = f"its configuration does not fit this version ({error})"
        raise StoreError(message, where=name_of(record)) from error


def causes(record: TrialRecord) -> tuple[str, ...]:
    """Return in words what is otherwise here than where the record was made: what may have changed its figures."""
    found = [(name, provenance().get(name), record.provenance.get(name)) for name in _CAUSES]
    return tuple(said(name, here, there) for name, here, there in _leaves(found) if here != there)


def said(name: str, here: Any, there: Any) -> str:
    """Say that something is one way here and another way in the record."""
    return f"{name} {_text(here)} here, {_text(there)} recorded"


def name_of(record: TrialRecord) -> str:
    """Return what messages call the trial."""
    return f"trial {record.number}"


def _text(value: Any) -> str:
    return "absent" if value is None else repr(value) if isinstance(value, float) else str(value)


def _leaves(found: list[tuple[str, Any, Any]]) -> Iterator[tuple[str, Any, Any]]:
    """Take tables apart: ``versions`` becomes ``torch``, ``numpy`` and so on."""
    for name, here, there in found:
        if not isinstance(here, dict):
            yield name, here, there
            continue
        other: Mapping[str, Any] = there if isinstance(there, dict) else {}
        for key in sorted({*here, *other}):
            yield key, here.get(key), other.get(key)
