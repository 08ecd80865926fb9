"""Check-up of the machine: backends, device, threads, memory, disk, data, browser."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from lorap_bench.cli.finding import Finding
from lorap_bench.errors import ConfigError, LorapBenchError, MissingResource

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["machine_findings"]

_GIB = 2**30
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def machine_findings(runs: Path) -> Iterator[Finding]:
    """Yield what there is to say about the machine on which studies lie in ``runs``."""
    yield from _computing()
    yield _threads()
    yield _disk(runs)
    yield from _data()
    yield _browser()


def _computing() -> Iterator[Finding]:
    import torch

    from lorap_bench.kernels.device import device
    from lorap_bench.train.free_memory import free_bytes

    try:
        where = device()
    except LorapBenchError as error:
        yield Finding.problem("device", str(error))
        return
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else f"{os.cpu_count()} CPUs"
    yield Finding.ok("device", f"{where.type} ({name})")
    for backend in ("native", "triton", "reference"):
        yield _backend(backend, where.type)
    free = free_bytes(where)
    if free is None:
        yield Finding.warning("memory", "the system does not tell how much is free")
        return
    told = f"{free / _GIB:.1f} GiB free"
    yield Finding.ok("memory", told) if free >= _GIB else Finding.warning("memory", f"only {told}")


def _backend(name: str, device: str) -> Finding:
    from lorap_bench.kernels.backend import use

    about = f"backend {name}"
    try:
        with ExitStack() as stack:
            stack.enter_context(use(name))
    except ConfigError:
        return Finding.ok(about, f"not for this device ({device})")
    except MissingResource as error:
        fastest = {"cpu": "native", "cuda": "triton"}.get(device) == name
        return Finding.warning(about, str(error)) if fastest else Finding.ok(about, f"not here: {error}")
    return Finding.ok(about, "works here")


def _threads() -> Finding:
    told = os.environ.get("OMP_NUM_THREADS")
    if told == "1" or (os.cpu_count() or 1) == 1:
        return Finding.ok("threads", "one thread a process")
    found = "is not set" if told is None else f"is {told}"
    text = f"OMP_NUM_THREADS {found}: set it to 1, for threads of several processes slow each other down"
    return Finding.warning("threads", text)


def _disk(runs: Path) -> Finding:
    place = _there(runs)
    if not os.access(place, os.W_OK):
        return Finding.problem("disk", f"{place}: may not be written")
    free = shutil.disk_usage(place).free
    told = f"{free / _GIB:.1f} GiB free in {place}"
    if free < _GIB // 10:
        return Finding.problem("disk", f"only {told}")
    return Finding.ok("disk", told) if free >= _GIB else Finding.warning("disk", f"only {told}")


def _data() -> Iterator[Finding]:
    from lorap_bench.data.raw import MIRROR_VARIABLE, Folders

    try:
        folders = Folders.from_environment()
    except MissingResource as error:
        yield Finding.problem("raw data", str(error))
        return
    if folders.mirror is None:
        yield Finding.ok("raw data", f"downloaded when needed; {MIRROR_VARIABLE} names a folder that is read instead")
    elif os.access(folders.mirror, os.R_OK | os.X_OK):
        yield Finding.ok("raw data", f"read from {folders.mirror}")
    else:
        yield Finding.problem("raw data", f"may not be read: {folders.mirror}, which {MIRROR_VARIABLE} names")
    if os.access(_there(folders.cache), os.W_OK):
        yield Finding.ok("cache", f"processed data are kept in {folders.cache}")
    else:
        yield Finding.problem("cache", f"may not be written: {folders.cache}; LORAP_BENCH_CACHE names another folder")


def _browser() -> Finding:
    named = os.environ.get("BROWSER_PATH")
    found = named if named and Path(named).is_file() else next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found:
        return Finding.ok("browser", found)
    return Finding.ok("browser", "no Chrome or Chromium: reports need none, figures as PNG or SVG files would")


def _there(path: Path) -> Path:
    """Return the folder itself, or the nearest one above it that is there."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    return place
