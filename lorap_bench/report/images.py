"""The document's figures as pictures, drawn by a Chrome or Chromium that is on the machine (extra ``images``)."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import MissingResource
from lorap_bench.report.raw import file_stem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.report.document import Figure

__all__ = ["WIDTH", "find_browser", "pictures", "require_images"]

WIDTH = 900
_PACKAGE = "the package kaleido (`pip install 'lorap-bench[images]'`)"
_BROWSER = (
    "a Chrome or Chromium (on Debian and Ubuntu `apt-get install chromium`; or name the program in the environment "
    "variable BROWSER_PATH)"
)
# The proxy is a port where nothing listens: whatever a browser would ask the network for, nothing goes out.
_KALEIDO = {"mathjax": False, "proxy_server": "127.0.0.1:9"}
_SCALE = {"svg": 1, "png": 2}


def require_images() -> None:
    """Make sure that pictures can be drawn.

    Raises:
        MissingResource: kaleido or a browser is not there; the message names what to install.
    """
    lacking = []
    if find_spec("kaleido") is None:
        lacking = [_PACKAGE, *([] if find_browser() else [_BROWSER])]
    elif find_browser() is None:
        lacking = [_BROWSER]
    if lacking:
        raise MissingResource(f"pictures need {' and '.join(lacking)}; nothing was written", where="--format svg, png")


def find_browser() -> str | None:
    """Return the browser that would draw; None where there is none."""
    if find_spec("choreographer") is None:
        return _on_path()
    from choreographer.browsers.chromium import Chromium

    found = Chromium.find_browser(skip_local=False)
    return str(found) if found and Path(found).is_file() else None


def pictures(figures: Sequence[Figure], kinds: Sequence[str]) -> dict[str, bytes]:
    """Return file name → picture of every figure in every kind (``svg``, ``png``), in light colours; one browser draws.

    The same figures give the same bytes of SVG.

    Raises:
        MissingResource: kaleido or a browser is not there, or the browser does not start.
    """
    require_images()
    import kaleido
    from choreographer.errors import BrowserClosedError, BrowserDepsError, BrowserFailedError, ChromeNotFoundError

    wanted = {f"{file_stem(figure.id)}.{kind}": (figure, kind) for figure in figures for kind in kinds}
    with TemporaryDirectory(prefix="lorap-bench-") as folder:
        jobs = [_job(figure, kind, Path(folder, name)) for name, (figure, kind) in wanted.items()]
        try:
            kaleido.write_fig_from_object_sync(jobs, cancel_on_error=True, kopts=_KALEIDO)
        except (BrowserClosedError, BrowserDepsError, BrowserFailedError, ChromeNotFoundError) as error:
            message = f"the browser does not start; pictures need {_BROWSER}; nothing was written"
            raise MissingResource(message, where=find_browser() or "--format svg, png") from error
        found = {name: Path(folder, name).read_bytes() for name in wanted}
    return {name: _settled(name, data) if name.endswith(".svg") else data for name, data in found.items()}


def _on_path() -> str | None:
    names = (os.environ.get("BROWSER_PATH"), "chromium", "chromium-browser", "google-chrome", "chrome")
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


def _job(figure: Figure, kind: str, path: Path) -> dict[str, Any]:
    """Return what kaleido draws. A trace's name in the picture is random unless the figure says it."""
    plot = figure.plot.to_dict()
    traces = [trace | {"uid": f"{file_stem(figure.id)}-{place}"} for place, trace in enumerate(plot["data"])]
    options = {"width": WIDTH, "height": plot["layout"].get("height"), "scale": _SCALE[kind], "format": kind}
    return {"fig": plot | {"data": traces}, "path": path, "opts": options}


def _settled(name: str, data: bytes) -> bytes:
    """Return an SVG whose ids, random in every drawing, follow from the figure's name, without what XML forbids."""
    clean = re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", b"", data)
    found = re.search(rb'id="defs-([0-9a-f]{6})"', clean)
    if found is None:
        return clean
    own = hashlib.sha256(name.encode()).hexdigest()[:6].encode()
    return re.sub(rb"(?<=[a-z-])" + found[1], own, clean)
