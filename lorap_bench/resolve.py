"""From a public name to a class: the namespace is the registry.

``"DegreeQuant"`` names a public class of a package; ``"their_pkg.mod:Class"`` reaches a stranger's.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, Fault, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["resolve"]


def resolve(name: str, known: Mapping[str, type[Any]], *, kind: str, where: str = "") -> type[Any]:
    """Return the class called ``name``.

    Args:
        name: a key of ``known`` or ``"package.module:Class"``.
        known: the public classes of a namespace by name.
        kind: what is being looked up, for the message (``"scheme"``).
        where: key path for the message (``"quant.scheme"``).

    Raises:
        ConfigError: no such class; names the known ones and the nearest.
    """
    if name in known:
        return known[name]
    module, _, attribute = name.partition(":")
    if attribute:
        try:
            found = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ConfigError([Fault(path=where, message=f"cannot import {kind}: {error}", got=name)]) from error
        if isinstance(found, type):
            return found
        raise ConfigError([Fault(path=where, message=f"not a class, so no {kind}", got=name)])
    raise ConfigError(
        [
            Fault(
                path=where,
                message=f"unknown {kind}",
                got=name,
                allowed=", ".join(sorted(known)) + ', or "package.module:Class"',
                suggestion=nearest(name, known),
            )
        ]
    )
