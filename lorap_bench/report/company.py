"""Which of a report's studies are repetitions of one method, and what sets the methods apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, Fault
from lorap_bench.store.flat import flat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorap_bench.report.material import Material

__all__ = ["Method", "check_company", "methods"]

_INCIDENTAL = ("name", "seed", "description", "storage", "replicas.confirm", "budget.retries")
_DIFFER = ("task differs from that", "objectives differ from those")


@dataclass(frozen=True, eq=False)
class Method:
    """Studies that differ in nothing but their seeds. The first method of a report is that of its subject."""

    label: str
    studies: tuple[Material, ...]

    @property
    def control(self) -> bool:
        """Whether it searches at random."""
        return self.studies[0].spec.search.sampler == "Random"

    @property
    def has_trials(self) -> bool:
        """Whether every one of its studies has a trial."""
        return all(study.records for study in self.studies)


def methods(material: Material) -> list[Method]:
    """Group a study and those beside it; a label names what a method has otherwise than another one."""
    groups: dict[str, list[Material]] = {}
    for study in (material, *material.others):
        groups.setdefault(repr(_method(study)), []).append(study)
    settings = [_method(group[0]) for group in groups.values()]
    differing = [path for path in _paths(settings) if len({repr(one.get(path)) for one in settings}) > 1]
    labels = [
        _label(one, differing) or group[0].spec.name for one, group in zip(settings, groups.values(), strict=True)
    ]
    return [Method(label, tuple(group)) for label, group in zip(labels, groups.values(), strict=True)]


def check_company(material: Material) -> None:
    """Refuse studies that cannot stand in one report.

    Raises:
        ConfigError: a study has another task or other objectives than the first.
    """
    faults = []
    for other in material.others:
        for words, mine, theirs in zip(_DIFFER, _aim(material), _aim(other), strict=True):
            if mine != theirs:
                message = f"the {words} of {material.spec.name}: no figure of them compares"
                got, allowed = (_told(one, than) for one, than in ((theirs, mine), (mine, theirs)))
                faults.append(Fault(path=other.spec.name, message=message, got=got, allowed=allowed))
    if faults:
        raise ConfigError(faults)


def _told(one: Any, other: Any) -> str:
    """Write what one has otherwise than the other."""
    if not isinstance(one, dict):
        return ", ".join(map(str, one))
    return ", ".join(f"{key}: {value}" for key, value in one.items() if other.get(key) != value)


def _method(study: Material) -> dict[str, Any]:
    return {path: value for path, value in flat(study.spec.to_mapping()) if not path.startswith(_INCIDENTAL)}


def _paths(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(path for one in settings for path in one))


def _label(setting: Mapping[str, Any], differing: Sequence[str]) -> str:
    """Name a method by what it has otherwise: the sampler by its name alone, other keys with theirs."""
    parts = [
        str(setting[path]) if path == "search.sampler" else f"{path.rpartition('.')[2]} = {setting[path]}"
        for path in differing
        if setting.get(path) is not None
    ]
    return ", ".join(parts[:3])


def _aim(study: Material) -> tuple[Any, Any]:
    mapping = study.spec.to_mapping()
    return mapping["task"], mapping["objectives"]
