"""Which process this is, and whether another one still lives: as far as this machine can tell."""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Process", "this_process"]

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its host by name, its machine since it was last started, its number, and when it began.

    ``machine`` is the same where process numbers mean the same; ``began`` tells a process from a later one of its
    number (0: not known).
    """

    host: str
    machine: str
    pid: int
    began: int

    @property
    def here(self) -> bool:
        """Whether it runs, or ran, on this machine."""
        return self.machine == _machine()

    @property
    def lives(self) -> bool:
        """Whether it is known to live; False also where another machine would have to be asked."""
        return self.here and _began(self.pid) in {self.began, 0}

    @property
    def gone(self) -> bool:
        """Whether it is known to have ended."""
        return self.here and not self.lives


def this_process() -> Process:
    """Return the process that asks."""
    pid = os.getpid()
    return Process(socket.gethostname(), _machine(), pid, _began(pid) or 0)


def _machine() -> str:
    """Return a digest of host, boot and process namespace."""
    parts = [socket.gethostname()]
    if _BOOT.exists():
        parts += [_BOOT.read_text().strip(), str(_NAMESPACE.readlink())]
    return hashlib.blake2b("/".join(parts).encode(), digest_size=8).hexdigest()


def _began(pid: int) -> int | None:
    """Return when a process began, in ticks since the machine did; 0 where that is not told, None if there is none."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return None if fields[0] in {"Z", "X"} else int(fields[19])
