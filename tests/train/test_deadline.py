"""A deadline ends what runs, also what hangs; what was set before it is set after it."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

from lorap_bench.train.deadline import Overtime, deadline

if TYPE_CHECKING:
    from collections.abc import Callable


def busy(check: Callable[[], None]) -> None:
    while True:
        check()


def test_no_deadline_is_never_over() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with deadline(None) as check:
        check()
        assert signal.getsignal(signal.SIGALRM) is before


def test_a_check_raises_when_the_time_is_up() -> None:
    with deadline(1000) as check:
        check()
    with pytest.raises(Overtime), deadline(0.001) as check:
        busy(check)


def test_a_hang_ends() -> None:
    hang = threading.Event()
    with pytest.raises(Overtime), deadline(0.01):
        hang.wait()


def test_what_catches_every_exception_does_not_catch_it() -> None:
    def stubborn() -> None:
        while True:
            try:
                threading.Event().wait()
            except Exception:  # noqa: BLE001  # the point of the test
                continue

    with pytest.raises(Overtime), deadline(0.01):
        stubborn()


def test_the_handler_and_the_alarm_of_before_come_back() -> None:
    def handler(number: int, frame: object) -> None:
        raise AssertionError

    former = signal.signal(signal.SIGALRM, handler)
    left, interval = signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        with deadline(500) as check:
            assert signal.getitimer(signal.ITIMER_REAL)[0] <= 500
            check()
        assert signal.getsignal(signal.SIGALRM) is handler
        assert 900 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1000
        with pytest.raises(KeyError), deadline(500):
            raise KeyError
        assert signal.getsignal(signal.SIGALRM) is handler
    finally:
        signal.signal(signal.SIGALRM, former)
        signal.setitimer(signal.ITIMER_REAL, left, interval)


def test_no_alarm_is_left_behind() -> None:
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        with deadline(500):
            pass
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, left, interval)


def test_outside_the_main_thread_only_checks_are_heard() -> None:
    seen: list[object] = []

    def work() -> None:
        before = signal.getsignal(signal.SIGALRM)
        try:
            with deadline(0.001) as check:
                seen.append(signal.getsignal(signal.SIGALRM) is before)
                busy(check)
        except Overtime:
            seen.append("over")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True, "over"]
