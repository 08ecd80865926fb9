from __future__ import annotations

import os
import signal
import threading

import pytest

from lorap_bench.executors.stop import Interrupted, Stop, on_signals


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
