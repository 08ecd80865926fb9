"""Say which trials came along into a study, and why others did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.cli.screen import counted, message, print_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.store.manifest import Origin

__all__ = ["tell_kept"]


def tell_kept(name: str, origins: Sequence[Origin]) -> None:
    """Print for each study how many of its trials ``name`` has now, and why the others stayed behind."""
    for origin in origins:
        whole = len(origin.trials) + sum(origin.left.values())
        print_text(f"{name}: kept {len(origin.trials)} of {counted(whole, 'trial')} of {origin.name}")
        for reason, count in origin.left.items():
            print_text(f"  left {count}: {reason}")
        if origin.looks:
            looked = counted(origin.looks, "time")
            message(
                f"the test split of {origin.name} was looked at {looked}: those looks stay with it, and count here; "
                "`lorap-bench confirm --again` makes the next one"
            )
