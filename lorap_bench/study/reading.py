"""Read a TOML file whose every value has a place in JSON too."""

from __future__ import annotations

import math
import tomllib
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, Fault, nearest
from lorap_bench.study.faults import join_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["read_toml", "refuse_alien_values"]


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises:
        ConfigError: it cannot be read, is no text in UTF-8 or no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Fault(path="", message=f"not valid TOML: {error}")], where=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Fault(path="", message="not a text file in UTF-8")], where=str(path)) from error
    except OSError as error:
        raise ConfigError([_unreadable(path, error)], where=str(path)) from error


def refuse_alien_values(data: dict[str, Any], path: Path) -> None:
    """Refuse values that have no place here: dates, infinities, not-a-numbers.

    Raises:
        ConfigError: there are some; all at once.
    """
    alien = list(_alien_values(data, ()))
    if alien:
        raise ConfigError(alien, where=str(path))


def _unreadable(path: Path, error: OSError) -> Fault:
    folder = path.parent
    stems = [item.stem for item in folder.glob("*.toml") if item.is_file()] if folder.is_dir() else []
    found = nearest(path.stem, stems)
    reason = (error.strerror or "cannot be read").lower()
    return Fault(path="", message=f"cannot read the file: {reason}", suggestion=f"{found}.toml" if found else "")


def _alien_values(value: Any, location: tuple[int | str, ...]) -> Iterator[Fault]:
    """Yield a fault for each value that has no place in a study: dates, infinities, not-a-numbers."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _alien_values(item, (*location, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _alien_values(item, (*location, index))
    elif isinstance(value, float) and not math.isfinite(value):
        yield Fault(path=join_path(location), message="not a finite number", got=value)
    elif not isinstance(value, bool | int | float | str):
        yield Fault(path=join_path(location), message="a date or time has no meaning here", got=str(value))
