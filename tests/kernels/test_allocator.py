from __future__ import annotations

import os
import subprocess
import sys

import pytest

KEPT = """
import resource
from lorap_bench.kernels.allocator import give_back, keep_blocks
kept = keep_blocks()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        b"x" * 2**26  # 64 MiB, freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(kept, faults())
give_back()
print(faults())
"""


def told(**environment: str) -> tuple[str, int, int]:
    """Return whether blocks are kept, and page faults of twenty blocks: in a later round, and after giving back."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", KEPT]
    ended = subprocess.run(command, env=known | environment, check=True, stdout=subprocess.PIPE, text=True)
    kept, later, after = ended.stdout.split()
    return kept, int(later), int(after)


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator is glibc's")
def test_freed_blocks_are_used_again_and_given_back_when_asked() -> None:
    kept, later, after = told()
    assert kept == "True"
    assert later < 10 < after  # after giving back the pages come once more


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator is glibc's")
def test_what_the_environment_says_of_the_allocator_holds() -> None:
    kept, later, _ = told(GLIBC_TUNABLES="")
    assert kept == "False"
    assert later > 20 * 10
