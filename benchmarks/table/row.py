"""A row of the table: what is measured and how fast it must be, and what came out."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Goal", "Row", "Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How long to measure: rounds of turns, units of work a turn."""

    rounds: int = 7
    repeats: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a row measures and what its result must be: at least ``floor``, or with ``at_most`` no more.

    ``figure`` is the unit of both contestants' figures, ``unit`` that of the result.
    """

    name: str
    measure: str
    floor: float | None
    aim: float | None
    at_most: bool = False
    figure: str = "ms"
    unit: str = "×"

    def met(self, result: float, bound: float) -> bool:
        """Return whether a result is on the right side of a bound; NaN never is."""
        return result <= bound if self.at_most else result >= bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measured goal; ``result`` is None where it could not be measured, and ``note`` says why.

    ``details`` are further figures for the record: spreads, wall times.
    """

    goal: Goal
    ours: float | None = None
    other: float | None = None
    result: float | None = None
    note: str = ""
    details: dict[str, float] = field(default_factory=dict)

    @property
    def reached(self) -> str:
        """Which of its bounds the result meets: aim, floor, no; or nothing to meet."""
        if self.result is None or self.goal.floor is None:
            return "–"
        if self.goal.aim is not None and self.goal.met(self.result, self.goal.aim):
            return "aim"
        return "floor" if self.goal.met(self.result, self.goal.floor) else "no"

    def cells(self) -> dict[str, str]:
        """Return the row as text, column by column."""
        goal = self.goal
        return {
            "measure": goal.measure,
            "ours": _shown(self.ours, f" {goal.figure}"),
            "naive": _shown(self.other, f" {goal.figure}"),
            "ratio": _shown(self.result, f" {goal.unit}"),
            "floor": _shown(goal.floor, f" {goal.unit}", "≤ " if goal.at_most else "≥ "),
            "aim": _shown(goal.aim, f" {goal.unit}", "≤ " if goal.at_most else "≥ "),
            "reached": self.note or self.reached,
        }

    def record(self) -> dict[str, object]:
        """Return the row as plain values."""
        goal = self.goal
        return {
            "name": goal.name,
            "measure": goal.measure,
            "ours": self.ours,
            "naive": self.other,
            "figure": goal.figure,
            "result": self.result,
            "unit": goal.unit,
            "floor": goal.floor,
            "aim": goal.aim,
            "at most": goal.at_most,
            "reached": self.reached,
            "note": self.note,
            **self.details,
        }


def _shown(value: float | None, unit: str, sign: str = "") -> str:
    return "–" if value is None else f"{sign}{value:.3g}{unit}"
