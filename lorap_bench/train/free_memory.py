"""How much memory a process may still take: the machine's, its control group's, or the GPU's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["free_bytes"]

_ROOT = Path("/")


def free_bytes(where: torch.device, *, root: Path = _ROOT) -> int | None:
    """Return the bytes that can be had on a device without swapping; None where the system does not tell.

    Args:
        where: the CPU, or a CUDA device.
        root: where the system's ``proc`` and ``sys`` lie.
    """
    if where.type == "cuda":
        kept = torch.cuda.memory_reserved(where) - torch.cuda.memory_allocated(where)
        return int(torch.cuda.mem_get_info(where)[0]) + kept
    known = [room for room in (_machine(root), *_groups(root)) if room is not None]
    return max(0, min(known)) if known else None


def _machine(root: Path) -> int | None:
    for line in _read(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    try:  # no Linux: free pages, without what the system would give up
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _groups(root: Path) -> Iterator[int | None]:
    """Yield what is left to each control group of this process, from its own to the outermost, in versions 2 and 1."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        own = Path(path.strip("/"))
        if not controllers:
            top, limit, used, cache = "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            top, limit, used = "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            cache = "total_inactive_file"
        else:
            continue
        for group in (own, *own.parents):  # inside a container only the outermost is there
            yield _room(root / top / group, (limit, used, cache))


def _room(group: Path, names: tuple[str, str, str]) -> int | None:
    limit, used = (_read(group / name).strip() for name in names[:2])
    if not (limit.isdecimal() and used.isdecimal()):
        return None
    stat = dict(line.split() for line in _read(group / "memory.stat").splitlines())
    return int(limit) - int(used) + int(stat.get(names[2], 0))  # the file cache is given up when asked for


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
