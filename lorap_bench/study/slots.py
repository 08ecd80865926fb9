"""Dotted paths into a trial's configuration, and the type that each of them takes.

``"prompt.rank"`` names a field; in a field that is a table the rest of the path is the key, dots
included: ``"quant.site_bits.layers.0.weight"`` is the entry ``"layers.0.weight"`` of
``quant.site_bits``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from lorap_bench.config import SECTIONS
from lorap_bench.errors import ConfigError, Fault, nearest
from lorap_bench.study.faults import fault_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Slot", "is_table", "lookup", "slot_of", "split_path"]


@dataclass(frozen=True, slots=True)
class Slot:
    """One value of a configuration: a field of a section, or an entry of a field that is a table."""

    section: str
    field: str
    key: str | None = None

    @property
    def path(self) -> str:
        """Return the dotted path."""
        return ".".join(filter(None, (self.section, self.field, self.key)))

    def accept(self, value: Any, *, where: str = "") -> Any:
        """Return ``value`` in the field's own type (a whole number for a float field as a float).

        Raises:
            ConfigError: the field does not take this value; ``where`` names it in the message.
        """
        try:
            return _adapter(self.section, self.field, self.key is not None).validate_python(value)
        except ValidationError as error:
            faults = [fault_of(detail, where or self.path) for detail in error.errors(include_url=False)]
            raise ConfigError(faults) from error


def slot_of(path: str, *, where: str = "") -> Slot:
    """Return the slot that a dotted path names.

    Raises:
        ConfigError: there is no such section or field, or a table's key is missing.
    """
    where = where or path
    section, name, key = split_path(path)
    if section not in SECTIONS:
        raise ConfigError([_unknown(where, path, _all_paths())])
    known = [item.name for item in fields(SECTIONS[section])]
    if name not in known:
        raise ConfigError([_unknown(where, path, [f"{section}.{item}" for item in known])])
    table = is_table(section, name)
    if table and not key:
        fault = Fault(path=where, message="names a table, not a value", allowed=f"{section}.{name}.<key>")
        raise ConfigError([fault])
    if key and not table:
        raise ConfigError([_unknown(where, path, [f"{section}.{name}"])])
    return Slot(section, name, key or None)


def split_path(path: str) -> tuple[str, str, str]:
    """Split a dotted path into section, field and the rest."""
    section, _, rest = path.partition(".")
    name, _, key = rest.partition(".")
    return section, name, key


def is_table(section: str, name: str) -> bool:
    """Return whether a field holds a table whose keys are free."""
    return get_origin(_hints(section)[name]) is dict if name in _hints(section) else False


def lookup(mapping: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path of a configuration mapping, or None when it has none."""
    section, name, key = split_path(path)
    value = mapping.get(section, {}).get(name)
    return value.get(key) if key and isinstance(value, dict) else value


def _unknown(where: str, path: str, known: list[str]) -> Fault:
    allowed = ", ".join(known) if len(known) < 24 else "a field of " + ", ".join(SECTIONS)
    return Fault(
        path=where,
        message="unknown configuration path",
        got=path,
        allowed=allowed,
        suggestion=nearest(path, known) or nearest(path, _all_paths()),
    )


def _all_paths() -> list[str]:
    return [f"{section}.{item.name}" for section, kind in SECTIONS.items() for item in fields(kind)]


@cache
def _hints(section: str) -> dict[str, Any]:
    return get_type_hints(SECTIONS[section], include_extras=True) if section in SECTIONS else {}


@cache
def _adapter(section: str, name: str, entry: bool) -> TypeAdapter[Any]:
    annotation = _hints(section)[name]
    return TypeAdapter(get_args(annotation)[1] if entry else annotation, config=ConfigDict(strict=True))
