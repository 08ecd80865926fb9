from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

import lorap_bench.executors.stop as stop_module
from lorap_bench.executors.stop import Interrupted, Stop, ask_to_stop, on_request_file, on_signals, withdraw

if TYPE_CHECKING:
    from pathlib import Path


def test_the_first_request_drains_and_the_second_stops() -> None:
    heard: list[int] = []
    stop = Stop(heard.append)
    assert (stop.drain, stop.now) == (False, False)
    stop.check(0)
    stop.request()
    assert (stop.drain, stop.now) == (True, False)
    stop.check(1)
    stop.request()
    assert (stop.drain, stop.now) == (True, True)
    with pytest.raises(Interrupted):
        stop.check(2)
    assert heard == [1, 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_become_requests_only_inside_the_block(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with on_signals(Stop()) as stop:
        os.kill(os.getpid(), number)
        assert stop.drain
        os.kill(os.getpid(), number)
        assert stop.now
    assert signal.getsignal(number) is before


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with on_signals(Stop()) as stop:
            seen.extend([signal.getsignal(signal.SIGINT), stop.drain])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before, False]


@pytest.fixture
def asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a request whenever the answer matters."""
    monkeypatch.setattr(stop_module, "_PAUSE", 0.0)


@pytest.mark.usefixtures("asked_at_once")
def test_a_file_asks_to_drain_and_then_to_stop(tmp_path: Path) -> None:
    file, heard = tmp_path / "stop.json", list[int]()
    with on_request_file(Stop(heard.append), file) as stop:
        assert not stop.drain
        ask_to_stop(file, now=False)
        assert (stop.drain, stop.now) == (True, False)
        stop.check(3)
        ask_to_stop(file, now=False)  # asked again: it drains already
        assert not stop.now
        ask_to_stop(file, now=True)
        with pytest.raises(Interrupted):
            stop.check(4)
    assert heard == [1, 2]


@pytest.mark.usefixtures("asked_at_once")
def test_a_file_asks_to_stop_at_once(tmp_path: Path) -> None:
    file, heard = tmp_path / "stop.json", list[int]()
    with on_request_file(Stop(heard.append), file) as stop:
        ask_to_stop(file, now=True)
        assert stop.drain
        assert stop.now
    assert heard == [1, 2]


@pytest.mark.usefixtures("asked_at_once")
def test_a_request_before_the_driver_began_is_not_meant_for_it(tmp_path: Path) -> None:
    file = tmp_path / "stop.json"
    ask_to_stop(file, now=True)
    with on_request_file(Stop(), file) as stop:
        assert not stop.drain
        assert not file.exists()
    ask_to_stop(file, now=True)
    assert not stop.drain  # it drives no more
    assert withdraw(file)
    assert not withdraw(file)


@pytest.mark.usefixtures("asked_at_once")
@pytest.mark.parametrize("text", ["{", "[]", '{"now": 1}'])
def test_a_request_that_cannot_be_read_drains(tmp_path: Path, text: str) -> None:
    file = tmp_path / "stop.json"
    with on_request_file(Stop(), file) as stop:
        file.write_text(text)
        assert (stop.drain, stop.now) == (True, False)


def test_the_file_is_looked_for_about_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def count(file: Path) -> int:
        nonlocal looks
        looks += 1
        return 0

    now = 100.0
    monkeypatch.setattr(stop_module, "_asked", count)
    monkeypatch.setattr("lorap_bench.executors.stop.time.monotonic", lambda: now)
    with on_request_file(Stop(), tmp_path / "stop.json") as stop:
        for _ in range(1000):
            stop.check()
        assert looks == 1
        now += 1.5
        stop.check()
        assert looks == 2
