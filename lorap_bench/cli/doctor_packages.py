"""Check-up of the installed packages against what pyproject.toml asks for."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from lorap_bench.cli.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["package_findings"]

_NAMED = ("torch", "torch-geometric", "optuna", "plotly")


def package_findings(name: str = "lorap-bench") -> Iterator[Finding]:
    """Yield what there is to say about Python, the packages that ``name`` needs, and its extras."""
    python = ".".join(map(str, sys.version_info[:3]))
    wanted = metadata(name)["Requires-Python"] or ""
    fits = SpecifierSet(wanted).contains(python)
    yield Finding.ok("python", python) if fits else Finding.problem("python", f"{python} is not {wanted}")
    lines = [Requirement(line) for line in requires(name) or ()]
    needed = [line for line in lines if line.marker is None or line.marker.evaluate({"extra": ""})]
    faults = [fault for line in needed if (fault := _fault(line))]
    yield from (Finding.problem("packages", fault) for fault in faults)
    if not faults:
        told = ", ".join(f"{one} {version(one)}" for one in _NAMED)
        yield Finding.ok("packages", f"all {len(needed)} fit, among them {told}")
    for extra in metadata(name).get_all("Provides-Extra") or ():
        yield _extra(name, extra, [line for line in lines if line not in needed])


def _extra(name: str, extra: str, lines: list[Requirement]) -> Finding:
    """Return whether an optional part can be used; one that is not installed is no fault."""
    mine = [line for line in lines if line.marker is not None and line.marker.evaluate({"extra": extra})]
    about = f"extra {extra}"
    if not all(_installed(line.name) for line in mine):
        return Finding.ok(about, f"not installed; python -m pip install '{name}[{extra}]'")
    faults = [fault for line in mine if (fault := _fault(line))]
    if faults:
        return Finding.warning(about, "; ".join(faults))
    return Finding.ok(about, ", ".join(f"{line.name} {_installed(line.name)}" for line in mine))


def _fault(line: Requirement) -> str:
    found = _installed(line.name)
    if found is None:
        return f"{line.name} is not installed"
    return "" if line.specifier.contains(found, prereleases=True) else f"{line.name} {found} is not {line.specifier}"


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
