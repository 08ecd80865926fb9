from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from lorap_bench.store import process as module
from lorap_bench.store.process import this_process

if TYPE_CHECKING:
    import pytest


def test_this_process_lives() -> None:
    me = this_process()
    assert (me.pid, me.here, me.lives, me.gone) == (os.getpid(), True, True, False)


def test_a_process_that_has_ended_is_gone_even_before_it_is_buried() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    dead = replace(this_process(), pid=child.pid)
    assert dead.gone
    child.wait()
    assert dead.gone


def test_a_later_process_of_the_same_number_is_another() -> None:
    assert replace(this_process(), began=1).gone


def test_nothing_is_known_of_another_machine() -> None:
    far = replace(this_process(), machine="another")
    assert (far.here, far.lives, far.gone) == (False, False, False)


def test_where_the_beginning_is_not_told_the_number_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    me = this_process()
    monkeypatch.setattr(module, "_began", lambda pid: 0)
    assert me.lives
