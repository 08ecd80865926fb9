"""From a validation error of pydantic to our faults: where, what, got, allowed, nearest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import Fault, nearest
from lorap_bench.study.patterns import WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

__all__ = ["fault_of", "join_path"]

_TYPES = {
    "bool": "true or false",
    "dataclass": "a table",
    "dict": "a table",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "model": "a table",
    "string": "text",
    "tuple": "a list",
}
_BOUNDS = {
    "greater_than_equal": ">= {ge}",
    "greater_than": "> {gt}",
    "less_than_equal": "<= {le}",
    "less_than": "< {lt}",
}
_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
_LENGTHS = {"too_short", "too_long"}


def fault_of(detail: ErrorDetails, path: str, keys: Sequence[str] = ()) -> Fault:
    """Return the fault that one pydantic error describes.

    Args:
        detail: one entry of ``ValidationError.errors()``.
        path: key path to name in the message.
        keys: the keys that are known beside the one at fault, for an unknown key.
    """
    kind, got, context = detail["type"], _without_password(detail["input"]), detail.get("ctx", {})
    if kind in _UNKNOWN:
        suggestion = nearest(str(detail["loc"][-1]), keys)
        return Fault(path=path, message="unknown key", got=got, allowed=", ".join(keys), suggestion=suggestion)
    if kind == "missing":
        return Fault(path=path, message="required key is missing")
    if kind == "literal_error":
        return _literal(path, got, str(context["expected"]))
    message, allowed = _told(kind, detail["msg"], context)
    return Fault(path=path, message=message, got=got, allowed=allowed)


def join_path(location: Sequence[int | str]) -> str:
    """Join an error's location to a key path: ``objectives[1]``, ``space.prompt.rank``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _without_password(got: Any) -> Any:
    """Return what was got, but show no password of an address in it."""
    if isinstance(got, dict):
        return {key: _without_password(value) for key, value in got.items()}
    if not isinstance(got, str):
        return got
    return re.sub(
        r"(://[^:/@\s]*:)\S*@|([?&]password=)[^&\s]*",
        lambda found: f"{found[1] or found[2]}***{'@' * bool(found[1])}",
        got,
    )


def _literal(path: str, got: Any, expected: str) -> Fault:
    names = re.findall(r"'([^']*)'", expected)
    suggestion = nearest(got, names) if isinstance(got, str) else ""
    return Fault(path=path, message="not an allowed value", got=got, allowed=expected, suggestion=suggestion)


def _told(kind: str, message: str, context: dict[str, Any]) -> tuple[str, str]:
    """Return what is wrong and what is allowed."""
    if kind in _BOUNDS:
        return "out of range", _BOUNDS[kind].format(**context)
    if kind in _LENGTHS:
        least = context.get("min_length")
        return "wrong number of values", f"at most {context['max_length']}" if least is None else f"at least {least}"
    if kind == "string_pattern_mismatch":
        return "malformed text", WORDS[context["pattern"]]
    if kind == "value_error":
        return str(context["error"]), ""
    allowed = _TYPES.get(kind.removesuffix("_type").removesuffix("_from_float"), "")
    return ("wrong type", allowed) if allowed else (message, "")
