"""The text that appears over a point: figures, the whole configuration, the command to rerun it."""

from __future__ import annotations

import html
import json
import textwrap
from typing import TYPE_CHECKING, Any

from lorap_bench.report.format import gain_text, interval_text, number_text
from lorap_bench.report.trial import accuracy, confirmed_accuracy, gain, layer_bits, objective, prompt_text
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.look import Confirmation

__all__ = ["hover_text"]

_WIDTH = 84


def hover_text(record: TrialRecord, confirmation: Confirmation | None, rerun: str) -> str:
    """Return the hover text as Plotly's few HTML tags, the command ``rerun`` last; every value is escaped."""
    lines = [*_headline(record, confirmation), "", *_configuration(record), "", *_wrapped_command(rerun)]
    first, *rest = (html.escape(line, quote=False) for line in lines)
    return "<br>".join([f"<b>{first}</b>", *rest])


def _headline(record: TrialRecord, confirmation: Confirmation | None) -> Iterator[str]:
    yield f"Trial {record.number} · {prompt_text(record)}"
    yield f"validation accuracy {interval_text(accuracy(record))}"
    if test := confirmed_accuracy(confirmation):
        yield f"test accuracy {interval_text(test)}, fresh seeds"
    for baseline in Baseline:
        if found := gain(confirmation, baseline):
            yield f"test gain over {baseline.words} {gain_text(found)} points (n = {found.n})"
    bits, overhead = (number_text(objective(record, name)) for name in ("average_bits", "overhead"))
    yield f"{bits} bits · overhead {overhead} %"
    if layers := layer_bits(record):
        yield from _wrap("bits per layer  ", " · ".join(f"{layer}: {width}" for layer, width in layers.items()))


def _configuration(record: TrialRecord) -> Iterator[str]:
    for section, values in record.config.items():
        text = " ".join(f"{name}={_plain(value)}" for name, value in values.items() if value != {})
        yield from _wrap(f"{section:<7}", text)


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"  # sums of binary fractions carry digits that mean nothing
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _wrapped_command(text: str) -> list[str]:
    """Break a command between words only: the page joins its lines again to copy it."""
    return textwrap.wrap(text, _WIDTH, subsequent_indent="    ", break_on_hyphens=False, break_long_words=False)


def _wrap(head: str, text: str) -> list[str]:
    """Break a line where words end; a single long word is broken too, so nothing grows without end."""
    indent = " " * (len(head) or 4)
    return textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False) or [head]
