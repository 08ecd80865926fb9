"""NumPy archives, opened so that a damaged one leaves nothing open."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["arrays_of"]


@contextmanager
def arrays_of(path: Path) -> Iterator[Mapping[str, NDArray[np.generic]]]:
    """Give the arrays of an ``.npz`` file, each read when it is asked for; pickled objects are refused.

    Raises:
        ValueError: the file is no archive of arrays.
        zipfile.BadZipFile: it is damaged.
    """
    with path.open("rb") as stream:
        archive = np.load(stream)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError(f"{path.name} is no archive of arrays")  # noqa: TRY004  # the file is at fault, not a type
        with archive:
            yield archive
