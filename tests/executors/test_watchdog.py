from __future__ import annotations

import subprocess
import sys

import pytest

from lorap_bench.executors.watchdog import hard_deadline, patience


@pytest.mark.parametrize(("seconds", "trials", "expected"), [(None, 3, None), (10.0, 1, 50.0), (10.0, 4, 110.0)])
def test_a_pack_is_given_up_long_after_its_deadline(seconds: float | None, trials: int, expected: float | None) -> None:
    assert patience(seconds, trials) == expected


HANG = """
import ctypes, sys
from lorap_bench.executors.watchdog import hard_deadline
with hard_deadline(float(sys.argv[1])):
    ctypes.PyDLL(None).sleep(int(sys.argv[2]))  # C code that holds the interpreter's lock
print("went on")
"""


@pytest.mark.parametrize(("deadline", "nap", "output"), [("0.2", "60", ""), ("60", "0", "went on\n")])
def test_code_that_holds_the_interpreter_is_ended(deadline: str, nap: str, output: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANG, deadline, nap], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.stdout == output
    assert (done.returncode == 0) == bool(output)
    assert ("Timeout" in done.stderr) == (not output)


def test_without_a_deadline_nothing_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[float] = []
    monkeypatch.setattr("faulthandler.dump_traceback_later", lambda seconds, **options: begun.append(seconds))
    with hard_deadline(None):
        assert begun == []
    with hard_deadline(60.0):
        assert begun == [60.0]
