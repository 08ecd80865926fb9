from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.cli.follow import Follower
from lorap_bench.cli.wiring import open_study
from lorap_bench.record import Outcome, Status, TrialRecord
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.numbered import read_record
from tests.cli.conftest import MAIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


def test_a_finished_study_is_told_once(lorap_bench: Command, runs: Path, finished: Path) -> None:
    ended = lorap_bench("status", "tiny", "--watch", "--every", "0.1", "--json", "--runs", runs)
    once = lorap_bench("status", "tiny", "--json", "--runs", runs).json
    assert ended.code == 0
    assert [json.loads(line) for line in ended.out.splitlines()] == [once]
    assert ended.err == "tiny: finished, 3 of 3 trials\n"
    plain = lorap_bench("status", "tiny", "--watch", "--every", "0.1", "--runs", runs)
    assert plain.out.startswith("3 of 3 trials · 0 under way · front ")


def test_each_change_is_a_line_until_the_driver_has_gone(
    lorap_bench: Command, runs: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StudyFolder(finished)
    assert lorap_bench("extend", "tiny", "--trials", "+9", "--runs", runs).code == 0
    numbers, lock = iter((100, 101)), folder.lock()

    def pause(seconds: float) -> None:
        """Stand in for the time that passes: a trial ends, twice; then the driver goes."""
        number = next(numbers, None)
        if number is None:
            lock.close()
        else:
            record = TrialRecord(status=Status.PRUNED, config={}, digest=str(number), number=number)
            folder.write(Outcome(record, {}))

    monkeypatch.setattr("lorap_bench.cli.watch.time.sleep", pause)
    ended = lorap_bench("status", "tiny", "--watch", "--json", "--runs", runs)
    told = [json.loads(line) for line in ended.out.splitlines()]
    assert [one["budget"]["counted"] for one in told] == [3, 4, 5, 5]
    assert [one["driven"] for one in told] == [True, True, True, False]
    assert "its driver has gone; `lorap-bench run` goes on" in ended.err


def test_what_is_new_is_read_and_the_rest_is_remembered(
    runs: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, spec = open_study("tiny", runs)
    follower, read = Follower(folder, spec), list[str]()

    def noted(path: Path) -> TrialRecord:
        read.append(path.stem)
        return read_record(path)

    monkeypatch.setattr("lorap_bench.cli.follow.read_record", noted)
    assert len(follower.look()) == 3
    assert follower.look() == []
    folder.write(Outcome(TrialRecord(status=Status.PRUNED, config={}, digest="x", number=50), {}))
    assert [record.number for record in follower.look()] == [50]
    assert len(read) == 4
    assert follower.over == "4 trials, of a budget since cut to 3"


def test_ctrl_c_ends_the_watching_quietly(
    lorap_bench: Command, start: Callable[..., subprocess.Popen[str]], runs: Path, finished: Path
) -> None:
    assert lorap_bench("extend", "tiny", "--trials", "+9", "--runs", runs).code == 0
    process = start("status", "tiny", "--watch", "--every", "0.1", "--runs", runs)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("3 of 12 trials")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize("columns", [50, 100])
def test_a_terminal_gets_a_live_view(runs: Path, finished: Path, columns: int) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", MAIN, "status", "tiny", "--watch", "--every", "0.1", "--runs", str(runs)]
    environment = {**os.environ, "COLUMNS": str(columns), "LINES": "30", "TERM": "xterm"}
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, text=True, env=environment)
    _, err = process.communicate()
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).splitlines()
    assert (process.returncode, err) == (0, "tiny: finished, 3 of 3 trials\n")
    assert any("3 of 3 trials" in line for line in lines)
    assert any("the budget is spent" in line for line in lines)
    assert any(line.split()[:2] == ["trial", "accuracy"] for line in lines)
    assert max(map(len, lines)) <= columns
