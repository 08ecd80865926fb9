"""``--set a.b=c``: values from the command line that are laid over a study file."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, Fault
from lorap_bench.study.slots import is_table, split_path

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["apply_overrides", "parse_overrides"]

_QUOTED = re.compile(r"""(["'])([^"']*)\1""")


def parse_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """Return key path → value; a value is read as TOML, and as text where it is none.

    Raises:
        ConfigError: an override has no ``=`` or no key, all of them at once.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for override in overrides:
        path, equals, text = override.partition("=")
        path = _QUOTED.sub(r"\2", path.strip())  # dots stay in a key wherever quotes could keep them there
        if not equals or not all(path.split(".")):
            fault = Fault(path="--set", message="not an override", got=override, allowed="section.key=value")
            faults.append(fault)
        else:
            values[path] = _value(text.strip())
    if faults:
        raise ConfigError(faults)
    return values


def apply_overrides(data: dict[str, Any], changes: dict[str, Any]) -> None:
    """Put each value at its key path of ``data``, making tables on the way.

    Raises:
        ConfigError: a key path leads through something that is no table.
    """
    for path, value in changes.items():
        table: Any = data
        *parents, key = _keys(path)
        for parent in parents:
            table = table.setdefault(parent, {})
            if not isinstance(table, dict):
                raise ConfigError([Fault(path=f"{path} (from --set)", message=f"{parent} is not a table", got=table)])
        table[key] = value


def _keys(path: str) -> list[str]:
    """Split where tables are: the keys of ``space`` and of a free table keep their dots."""
    section, name, key = split_path(path)
    if section == "space" and name:
        return [section, f"{name}.{key}" if key else name]
    if key and is_table(section, name):
        return [section, name, key]
    return path.split(".")


def _value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    value = parsed.get("value")
    # More keys than one: the text had a line break, so it is no single value. Dates are text here.
    return value if len(parsed) == 1 and isinstance(value, bool | int | float | str | list | dict) else text
