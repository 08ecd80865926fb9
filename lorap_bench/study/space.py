"""A search space as data: parameters, their distributions and conditions; points and overlay.

A parameter is *active* when every path its ``when`` names has one of the listed values, read from
the point so far and else from the base configuration. An inactive parameter is absent from a
point, and the base configuration's value holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from lorap_bench.config import TrialConfig
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.study.distributions import Choices, Distribution, FloatRange, IntRange
from lorap_bench.study.slots import lookup, slot_of

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Choices", "Distribution", "FloatRange", "IntRange", "Parameter", "Space", "overlay"]

Base: TypeAlias = "TrialConfig | Mapping[str, Any]"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One dimension: a dotted path, where its values come from, and when it matters at all.

    ``when`` maps other paths to the values under which this parameter is active.
    """

    path: str
    distribution: Distribution
    when: dict[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Space:
    """Parameters in an order in which each comes after those that its ``when`` names.

    Raises:
        ConfigError: conditions form a circle.
    """

    parameters: tuple[Parameter, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", _ordered(self.parameters))

    def active(self, parameter: Parameter, base: Base, values: Mapping[str, Any]) -> bool:
        """Return whether ``parameter`` matters, given the values chosen so far."""
        mapping = _mapping(base)
        return all(
            _among(values[path] if path in values else lookup(mapping, path), allowed)
            for path, allowed in parameter.when.items()
        )

    def size(self, base: Base) -> int | None:
        """Return the exact number of distinct points; None when a range of floats is among them.

        Each group of parameters that conditions tie together is counted by itself, and a value
        that no condition names counts with its like, so large ranges cost nothing.
        """
        mapping, total = _mapping(base), 1
        for group in _groups(self.parameters):
            count = self._count(group, mapping, {})
            if count is None:
                return None
            total *= count
        return total

    def points(self, base: Base) -> Iterator[dict[str, Any]]:
        """Yield every point once, the first parameter slowest, values in their order.

        Raises:
            ValueError: the space is not finite.
        """
        if self.size(base) is None:
            raise ValueError("a space with a range of floats has no list of points")
        return self._points(self.parameters, _mapping(base), {})

    def sample(self, base: Base, rng: random.Random) -> dict[str, Any]:
        """Return one point, each active parameter drawn evenly (evenly in the logarithm if ``log``)."""
        mapping, values = _mapping(base), dict[str, Any]()
        for parameter in self.parameters:
            if self.active(parameter, mapping, values):
                values[parameter.path] = parameter.distribution.sample(rng)
        return values

    def _points(
        self, rest: tuple[Parameter, ...], base: Mapping[str, Any], values: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        if not rest:
            yield values
        elif not self.active(rest[0], base, values):
            yield from self._points(rest[1:], base, values)
        else:
            for value in rest[0].distribution:
                yield from self._points(rest[1:], base, {**values, rest[0].path: value})

    def _count(self, rest: tuple[Parameter, ...], base: Mapping[str, Any], values: dict[str, Any]) -> int | None:
        if not rest:
            return 1
        head, tail = rest[0], rest[1:]
        if not self.active(head, base, values):
            return self._count(tail, base, values)
        size = head.distribution.size
        if size is None:
            return None
        total = 0
        for value, weight in _classes(head, tail, size):
            count = self._count(tail, base, {**values, head.path: value})
            if count is None:
                return None
            total += weight * count
        return total


def overlay(base: TrialConfig, params: Mapping[str, Any]) -> TrialConfig:
    """Return ``base`` with the values of a point put in, each in its field's own type.

    Raises:
        ConfigError: a path does not exist or its field does not take the value; all at once.
    """
    changes: dict[str, dict[str, Any]] = {}
    faults: list[Fault] = []
    for path, value in params.items():
        try:
            slot = slot_of(path)
            accepted = slot.accept(value)
        except ConfigError as error:
            faults.extend(error.faults)
            continue
        section = changes.setdefault(slot.section, {})
        if slot.key is None:
            section[slot.field] = accepted
        else:
            table = section.setdefault(slot.field, dict(getattr(getattr(base, slot.section), slot.field)))
            table[slot.key] = accepted
    if faults:
        raise ConfigError(faults)
    return replace(base, **{name: replace(getattr(base, name), **fields) for name, fields in changes.items()})


_NEVER_NAMED = object()


def _classes(parameter: Parameter, later: Iterable[Parameter], size: int) -> Iterator[tuple[Any, int]]:
    """Yield (value, how many values behave like it) as far as the later conditions can tell."""
    named: list[Any] = []
    for other in later:
        for value in other.when.get(parameter.path, ()):
            if value in parameter.distribution and not _among(value, named):
                named.append(value)
    yield from ((value, 1) for value in named)
    if size > len(named):
        yield _NEVER_NAMED, size - len(named)


def _among(value: Any, allowed: Iterable[Any]) -> bool:
    """Membership in which true is not 1."""
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in allowed)


def _mapping(base: Base) -> Mapping[str, Any]:
    return base.to_mapping() if isinstance(base, TrialConfig) else base


def _ordered(parameters: Iterable[Parameter]) -> tuple[Parameter, ...]:
    """Sort so that parents come first, and otherwise keep the order."""
    waiting = {parameter.path: parameter for parameter in parameters}
    done: list[Parameter] = []
    while waiting:
        free = next((p for p in waiting.values() if not any(path in waiting for path in p.when)), None)
        if free is None:
            fault = Fault(path="space", message="conditions form a circle", got=sorted(waiting))
            raise ConfigError([fault])
        done.append(waiting.pop(free.path))
    return tuple(done)


def _groups(parameters: tuple[Parameter, ...]) -> list[tuple[Parameter, ...]]:
    """Split into groups with no condition between them, each in the given order."""
    groups: list[list[Parameter]] = []
    for parameter in parameters:
        tied = [group for group in groups if any(other.path in parameter.when for other in group)]
        merged = [item for group in groups if any(group is one for one in tied) for item in group]
        groups = [group for group in groups if not any(group is one for one in tied)]
        groups.append([*merged, parameter])
    place = {parameter.path: index for index, parameter in enumerate(parameters)}
    return [tuple(sorted(group, key=lambda item: place[item.path])) for group in groups]
