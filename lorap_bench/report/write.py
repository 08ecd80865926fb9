"""The report of a stored study in any of its forms, in a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from lorap_bench.errors import StoreError
from lorap_bench.report.assemble import assemble
from lorap_bench.report.export import json_lines, table_csv, table_parquet, unknown_format
from lorap_bench.report.html import MOST_BYTES, html_page
from lorap_bench.report.images import pictures, require_images
from lorap_bench.report.latex import latex
from lorap_bench.report.markdown import markdown
from lorap_bench.report.raw import figures, file_stem, raw_csv, tables
from lorap_bench.report.report_json import report_json
from lorap_bench.report.stored import material_of
from lorap_bench.report.table import trial_rows
from lorap_bench.store.collector import collector_rests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lorap_bench.report.document import Document
    from lorap_bench.report.material import Material
    from lorap_bench.report.stored import Stored

__all__ = [
    "FORMATS",
    "MANY",
    "USUAL",
    "Content",
    "as_typed",
    "check_formats",
    "write_document",
    "write_files",
    "write_report",
]

FORMATS = ("html", "csv", "json", "md", "tex", "parquet", "svg", "png")
IMAGES = ("svg", "png")
PAGE = "index.html"
# The JSON of a study of more trials takes 4 kB each: nobody gets it unasked.
MANY = 2_000
USUAL, _OF_MANY = ("html", "csv", "json"), ("html", "csv", "parquet")

Content: TypeAlias = str | bytes | Iterable[str]


def check_formats(formats: Sequence[str]) -> None:
    """Refuse formats that do not exist or cannot be had here.

    Raises:
        ConfigError: a format is not known.
        MissingResource: pictures are asked for, and what draws them is not there.
    """
    for name in formats:
        if name not in FORMATS:
            raise unknown_format(name, FORMATS)
    if set(IMAGES) & set(formats):
        require_images()


@collector_rests()
def write_report(
    stored: Stored,
    out: Path,
    others: Sequence[Stored] = (),
    formats: Sequence[str] = (),
    on_note: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the report and ``<name>.toml`` into ``out``; return the path of the page, else the folder.

    ``<name>.toml`` is the study as run, with every default written out; all commands name it. The files depend on the
    stored studies and on where ``out`` lies: the same studies give the same bytes in every text format. Nothing is
    written before everything is ready.

    Args:
        stored: the report's subject.
        out: the folder; it is made if there is none.
        others: studies of the same task and objectives to stand beside it.
        formats: of ``FORMATS``; by default the page, CSV and JSON, for many trials Parquet in place of JSON.
        on_note: is told what was left out by default, and what older files lie in the folder.

    Raises:
        StoreError: a study has no trial yet, or the folder cannot be written.
        ConfigError: a format is not known, or a study beside it has another task or other objectives.
        MissingResource: pictures are asked for, and what draws them is not there.
    """
    check_formats(formats)
    _, spec = stored
    material = material_of(stored, as_typed(out / f"{spec.name}.toml"), others)
    asked = tuple(formats) or _by_default(len(material.records), on_note)
    document = assemble(material)
    data: dict[str, Content] = _data(material, asked) | {f"{spec.name}.toml": material.study}
    return write_document(document, data, out, asked, on_note, spec.base.to_mapping())


def write_document(  # noqa: PLR0913, PLR0917 - what is said, what lies beside it, where, how, and two that few need
    document: Document,
    data: Mapping[str, Content],
    out: Path,
    formats: Sequence[str],
    on_note: Callable[[str], None] = lambda _: None,
    base: Mapping[str, Any] | None = None,
) -> Path:
    """Write a document in its forms, and the data files that belong to it, by name; return the page, else the folder.

    ``base`` is the configuration from which the cards of trials tell their differences. Nothing is written before
    everything is ready.

    Raises:
        StoreError: the folder cannot be written.
    """
    files = dict(data)
    if "html" in formats:
        page = html_page(document, base or {}, {name: _embeddable(text) for name, text in data.items()})
    files |= _beside(document, formats)
    if "html" in formats:
        files[PAGE] = page  # last: it is there when all that it links to is
    write_files(out, files)
    if older := [name for name in _ours(out) if name not in files]:
        rest = f" and {len(older) - 3} more" if len(older) > 3 else ""
        on_note(f"left from an earlier report in {out}: {', '.join(older[:3])}{rest}")
    return out / PAGE if "html" in formats else out


def _by_default(trials: int, on_note: Callable[[str], None]) -> tuple[str, ...]:
    if trials <= MANY:
        return USUAL
    on_note(
        f"data.json and report.json are left out of a report on {trials:,} trials; `--format html,csv,json` writes "
        "them, `lorap-bench export --format json` prints the trials"
    )
    return _OF_MANY


def _data(material: Material, formats: Sequence[str]) -> dict[str, Content]:
    """Return the files of all trials. JSON of many trials is written line by line: it is too large to hold."""
    spec, records, confirmed, file = material.spec, material.records, material.confirmations, material.file
    found: dict[str, Content] = {}
    if {"csv", "parquet"} & set(formats):
        rows = trial_rows(spec, records, confirmed, file)
        if "csv" in formats:
            found["data.csv"] = table_csv(rows)
        if "parquet" in formats:
            found["data.parquet"] = table_parquet(rows)
    if "json" in formats:
        lines = json_lines(spec, records, confirmed, file)
        found["data.json"] = "".join(lines) if len(records) <= MANY else lines
    return found


def _beside(document: Document, formats: Sequence[str]) -> dict[str, Content]:
    """Return the document's other forms."""
    found: dict[str, Content] = {}
    images = [kind for kind in IMAGES if kind in formats]
    if images:
        drawn = pictures(figures(document), images)
        found |= {f"figures/{name}": data for name, data in drawn.items()}
    if "csv" in formats:
        found |= {f"tables/{file_stem(table.id)}.csv": raw_csv(table) for table in tables(document)}
    if "json" in formats:
        found["report.json"] = report_json(document)
    if "md" in formats:
        found["report.md"] = markdown(document, images=next(iter(images), ""), tables="csv" in formats)
    if "tex" in formats:
        found["report.tex"] = latex(document)
    return found


def _embeddable(content: Content) -> str | None:
    """Return what the page may carry; None: it can only lie beside it."""
    return content if isinstance(content, str) and len(content) <= MOST_BYTES else None


def _ours(out: Path) -> list[str]:
    """Return the files in the folder that bear a name which a report gives."""
    names = [PAGE, *(f"data.{kind}" for kind in ("csv", "json", "parquet"))]
    names += [f"report.{kind}" for kind in ("json", "md", "tex")]
    found = [name for name in names if (out / name).is_file()]
    within = [*(out / "tables").glob("*.csv"), *(out / "figures").glob("*.svg"), *(out / "figures").glob("*.png")]
    return found + sorted(path.relative_to(out).as_posix() for path in within)


def as_typed(path: Path) -> str:
    """Return a path as a command in the current folder names it; elsewhere, and published, the bare name."""
    found = Path(os.path.abspath(path))  # noqa: PTH100  # links stay as typed; Path.resolve would follow them
    return found.relative_to(Path.cwd()).as_posix() if found.is_relative_to(Path.cwd()) else path.name


def write_files(out: Path, files: dict[str, Content]) -> None:
    """Write files into a folder, which is made if there is none, in their order.

    Raises:
        StoreError: the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = out / name
            path.parent.mkdir(exist_ok=True)
            _write(path, content)
    except OSError as error:
        reason = "a file is in the place of the folder" if out.is_file() else error.strerror
        raise StoreError(f"cannot write the report: {reason}", where=str(out)) from error


def _write(path: Path, content: Content) -> None:
    """Write beside the place and rename into it: a reader never meets half a file."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")  # two drivers may end at once
    parts: Iterable[Any] = (content,) if isinstance(content, (str, bytes)) else content
    try:
        with temporary.open("wb") as file:
            file.writelines(part if isinstance(part, bytes) else part.encode() for part in parts)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
