from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.store.folder import StudyFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


@pytest.fixture
def long(tiny: Path) -> Path:
    """Return a study of more epochs than anybody waits for."""
    tiny.write_text(tiny.read_text().replace("epochs = 1", "epochs = 100000"))
    return tiny


def test_without_a_driver_there_is_nothing_to_stop(lorap_bench: Command, runs: Path, finished: Path) -> None:
    ended = lorap_bench("stop", "tiny", "--runs", runs, "--wait")
    assert (ended.code, ended.out) == (0, "nobody drives tiny: nothing to stop\n")
    assert not StudyFolder.open(runs, "tiny").stop_request.exists()


def test_a_driver_in_another_process_stops_at_once(
    lorap_bench: Command, start: Callable[..., subprocess.Popen[str]], long: Path, runs: Path
) -> None:
    process = start("run", long, "--runs", runs, "--no-report", "--set", "search.together=1")
    folder = StudyFolder(runs / "tiny")
    while not any(folder.root.glob("sessions/*.json")):  # the driver has asked for its first trial
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
        assert process.poll() is None, process.communicate()
    ended = lorap_bench("stop", "tiny", "--now", "--wait", "--runs", runs)
    _, err = process.communicate()
    assert process.returncode == 130
    assert ended.out == "asked: the driver of tiny leaves what is under way, saves and ends\n"
    assert "tiny has stopped" in ended.err
    assert "stopping at once" in err
    assert not folder.stop_request.exists()
    assert folder.records() == []
    status = lorap_bench("status", "tiny", "--runs", runs, "--json").json
    assert (status["states"]["running"], status["driven"]) == (0, False)
    again = lorap_bench("run", long, "--runs", runs, "--no-report", "--set", "optim.epochs=1")
    assert again.code == 2  # another study; the same file would go on


def test_a_driver_drains(lorap_bench: Command, tiny: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import lorap_bench.executors.stop as stop_module
    from lorap_bench.executors import local

    monkeypatch.setattr(stop_module, "_PAUSE", 0.0)
    true_run, told = local.run_local, list[str]()

    def run(broker: Any, train: Any, stop: Any, **_: Any) -> None:
        def stopped(*arguments: Any, **options: Any) -> Any:
            told.append(lorap_bench("stop", "tiny", "--runs", runs).out)
            assert "stopping" in lorap_bench("status", "tiny", "--runs", runs).out
            return train(*arguments, **options)

        true_run(broker, stopped, stop)

    call = ("run", tiny, "--runs", runs, "--no-report", "--set", "search.together=1")
    with monkeypatch.context() as patch:
        patch.setattr(local, "run_local", run)
        ended = lorap_bench(*call)
    assert ended.code == 130
    assert told == ["asked: the driver of tiny finishes what is under way, saves and ends\n"]
    assert len(StudyFolder.open(runs, "tiny").records()) == 1
    assert lorap_bench(*call).code == 0  # the old request is not meant for this driver
    assert len(StudyFolder.open(runs, "tiny").records()) >= 3
