"""The document as one HTML page that needs nothing beside it."""

from __future__ import annotations

import json
import math
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

from lorap_bench.report.document import Figure, Parallel, walk
from lorap_bench.report.figures import CONFIG
from lorap_bench.report.format import (
    cell_text,
    change_text,
    percent_text,
    plain_text,
    points_text,
    result_texts,
    spread_text,
)
from lorap_bench.report.markup import html_words
from lorap_bench.report.palette import DARK, LIGHT, dark_twins
from lorap_bench.report.raw import part_names, part_values, raw_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lorap_bench.report.document import Document

__all__ = ["MOST_BYTES", "html_page"]

# What a page may weigh: it is opened from a disk, mailed and put on the web.
MOST_BYTES = 7_900_000
SCRIPTS = ("selection", "figures", "card", "parallel", "tables")


def html_page(document: Document, base: Mapping[str, Any], files: Mapping[str, str | None]) -> str:
    """Return the page.

    ``base`` is the study's own configuration, from which the cards of trials tell their differences. Of ``files``, the
    data beside the page by name, it carries as many as it has room for, so that it is whole on its own; one that is
    None lies beside it only.
    """
    environment = _environment()
    page = environment.get_template("page.html")
    parts = [_source(environment, f"{name}.js") for name in SCRIPTS]
    fixed = {
        "document": document,
        "css": _source(environment, "page.css"),
        "js": Markup(environment.get_template("page.js").render(parts=parts)),  # noqa: S704 - our own files
        "plotly": Markup(get_plotlyjs().replace("</script", "<\\/script")),  # noqa: S704 - the library itself
        "first_of": _first_of(document),
        "light": LIGHT,
        "dark": DARK,
    }
    data = {
        "figures": {figure.id: _drawn(figure) for figure in _blocks(document) if isinstance(figure, Figure)},
        "parallel": {block.id: _lines(block) for block in _blocks(document) if isinstance(block, Parallel)},
        "trials": document.trials,
        "replicas": document.replicas,
        "base": base,
        "config": CONFIG,
        "dark": dark_twins(),
    }
    beside = [{"name": name, "embedded": False} for name in files]  # the longest that the list can be
    room = MOST_BYTES - len(page.render(fixed, data=_json(data | {"files": {}}), files=beside).encode())
    carried: dict[str, str] = {}
    for name, text in files.items():
        if text is None or len(text) > room:
            continue
        size = len(_json({name: text}).encode())
        if size <= room:
            carried[name], room = text, room - size
    listed = [{"name": name, "embedded": name in carried} for name in files]
    return page.render(fixed, data=_json(data | {"files": carried}), files=listed)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("lorap_bench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": cell_text,
        "change": change_text,
        "change_spread": partial(spread_text, text=change_text),
        "gain_spread": partial(spread_text, text=points_text),
        "kind": lambda block: type(block).__name__,
        "parts": lambda column: "\t".join(part_names(column)),
        "percent": percent_text,
        "plain": plain_text,
        "plain_spread": partial(spread_text, text=plain_text),
        "points": points_text,
        "raw": raw_label,
        "rest": _rest,
        "result": result_texts,
        "seven": lambda value: f"{value:.7g}" if isinstance(value, float) else value,
        "spread": spread_text,
        "tight": lambda text: re.sub(r" ([=<≤]) ", "\u00a0\\1\u00a0", text),
        "words": lambda text: Markup(html_words(text)),  # noqa: S704 - it escapes all but its own marks
    }
    return environment


def _first_of(document: Document) -> dict[str, str]:
    """Return table → the first figure that has it: figures of the same trials share one."""
    first: dict[str, str] = {}
    for block in _blocks(document):
        if isinstance(block, (Figure, Parallel)):
            first.setdefault(block.table.id, block.id)
    return first


def _blocks(document: Document) -> Iterator[Any]:
    for section in document.sections:
        yield from walk(section.blocks)


def _drawn(figure: Figure) -> dict[str, Any]:
    plot = json.loads(figure.plot.to_json())
    return {"data": plot["data"], "layout": plot["layout"], "hover": figure.hover}


def _lines(block: Parallel) -> dict[str, Any]:
    """Return axes and lines: an interval stands at its mean, a fraction in percent."""
    columns = [
        {"label": column.label, "words": any(isinstance(row[place], str) for row in block.table.rows)}
        for place, column in enumerate(block.table.columns)
        if column.kind != "trial"
    ]
    places = [place for place, column in enumerate(block.table.columns) if column.kind != "trial"]
    scales = [100 if column.kind in {"interval", "fraction"} else 1 for column in block.table.columns]
    rows = [[_place(row[place], scales[place]) for place in places] for row in block.table.rows]
    return {
        "columns": columns,
        "rows": rows,
        "trials": list(block.table.trials),
        "colour": places.index(block.colour),
    }


def _rest(value: Any) -> str:
    """Return what an interval or a result holds beside its mean, as the table's CSV has it."""
    parts = part_values(value)[1:]
    return "\t".join(
        f"{part:.7g}" if isinstance(part, float) else str(part if part is not None else "") for part in parts
    )


def _place(value: Any, scale: int) -> Any:
    """Return where a cell stands on its axis; None where it has no place."""
    number = getattr(value, "mean", value)
    if isinstance(number, str) or number is None:
        return number
    return scale * number if math.isfinite(number) else None


def _source(environment: Environment, name: str) -> Markup:
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])  # noqa: S704 - our own files


def _json(value: Any) -> Markup:
    """Return JSON that may stand inside a script element whatever strings it holds."""
    text = json.dumps(value, cls=PlotlyJSONEncoder, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped here
