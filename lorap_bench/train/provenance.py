"""Where a result comes from: commit, versions, device; never a host, a user or a path."""

from __future__ import annotations

import platform
import subprocess
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.device import device

__all__ = ["provenance"]

_PACKAGES = ("lorap-bench", "torch", "torch-geometric", "numpy", "numba", "triton")


@lru_cache(maxsize=1)
def provenance() -> dict[str, Any]:
    """Return the commit (``+`` marks uncommitted changes), versions, backend and device."""
    return {
        "commit": _commit(),
        "versions": {"python": platform.python_version()} | _versions(),
        "backend": kernels().name,
        "device": _device(),
        "machine": platform.machine(),
    }


def _device() -> str:
    """Return ``cpu``, or the name of the CUDA device."""
    where = device()
    return where.type if where.type == "cpu" else torch.cuda.get_device_name(where)


def _versions() -> dict[str, str]:
    """Return the version of each package that is there: the core runs without numba."""
    found = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _commit() -> str:
    """Return the checkout's commit, or an empty string where the package is not run from one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  # fixed arguments
        ["git", "-C", str(root), *arguments],  # noqa: S607  # the user's git, found as a shell finds it
        check=True,
        capture_output=True,
        text=True,
        timeout=10,
    )
    return done.stdout.strip()
