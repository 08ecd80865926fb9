"""From the operating system's refusals to our error: which file, and why."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lorap_bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["access", "exists"]


@contextmanager
def access(path: Path, deed: str = "read") -> Iterator[None]:
    """Do something to ``path``, called ``deed`` in the message.

    Raises:
        StoreError: the operating system refuses (no permission, disk full, a folder in place of a file).
    """
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot {deed}: {error.strerror or error}", where=str(path)) from error


def exists(path: Path) -> bool:
    """Whether there is something at ``path``.

    Raises:
        StoreError: the folder does not let itself be asked.
    """
    with access(path):
        return path.exists()
