"""The address of a database: environment variables filled in, and the password kept out of everything that is told."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from lorap_bench.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["address_of", "told"]

_DRIVER = "postgresql+psycopg"
_PATH = "storage.url"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def address_of(template: str, environment: Mapping[str, str] | None = None) -> URL:
    """Return the address that a study's ``storage.url`` stands for.

    Variables are filled in after the address is taken apart, so a password may hold any character. One variable may
    also stand for the whole address.

    Raises:
        ConfigError: a variable is not set, or this is no address of PostgreSQL.
    """
    values = os.environ if environment is None else environment
    if _VARIABLE.fullmatch(template):
        return _parsed(_filled(template, values))
    url = _parsed(template)

    def part(text: str | None) -> str | None:
        return None if text is None else _filled(text, values)

    password = part(url.password)
    return url.set(username=part(url.username), password=password, host=part(url.host), database=part(url.database))


def told(url: URL) -> str:
    """Return an address as it may be shown."""
    return url.render_as_string(hide_password=True)


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # whose message would show the password
        raise _refused("no address of a database") from None
    if url.drivername not in {"postgresql", "postgres", _DRIVER}:
        raise _refused("no address of PostgreSQL", got=url.drivername)
    return url.set(drivername=_DRIVER)


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            raise _refused(f"the environment variable {name} is not set")
        return values[name]

    return _VARIABLE.sub(value, text)


def _refused(message: str, *, got: str | None = None) -> ConfigError:
    allowed = f"{_DRIVER}://user@host/database, with ${{NAME}} for what only the environment knows"
    return ConfigError([Fault(path=_PATH, message=message, got=got, allowed=allowed)])
