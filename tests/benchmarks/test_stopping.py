"""The replay of early stopping on a table: which epochs it counts, whom it keeps."""

from __future__ import annotations

import numpy as np

from benchmarks.search.stopping import replay, stopper, volumes
from benchmarks.search.table import Row, Table


def row(number: int, accuracy: float, bits: float) -> Row:
    """Return a configuration that is as good at every mark as in the end."""
    return Row(f"{number:04d}", {}, {"average_bits": bits, "overhead": 0.0}, np.full((3, 40), accuracy))


ROWS = [
    row(0, 0.9, 4.0),
    row(1, 0.8, 2.0),
    row(2, 0.7, 4.0),
    row(3, 0.6, 4.0),
    *(row(n, 0.5, 5.0) for n in range(4, 8)),
]
TABLE = Table(ROWS, epochs=200, every=5)


def test_without_a_rule_all_is_trained() -> None:
    found = replay(stopper("rungs", {}), TABLE, ROWS)
    assert (found.complete, found.epochs) == (ROWS, 1.0)


def test_epochs_are_those_up_to_the_rung() -> None:
    """Two of four trials are dominated and beyond the quota, then all of the next four."""
    found = replay(stopper("rungs", {"rule": "MO-ASHA"}), TABLE, ROWS)
    assert found.complete == ROWS[:2]
    assert found.epochs == (2 * 200 + 6 * 10) / (8 * 200)
    assert all(measure(found.complete) == measure(ROWS) for measure in volumes(TABLE).values())


def test_a_quota_alone_cuts_the_front() -> None:
    front = [row(n, 0.5 + n / 100, 2.0 + n) for n in range(8)]
    assert len(replay(stopper("rungs", {"rule": "MO-ASHA"}), TABLE, front).complete) == 8
    assert len(replay(stopper("quota", {"rule": "MO-ASHA"}), TABLE, front).complete) < 8
