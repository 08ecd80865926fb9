"""Where the numbers come from: versions and devices by trial, the study as TOML, paths left out."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lorap_bench.record import TrialRecord

__all__ = ["Fact", "environment", "redact", "study_toml"]

# An absolute POSIX or Windows path, not a URL and not the middle of a relative path.
_PATH = re.compile(r"(?<![\w.:/\\-])(?:~?/|[A-Za-z]:\\)(?:[^\s/\\'\"<>|:]+[/\\])+([^\s/\\'\"<>|:,;)]*)")

_LABELS = {
    "backend": "Kernels",
    "numpy": "NumPy",
    "python": "Python",
    "torch": "PyTorch",
    "torch-geometric": "PyTorch Geometric",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of provenance and how many trials share each of its values, the commonest first."""

    name: str
    values: tuple[tuple[str, int], ...]

    @property
    def label(self) -> str:
        """Return the name in words: ``versions.torch`` → ``PyTorch``."""
        package = self.name.removeprefix("versions.")
        known = _LABELS.get(package, package)
        return known if known != self.name else known.replace(".", " ").replace("_", " ").capitalize()


def redact(text: str) -> str:
    """Replace absolute paths by their last part: a page that is published names no one's folders."""
    return _PATH.sub(r"…/\1", text) if "/" in text or "\\" in text else text


def environment(records: Iterable[TrialRecord]) -> list[Fact]:
    """Collect what the trials say of their versions, device and commit."""
    said = Counter((name, str(value)) for record in records for name, value in _leaves(record.provenance))
    found: dict[str, Counter[str]] = {}
    for (name, value), count in said.items():
        found.setdefault(name, Counter())[redact(value)] += count
    return [Fact(name, tuple(counter.most_common())) for name, counter in sorted(found.items())]


def study_toml(mapping: Mapping[str, Any]) -> str:
    """Write nested plain values as TOML; None and empty tables, which TOML files leave out, go."""
    tables = {name: value for name, value in mapping.items() if isinstance(value, Mapping)}
    lines = _pairs({name: value for name, value in mapping.items() if name not in tables})
    for name, table in tables.items():
        if pairs := _pairs(table):
            lines += [f"\n[{_key(name)}]", *pairs]
    return "\n".join(lines) + "\n"


def _leaves(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _pairs(mapping: Mapping[str, Any]) -> list[str]:
    return [f"{_key(name)} = {_value(value)}" for name, value in mapping.items() if not _is_empty(value)]


def _is_empty(value: Any) -> bool:
    return value is None or value == {}


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_pairs(value)) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, float):
        return repr(value)  # also inf and nan, which TOML spells as Python does
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # which TOML wants escaped, JSON not
