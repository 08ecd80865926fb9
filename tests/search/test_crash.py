"""A driver may die at any instant: nothing finished is lost, nothing is finished twice, nothing changes."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.trial import TrialState

import lorap_bench.search.journal as journal_module
import lorap_bench.store.folder as folder_module
from lorap_bench.errors import StoreError
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Status
from lorap_bench.search.loop import Broker
from lorap_bench.search.storage import read_storage
from lorap_bench.search.table import Rows
from lorap_bench.store import atomic
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import each, make_spec, sketch, story, train

if TYPE_CHECKING:
    from lorap_bench.study.spec import StudySpec

ROOT = Path(__file__).resolve().parents[2]
GROUPED = {"n_startup_trials": 4, "multivariate": True, "group": True}
SAMPLERS: list[tuple[str, dict[str, Any], int]] = [
    ("Random", {}, 1),
    ("TPE", {"n_startup_trials": 4}, 1),
    ("TPE", GROUPED, 1),
    ("NSGAII", {"population_size": 4}, 1),
    ("Random", {}, 4),
    ("TPE", {"n_startup_trials": 4}, 4),
    ("TPE", GROUPED, 3),
    ("NSGAII", {"population_size": 4}, 3),
    ("NSGAIII", {"population_size": 4}, 1),
    ("EHVI", {"n_startup_trials": 4}, 1),
    ("EHVI", {"n_startup_trials": 4, "history_cap": 20}, 3),
    ("TPE", {"n_startup_trials": 4, "history_cap": 20}, 1),
    ("QMC", {}, 1),
]


class Crash(BaseException):
    """Stands for the process's death: no code of ours catches it for good."""


class Faults:
    """Break the write number ``at``, counted over folder and journal, before or after it is done."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count = itertools.count()
        self.at, self.after = -1, False
        self.error: BaseException = Crash()
        write_all, write_json = journal_module._write_all, atomic.write_json
        patch.setattr(journal_module, "_write_all", lambda fd, data: self._guard(write_all, fd, data))
        patch.setattr(folder_module, "write_json", lambda path, value: self._guard(write_json, path, value))
        append = Rows.append
        patch.setattr(Rows, "append", lambda rows, start, lines: self._guard(partial(append, rows), start, lines))

    def arm(self, at: int, *, after: bool, error: BaseException | None = None) -> None:
        self.count, self.at, self.after = itertools.count(), at, after
        self.error = error or Crash()

    def _guard(self, write: Any, target: Any, value: Any) -> None:
        hit = next(self.count) == self.at
        if hit and not self.after:
            raise self.error
        write(target, value)
        if hit:
            raise self.error


def create(runs: Path, spec: StudySpec) -> StudyFolder:
    return StudyFolder.create(runs, spec.to_mapping(), spec.identity)


def drive(runs: Path, spec: StudySpec) -> None:
    """Run to the end, or die without any clean-up but what the operating system does."""
    broker = None
    try:
        folder = create(runs, spec)
        broker = Broker(spec, folder, None, blueprint=sketch)
        run_local(broker, each(train), Stop())
    except Crash:
        if broker is not None:
            broker._seat.close()
        raise
    broker.close()


def check_sound(folder: StudyFolder, spec: StudySpec) -> None:
    memory = read_storage(spec.storage, folder)
    assert memory is not None
    with closing(memory):
        trials = optuna.load_study(study_name="study", storage=memory).get_trials()
    records = folder.records()
    assert all(trial.state.is_finished() for trial in trials)
    assert sum(record.status.counts for record in records) == spec.budget.trials
    assert [record.number for record in records] == list(range(len(records)))
    trained = [(record.digest, member.seed) for record in records for member in record.members]
    assert len(set(trained)) == len(trained)
    complete = [record.digest for record in records if record.status is Status.COMPLETE]
    assert len(set(complete)) == len(complete)
    told = [t.user_attrs["key"] for t in trials if t.state is TrialState.COMPLETE]
    assert len(set(told)) == len(told)


def small(sampler: str = "TPE", together: int = 1, kind: str = "journal") -> StudySpec:
    space = {
        "prompt.rank": {"int": [1, 12]},
        "quant.bits": {"choices": [2, 4, 8]},
        "prompt.temperature": {"float": [0.5, 2.0], "when": {"quant.bits": [2]}},
    }
    arguments = {"TPE": {"n_startup_trials": 2}, "NSGAII": {"population_size": 2}}.get(sampler, {})
    return make_spec(
        space,
        trials=5 if together == 1 else 6,
        sampler=sampler,
        arguments=arguments,
        constraints={"average_bits": "<= 3"},
        together=together,
        storage={"kind": kind},
    )


# After one write is before the next, but for what lies between: one driver of trials and one of packs try both here.
@pytest.mark.parametrize(
    ("sampler", "together", "kind", "after"),
    [
        ("TPE", 1, "journal", False),
        ("TPE", 1, "journal", True),
        ("NSGAII", 1, "journal", False),
        pytest.param("NSGAII", 1, "journal", True, marks=pytest.mark.slow),
        ("TPE", 3, "journal", False),
        pytest.param("TPE", 3, "journal", True, marks=pytest.mark.slow),
        ("Random", 3, "journal", False),
        ("Random", 3, "journal", True),
        ("TPE", 3, "sqlite", False),
        pytest.param("TPE", 3, "sqlite", True, marks=pytest.mark.slow),
    ],
)
def test_a_crash_at_any_write_changes_nothing(
    tmp_path: Path,
    fast_disk: None,
    monkeypatch: pytest.MonkeyPatch,
    sampler: str,
    together: int,
    kind: str,
    after: bool,
) -> None:
    spec = small(sampler, together, kind)
    faults = Faults(monkeypatch)
    drive(tmp_path / "whole", spec)
    writes = next(faults.count)
    whole = story(create(tmp_path / "whole", spec))
    assert len(whole) >= 5
    assert any(status is Status.INVALID for _, status, *_ in whole)
    for at in range(writes):
        runs = tmp_path / f"crash-{at}"
        faults.arm(at, after=after)
        with pytest.raises(Crash):
            drive(runs, spec)
        faults.arm(-1, after=after)
        drive(runs, spec)
        folder = create(runs, spec)
        assert story(folder) == whole
        check_sound(folder, spec)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_repeats_that_wait_in_a_pack_survive_a_crash(
    tmp_path: Path, fast_disk: None, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """Ranks above 8 train alike, so most of a pack waits for the one that trains."""
    space = {"prompt.rank": {"int": [8, 14]}, "optim.lr": {"choices": [0.01, 0.02, 0.03, 0.04, 0.05, 0.06]}}
    spec = make_spec(space, trials=4, sampler="TPE", arguments={"n_startup_trials": 2}, together=3)
    faults = Faults(monkeypatch)
    drive(tmp_path / "whole", spec)
    writes, whole = next(faults.count), story(create(tmp_path / "whole", spec))
    assert any(status is Status.DUPLICATE for _, status, *_ in whole)
    for at in range(4, writes, 3):
        runs = tmp_path / f"crash-{at}"
        faults.arm(at, after=after)
        with pytest.raises(Crash):
            drive(runs, spec)
        faults.arm(-1, after=after)
        drive(runs, spec)
        assert story(create(runs, spec)) == whole


@pytest.mark.parametrize("together", [1, 3])
def test_reaping_survives_a_crash_at_each_of_its_own_writes(
    tmp_path: Path, fast_disk: None, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    """Die once in a trial, then again and again one write later in what cleans up after it."""
    spec = small(together=together)
    faults = Faults(monkeypatch)
    drive(tmp_path / "whole", spec)
    writes, whole = next(faults.count), story(create(tmp_path / "whole", spec))
    for first in range(6, writes, 5):
        runs = tmp_path / f"crash-{first}"
        faults.arm(first, after=True)
        with pytest.raises(Crash):
            drive(runs, spec)
        for second in range(4):
            for after in (False, True):
                faults.arm(second, after=after)
                try:
                    drive(runs, spec)
                except Crash:
                    continue
        faults.arm(-1, after=False)
        drive(runs, spec)
        assert story(create(runs, spec)) == whole
        check_sound(create(runs, spec), spec)


def test_a_disk_that_refuses_a_write_loses_nothing(
    tmp_path: Path, fast_disk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error, unlike a death, is met by code that goes on: closing, queueing, raising."""
    spec = small()
    faults = Faults(monkeypatch)
    drive(tmp_path / "whole", spec)
    writes, whole = next(faults.count), story(create(tmp_path / "whole", spec))
    for at in range(2, writes - 1):  # the folder's own first write comes before the faults
        runs = tmp_path / f"full-{at}"
        folder = create(runs, spec)
        faults.arm(at, after=False, error=OSError(28, "No space left on device"))
        with (
            pytest.raises((OSError, StoreError), match="No space"),
            Broker(spec, folder, None, blueprint=sketch) as broker,
        ):
            run_local(broker, each(train), Stop())
        assert not folder.driven
        faults.arm(-1, after=False)
        drive(runs, spec)
        assert story(create(runs, spec)) == whole
        check_sound(create(runs, spec), spec)


def test_a_record_that_cannot_be_written_is_a_store_error(
    tmp_path: Path, fast_disk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small()
    folder = create(tmp_path, spec)
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        job = broker.ask()
        assert job is not None
        trials = folder.root / "trials"
        trials.rmdir()
        with pytest.raises(StoreError, match="cannot write"):
            broker.tell(job, train(job.config, job.seeds))
        trials.mkdir()
    drive(tmp_path, spec)
    check_sound(folder, spec)


@pytest.mark.parametrize(("sampler", "arguments", "together"), SAMPLERS)
def test_interrupted_equals_uninterrupted(
    tmp_path: Path, fast_disk: None, sampler: str, arguments: dict[str, Any], together: int
) -> None:
    """Stop at once in the middle of every other trial, and drain after the ones between."""
    spec = make_spec(
        trials=20,
        sampler=sampler,
        arguments=arguments,
        constraints={"average_bits": "<= 8"},
        together=together,
    )
    drive(tmp_path / "whole", spec)
    runs = tmp_path / "pieces"
    for turn in range(100):
        stop = Stop()
        with Broker(spec, create(runs, spec), None, blueprint=sketch) as broker:
            if broker.done:
                break
            run_local(broker, each(_interrupting(stop, at_once=turn % 2 == 0)), stop)
    folder = create(runs, spec)
    assert story(folder) == story(create(tmp_path / "whole", spec))
    assert any(record.attempt for record in folder.records())
    check_sound(folder, spec)


def _interrupting(stop: Stop, *, at_once: bool) -> Any:
    def train_and_stop(config: Any, seeds: Any, **arguments: Any) -> Any:
        stop.request()
        if at_once:
            stop.request()
        return train(config, seeds, **arguments)

    return train_and_stop


@pytest.mark.parametrize(
    ("together", "kind"),
    [
        pytest.param(1, "journal", marks=pytest.mark.slow),
        pytest.param(4, "journal", marks=pytest.mark.slow),
        pytest.param(1, "sqlite", marks=pytest.mark.slow),
    ],
)
def test_kill_9_at_any_moment(tmp_path: Path, together: int, kind: str) -> None:
    """A real process, killed by a real signal at seeded moments, half-written lines included."""
    spec = make_spec(
        trials=12,
        sampler="TPE",
        arguments={"n_startup_trials": 4},
        constraints={"average_bits": "<= 8"},
        together=together,
        storage={"kind": kind},
    )
    drive(tmp_path / "whole", spec)
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(spec.to_mapping()), encoding="utf-8")
    runs = tmp_path / "killed"
    rng = random.Random(7)
    moments = [(rng.randrange(1, 8), how) for how in ("before", "after", "half", "before", "after", "half")]
    ends = [_process(runs, file, at, how) for at, how in moments]
    assert ends == [-signal.SIGKILL] * len(moments)
    assert _process(runs, file, -1, "before") == 0
    folder = create(runs, spec)
    assert story(folder) == story(create(tmp_path / "whole", spec))
    check_sound(folder, spec)


def _process(runs: Path, file: Path, at: int, how: str) -> int:
    command = [sys.executable, str(ROOT / "tests" / "search" / "driver.py"), str(runs), str(file), str(at), how]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode
