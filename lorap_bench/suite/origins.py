"""Whether records were all made by one commit, with one set of versions, on one kind of device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.store.flat import flat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lorap_bench.record import TrialRecord

__all__ = ["origin_notes"]

_MAY_DIFFER = frozenset({"cohort", "gpus"})


def origin_notes(records: Iterable[TrialRecord]) -> Iterator[str]:
    """Yield what is not the same for all records, and whether a commit had changes that were not committed."""
    said: dict[str, set[str]] = {}
    for record in records:
        for name, value in flat(record.provenance):
            if name not in _MAY_DIFFER:
                said.setdefault(name, set()).add(str(value))
    for name, values in sorted(said.items()):
        if len(values) > 1:
            yield f"{name} differs: {', '.join(sorted(values))}"
    changed = sorted(value for value in said.get("commit", ()) if value.endswith("+"))
    if changed:
        yield f"changes that were not committed: {', '.join(changed)}"
