"""The table of published figures: read from the package, every cell checked.

Columns of ``results.csv``: the fields of ``PublishedResult``, with ``value`` and ``std`` as the paper prints them
(accuracies in percent, which their metric says), an empty cell for what is not known, and ``protocol`` as
``key=value`` pairs between semicolons.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NoReturn, TypeVar

from lorap_bench.errors import Fault, StoreError, nearest
from lorap_bench.published.result import Definition, Metric, Protocol, PublishedResult, Reliability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["COLUMNS", "FILE", "published", "read_results"]

FILE = "results.csv"
COLUMNS = (
    "paper",
    "framework",
    "prompt",
    "arch",
    "dataset",
    "metric",
    "bits",
    "average_bits",
    "bits_definition",
    "value",
    "std",
    "runs",
    "protocol",
    "source",
    "reliability",
    "note",
)
_METRICS = {"accuracy %": (Metric.ACCURACY, 100.0), "MAE": (Metric.MAE, 1.0)}
_WORDS = {
    "split": ("public", "official"),
    "selection": ("validation", "test"),
    "data": ("full", "cleaned"),
    "pool": ("max", "mean"),
}
_KEYS = tuple(field.name for field in fields(Protocol))
_NO_WIDTH = ("mixed", "unknown")

Word = TypeVar("Word", bound=StrEnum)
Choice = TypeVar("Choice")
Number = TypeVar("Number", int, float)


def published(dataset: str, *, unverified: bool = False) -> list[PublishedResult]:
    """Return what is published on a data set, in the order of the table.

    Args:
        dataset: its name.
        unverified: also the figures written down from memory.

    Raises:
        StoreError: the table is damaged.
    """
    return [
        result
        for result in _results()
        if result.dataset == dataset and (unverified or result.reliability is not Reliability.MEMORY)
    ]


def read_results(text: str, name: str = FILE) -> list[PublishedResult]:
    """Return the rows of a table.

    Raises:
        StoreError: a row is damaged; names file, line and column, what was got and what is allowed.
    """
    reader = csv.reader(io.StringIO(text), strict=True)
    rows: list[PublishedResult] = []
    try:
        for cells in reader:
            if reader.line_num == 1:
                _expect(tuple(cells) == COLUMNS, f"{name}:1", Fault(path="", message="other columns", got=cells))
            else:
                rows.append(_Row(f"{name}:{reader.line_num}", cells, reader.line_num).result())
    except csv.Error as error:
        raise StoreError(f"damaged ({error})", where=f"{name}:{reader.line_num}") from error
    _expect(bool(rows), name, Fault(path="", message="no results"))
    return rows


@cache
def _results() -> tuple[PublishedResult, ...]:
    text = files("lorap_bench.published").joinpath(FILE).read_text(encoding="utf-8")
    return tuple(read_results(text))


def _expect(holds: bool, where: str, fault: Fault) -> None:
    if not holds:
        raise StoreError(str(fault), where=where)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the table, its cells read by column."""

    where: str
    values: list[str]
    line: int

    def result(self) -> PublishedResult:
        """Return the row as a value."""
        _expect(
            len(self.values) == len(COLUMNS),
            self.where,
            Fault(path="", message="another number of cells", got=len(self.values), allowed=str(len(COLUMNS))),
        )
        metric, scale = self._choice("metric", _METRICS)
        average, definition = self._bits()
        value, std = self._number("value", least=0), self._number("std", above=0)
        if value is None:
            self._refuse("value", "a finite number")
        if metric is Metric.ACCURACY and value > scale:
            self._refuse("value", "0 to 100")
        return PublishedResult(
            **{name: self._text(name) for name in ("paper", "framework", "prompt", "arch", "dataset", "source")},
            metric=metric,
            bits=self._text("bits"),
            average_bits=average,
            definition=definition,
            value=value / scale,
            std=None if std is None else std / scale,
            runs=self._count("runs"),
            protocol=self._protocol(),
            reliability=self._word("reliability", Reliability),
            note=self._cell("note"),
            line=self.line,
        )

    def _cell(self, column: str) -> str:
        return self.values[COLUMNS.index(column)]

    def _text(self, column: str) -> str:
        text = self._cell(column)
        if not text or text != text.strip():
            self._refuse(column, "a text without spaces around it")
        return text

    def _number(self, column: str, *, least: float = -math.inf, above: float = -math.inf) -> float | None:
        """Return a number, None for an empty cell."""
        number = self._parsed(column, self._cell(column), float)
        if number is not None and not (math.isfinite(number) and number >= least and number > above):
            bound = f" from {least:g} on" if least > -math.inf else f" above {above:g}"
            self._refuse(column, f"a finite number{bound}, or nothing")
        return number

    def _count(self, column: str) -> int | None:
        count = self._parsed(column, self._cell(column), int)
        if count is not None and count < 1:
            self._refuse(column, "a whole number from 1 on, or nothing")
        return count

    def _parsed(self, column: str, text: str, read: Callable[[str], Number]) -> Number | None:
        try:
            return read(text) if text else None
        except ValueError:
            self._refuse(column, "a number, or nothing", got=text)

    def _bits(self) -> tuple[float | None, Definition]:
        """Return the average bits and what they are an average of; one width everywhere is its own average."""
        width, average = self._text("bits"), self._number("average_bits", above=0)
        definition = self._word("bits_definition", Definition)
        if width not in _NO_WIDTH and average != self._parsed("bits", width, int):
            self._refuse("average_bits", f"{width}, the width of every tensor")
        if (definition is Definition.UNIFORM) != (width not in _NO_WIDTH):
            self._refuse("bits_definition", "uniform with one width, and with no other")
        if average is None and definition is not Definition.UNKNOWN:
            self._refuse("average_bits", "a number where their definition is known")
        return average, definition

    def _protocol(self) -> Protocol:
        pairs = [part.partition("=") for part in self._cell("protocol").split("; ") if part]
        found: dict[str, str | int | None] = {}
        for key, _, value in pairs:
            if key not in _KEYS or key in found:
                self._refuse("protocol", "each once: " + ", ".join(_KEYS), got=key, among=_KEYS)
            if key in _WORDS and value not in _WORDS[key]:
                self._refuse("protocol", f"{key}={' or '.join(_WORDS[key])}", got=value, among=_WORDS[key])
            found[key] = value if key in _WORDS else self._size(key, value)
        return Protocol(**found)  # type: ignore[arg-type]  # words and sizes were told apart by their key

    def _size(self, key: str, text: str) -> int:
        size = self._parsed("protocol", text, int)
        if size is None or size < 1:
            self._refuse("protocol", f"{key}=a whole number from 1 on", got=text)
        return size

    def _word(self, column: str, words: type[Word]) -> Word:
        return self._choice(column, {word.value: word for word in words})

    def _choice(self, column: str, choices: Mapping[str, Choice]) -> Choice:
        text = self._cell(column)
        if text not in choices:
            self._refuse(column, ", ".join(choices), among=choices)
        return choices[text]

    def _refuse(self, column: str, allowed: str, *, got: str | None = None, among: Iterable[str] = ()) -> NoReturn:
        text = self._cell(column) if got is None else got
        fault = Fault(path=column, message="damaged", got=text, allowed=allowed, suggestion=nearest(text, among))
        raise StoreError(str(fault), where=self.where)
