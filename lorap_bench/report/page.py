"""The report: one HTML file that needs nothing beside it, and its data as CSV and JSON."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

from lorap_bench.errors import StoreError
from lorap_bench.report.export import export
from lorap_bench.report.figures import CONFIG
from lorap_bench.report.format import (
    gain_text,
    interval_text,
    number_text,
    percent_text,
    points_text,
    seconds_text,
    spread_text,
)
from lorap_bench.report.palette import DARK, LIGHT, dark_twins
from lorap_bench.report.view import ROWS_SHOWN, view_of

if TYPE_CHECKING:
    from lorap_bench.report.view import View
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.store.manifest import Manifest
    from lorap_bench.study.spec import StudySpec

__all__ = ["EMBED_BYTES", "write_report"]

# What the page may carry of each data file; with plotly.js (4.8 MB) and the figures it stays under 8 MB.
EMBED_BYTES = 500_000


def write_report(folder: StudyFolder, spec: StudySpec, out: Path) -> Path:
    """Write ``index.html``, ``data.csv``, ``data.json`` and ``<name>.toml`` into ``out``; return the page's path.

    ``<name>.toml`` is the study as run, with every default written out; all commands name it. The
    files depend on the stored study and on where ``out`` lies: the same study gives the same bytes.

    Raises:
        StoreError: the study has no trial yet, or the folder cannot be written.
    """
    records = folder.records()
    if not records:
        raise StoreError("the study has no trials yet, so there is nothing to report; run it first", where=spec.name)
    confirmations = folder.confirmations()
    file = _as_typed(out / f"{spec.name}.toml")
    files = {f"data.{kind}": export(spec, records, kind, confirmations, file) for kind in ("csv", "json")}
    view = view_of(spec, records, confirmations, folder.spec_mapping(), file)
    view = replace(view, study=_since(spec.name, folder.manifest) + view.study)
    page = out / "index.html"
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in {**files, f"{spec.name}.toml": view.study}.items():
            _write(out / name, text)
        _write(page, _render(view, files))
    except OSError as error:
        raise StoreError(f"cannot write the report: {error.strerror}", where=str(out)) from error
    return page


def _since(name: str, manifest: Manifest) -> str:
    """Return comments for the study file: what the study has beside it, and how it came to that."""
    grown = manifest.extension.to_mapping()
    options = " ".join(f"--{limit.replace('_', '-')} +{more:g}" for limit, more in grown.items())
    lines = [f"# Extended since: lorap-bench extend {name} {options}"] if grown else []
    for origin in manifest.origins:
        last = origin.first + len(origin.trials) - 1
        looked = f"; its test split was looked at {origin.looks} times" if origin.looks else ""
        lines.append(f"# Trials {origin.first} to {last} come from {origin.name}{looked}")
    return "".join(f"{line}\n" for line in lines)


def _as_typed(path: Path) -> str:
    """Return a path as a command in the current folder names it; elsewhere, and published, the bare name."""
    found = Path(os.path.abspath(path))  # noqa: PTH100  # links stay as typed; Path.resolve would follow them
    return found.relative_to(Path.cwd()).as_posix() if found.is_relative_to(Path.cwd()) else path.name


def _render(view: View, files: dict[str, str]) -> str:
    environment = Environment(
        loader=PackageLoader("lorap_bench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "interval": interval_text,
        "number": number_text,
        "percent": percent_text,
        "duration": seconds_text,
        "gain": gain_text,
        "gain_spread": partial(spread_text, text=points_text),
        "points": points_text,
        "spread": spread_text,
    }
    sources = {name: Markup(_source(environment, name)) for name in ("page.css", "page.js")}  # noqa: S704 - our own files
    embedded = {name: text for name, text in files.items() if len(text.encode()) <= EMBED_BYTES}
    return environment.get_template("page.html").render(
        view=view,
        css=sources["page.css"],
        js=sources["page.js"],
        plotly=Markup(get_plotlyjs().replace("</script", "<\\/script")),  # noqa: S704 - the library itself
        data=_json(
            {"figures": view.figures, "config": CONFIG, "dark": dark_twins(), "files": embedded, "study": view.study}
        ),
        light=LIGHT,
        dark=DARK,
        embedded=list(embedded),
        rows_shown=ROWS_SHOWN,
    )


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _json(value: Any) -> Markup:
    """Return JSON that may stand inside a script element whatever strings it holds."""
    text = json.dumps(value, cls=PlotlyJSONEncoder, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped here


def _write(path: Path, text: str) -> None:
    """Write beside the place and rename into it: a reader never meets half a file."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")  # two drivers may end at once
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
