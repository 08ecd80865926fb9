"""Several drivers on one PostgreSQL study: real servers, and real processes where one is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from lorap_bench.errors import ConfigError, MissingResource, StoreError
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Status
from lorap_bench.search import database, drivers
from lorap_bench.search.address import address_of
from lorap_bench.search.database import open_postgresql
from lorap_bench.search.loop import Broker
from lorap_bench.search.repair import repair_storage
from lorap_bench.search.running import count_running
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.lock import Driven
from lorap_bench.store.process import Process
from tests.postgres import PASSWORD
from tests.search.synthetic import each, make_spec, sketch, story, train
from tests.search.test_crash import check_sound, create

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.search.job import Job
    from lorap_bench.study.spec import StudySpec
    from tests.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = Process(host="elsewhere", machine="another", pid=1, began=1)


def make(postgres: Postgres, *, lease: float = 60.0, **more: Any) -> StudySpec:
    storage = {"kind": "postgresql", "url": postgres.url, "lease_seconds": lease}
    return make_spec(**{"trials": 6, **more}, storage=storage)


def start(folder: StudyFolder, spec: StudySpec) -> Broker:
    return Broker(spec, folder, None, blueprint=sketch)


def ask(broker: Broker) -> Job:
    job = broker.ask()
    assert job is not None
    return job


def tell(broker: Broker, job: Job) -> Any:
    return broker.tell(job, train(job.config, job.seeds))


def execute(database_: Any, statement: str, **values: Any) -> Any:
    with database_._engine.begin() as connection:
        result = connection.execute(text(statement), values)
        return result.fetchall() if result.returns_rows else None


@pytest.fixture
def abroad(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let every driver run on another machine, of which nobody can tell whether its processes live."""
    with monkeypatch.context() as patch:
        patch.setattr(drivers, "this_process", lambda: ELSEWHERE)
        yield patch


def test_one_driver_on_postgresql_gives_what_the_journal_gives(
    tmp_path: Path, postgres: Postgres, fast_disk: None
) -> None:
    arguments = {"n_startup_trials": 4}
    spec = make(postgres, trials=10, sampler="TPE", arguments=arguments, constraints={"average_bits": "<= 8"})
    plain = make_spec(trials=10, sampler="TPE", arguments=arguments, constraints={"average_bits": "<= 8"})
    for runs, one in ((tmp_path / "a", spec), (tmp_path / "b", plain)):
        with start(create(runs, one), one) as broker:
            run_local(broker, each(train), Stop())
    folder = create(tmp_path / "a", spec)
    assert story(folder) == story(create(tmp_path / "b", plain))
    check_sound(folder, spec)
    assert not folder.driven
    assert PASSWORD not in "".join(path.read_text() for path in folder.root.rglob("*.json"))


def test_two_drivers_share_keys_budget_and_records(tmp_path: Path, postgres: Postgres, fast_disk: None) -> None:
    spec = make(postgres)
    folder = create(tmp_path, spec)
    with start(folder, spec) as one, start(folder, spec) as other:
        jobs = [ask(one), ask(other), ask(one), ask(other)]
        assert [job.number for job in jobs] == [0, 1, 2, 3]
        assert count_running(folder) == 4
        assert (one.elsewhere, one.in_flight) == (1, 2)  # what is asked for since the last turn is not known yet
        for broker, job in zip((one, other, one, other), jobs, strict=True):
            tell(broker, job)
        last = [ask(one), ask(other)]
        assert one.ask() is None
        assert other.ask() is None
        assert not one.done
        tell(one, last[0])
        tell(other, last[1])
        assert one.ask() is None
        assert (one.done, other.done) == (True, True)
        assert (one.counted, other.counted) == (6, 6)
    check_sound(folder, spec)


def test_a_driver_knows_whether_it_is_alone(tmp_path: Path, postgres: Postgres, fast_disk: None) -> None:
    spec = make(postgres)
    folder = create(tmp_path, spec)
    with start(folder, spec) as one:
        assert one.alone
        with start(folder, spec) as other:
            ask(one)
            assert (one.alone, other.alone) == (False, False)
        ask(one)
        assert one.alone


def test_a_repeat_of_what_another_driver_trains_waits_for_it(
    tmp_path: Path, postgres: Postgres, fast_disk: None
) -> None:
    """Ranks above 8 train alike."""
    space = {"prompt.rank": {"int": [9, 12]}, "quant.bits": {"choices": [2, 4]}}
    spec = make(postgres, space=space, trials=2)
    folder = create(tmp_path, spec)
    with start(folder, spec) as one, start(folder, spec) as other:
        job = ask(one)
        found = [other.ask() for _ in range(4)]
        digests = {sketch(one.config).digest for one in found if one is not None}
        assert sketch(job.config).digest not in digests
        tell(one, job)
        for again in found:
            if again is not None:
                tell(other, again)
        run_local(other, each(train), Stop())
    check_sound(folder, spec)
    assert any(record.status is Status.DUPLICATE for record in folder.records())


def test_events_of_one_driver_reach_the_other(tmp_path: Path, postgres: Postgres, fast_disk: None) -> None:
    spec = make(postgres, trials=3)
    folder = create(tmp_path, spec)
    seen: list[int] = []
    with (
        start(folder, spec) as one,
        Broker(spec, folder, None, blueprint=sketch, on_event=lambda record: seen.append(record.number)) as other,
    ):
        tell(one, ask(one))
        assert seen == []
        other.release(ask(other), Status.INTERRUPTED)
        assert seen == [0]


def test_a_dead_drivers_trials_go_to_the_living_once(
    tmp_path: Path, postgres: Postgres, abroad: pytest.MonkeyPatch, fast_disk: None
) -> None:
    """The first driver falls silent: its thread renews no more, its process cannot be asked."""
    spec = make(postgres, lease=0.5, trials=3)
    folder = create(tmp_path, spec)
    silent = start(folder, spec)
    notes: list[str] = []
    silent.others.on_note = notes.append
    lost = ask(silent)
    silent._seat._drivers._ended.set()  # type: ignore[attr-defined]
    with start(folder, spec) as one, start(folder, spec) as other:
        again = _until_asked_again(one, lost.number)
        assert (again.number, again.params, again.seeds) == (lost.number, lost.params, lost.seeds)
        assert again.attempt == 1
        assert ask(other).number != lost.number
        assert silent.tell(lost, train(lost.config, lost.seeds)) is None  # too late
        assert folder.read(lost.number) is None
        assert notes == [f"trial {lost.number} has become another driver's; what this one makes of it is dropped"]
        assert tell(one, again).attempt == 1
        assert silent.tell(lost, train(lost.config, lost.seeds)) == folder.read(lost.number)
    silent.close()
    with start(folder, spec) as broker:
        run_local(broker, each(train), Stop())
    check_sound(folder, spec)


def _until_asked_again(broker: Broker, number: int) -> Job:
    for _ in range(2000):
        job = broker.ask()
        if job is not None and job.number == number:
            return job
        if job is not None:
            broker.release(job, Status.INTERRUPTED)
    raise AssertionError("the trial of the silent driver was never queued again")


def test_what_a_dead_driver_wrote_and_never_told_is_taken_in(
    tmp_path: Path, postgres: Postgres, abroad: pytest.MonkeyPatch, fast_disk: None
) -> None:
    spec = make(postgres, lease=0.3, trials=2)
    folder = create(tmp_path, spec)
    dead = start(folder, spec)
    job = ask(dead)
    record = replace(train(job.config, job.seeds).record, number=job.number, params=job.params)
    folder.write(train(job.config, job.seeds)._replace(record=record))
    dead._seat._drivers._ended.set()  # type: ignore[attr-defined]
    with start(folder, spec) as living:
        run_local(living, each(train), Stop())
        assert living.counted == 2
    check_sound(folder, spec)
    assert [record.attempt for record in folder.records()] == [0, 0]
    dead.close()


@pytest.mark.parametrize("at", ["ask", "tell"])
def test_a_turn_that_is_lost_half_way_is_taken_again(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, fast_disk: None, at: str
) -> None:
    """The connection that holds the turn breaks, and another driver takes a turn before anything is written."""
    spec = make(postgres, trials=5)
    folder = create(tmp_path, spec)
    with start(folder, spec) as one, start(folder, spec) as other:
        job = ask(one)
        flush, stolen = one._seat.flush, list[Any]()

        def robbed(*arguments: Any) -> None:
            if not stolen:
                _disconnect(one)
                stolen.append(ask(other))
            flush()

        home = one._seat.memory.log
        with monkeypatch.context() as patch:
            patch.setattr(home, "flush", robbed if at == "tell" else home.flush)
            if at == "tell":
                flush = type(home).flush.__get__(home)
                assert tell(one, job).number == job.number
            else:
                append = home._home.append

                def late(start_: int, lines: Any) -> None:
                    if not stolen:
                        _disconnect(one)
                        stolen.append(ask(other))
                    append(start_, lines)

                patch.setattr(home._home, "append", late)
                second = ask(one)
                assert second.number == 2
                tell(one, second)
        if at == "ask":
            tell(one, job)
        tell(other, stolen[0])
        run_local(one, each(train), Stop())
    check_sound(folder, spec)
    assert len(stolen) == 1


def _disconnect(broker: Broker) -> None:
    """Break every connection to the server but the one that does it."""
    execute(
        broker._seat._database,  # type: ignore[attr-defined]
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lorap-bench'"
        " AND pid <> pg_backend_pid()",
    )


def test_the_server_is_started_anew_while_a_study_runs(tmp_path: Path, postgres: Postgres, fast_disk: None) -> None:
    spec = make(postgres, trials=8)
    folder = create(tmp_path, spec)
    trained = []

    def train_and_restart(*arguments: Any, **named: Any) -> Any:
        trained.append(0)
        if len(trained) in {2, 5}:
            postgres.stop("fast" if len(trained) == 2 else "immediate")
            postgres.start()
        return train(*arguments, **named)

    with start(folder, spec) as broker:
        run_local(broker, each(train_and_restart), Stop())
    check_sound(folder, spec)
    assert [record.attempt for record in folder.records()] == [0] * len(folder.records())


def test_a_server_that_stays_away_ends_the_run_and_loses_nothing(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, fast_disk: None
) -> None:
    spec = make(postgres, trials=4)
    folder = create(tmp_path, spec)
    with monkeypatch.context() as patch:
        patch.setattr(database, "PATIENCE", 0.2)
        broker = start(folder, spec)
        tell(broker, ask(broker))
        job = ask(broker)
        postgres.stop()
        try:
            with pytest.raises(StoreError, match=r"bench:\*\*\*@127.0.0.1.*the database refuses"):
                tell(broker, job)
            with pytest.raises(StoreError):
                broker.close()
        finally:
            postgres.start()
    with start(folder, spec) as again:
        run_local(again, each(train), Stop())
    check_sound(folder, spec)


def test_a_wrong_address_is_told_at_once_and_without_the_password(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make(postgres)
    folder = create(tmp_path, spec)
    monkeypatch.setenv("BENCH_PASSWORD", "wr0ng")
    with pytest.raises(StoreError, match="password authentication failed") as told:
        start(folder, spec)
    assert "wr0ng" not in str(told.value)
    monkeypatch.delenv("BENCH_PASSWORD")
    with pytest.raises(ConfigError, match="the environment variable BENCH_PASSWORD is not set"):
        start(folder, spec)
    assert not folder.driven


def test_without_the_package_it_says_what_to_install(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make(postgres)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingResource, match=r"pip install 'lorap-bench\[postgres\]'"):
        start(create(tmp_path, spec), spec)


def test_repair_waits_for_drivers_and_mends_after_them(tmp_path: Path, postgres: Postgres, fast_disk: None) -> None:
    spec = make(postgres, trials=4)
    folder = create(tmp_path, spec)
    with start(folder, spec) as broker:
        tell(broker, ask(broker))
        with pytest.raises(Driven):
            folder.lock()
        with pytest.raises(Driven, match="others drive this study"):
            repair_storage(spec, folder)
        run_local(broker, each(train), Stop())
    assert repair_storage(spec, folder) == []
    records = story(folder)
    with_database = open_postgresql(address_of(spec.storage.url))
    execute(with_database, "DELETE FROM lorap_bench_log")
    with_database.close()
    with pytest.raises(StoreError, match="lorap-bench repair synthetic"):
        start(folder, spec)
    assert repair_storage(spec, folder) == [
        f"made the postgresql storage anew from {len(records)} records: it knew no record"
    ]
    grown = spec.model_copy(update={"budget": spec.budget.model_copy(update={"trials": 6})})
    with start(folder, grown) as broker:
        run_local(broker, each(train), Stop())
    check_sound(folder, grown)
    assert story(folder)[: len(records)] == records


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_two_processes_one_of_them_killed(tmp_path: Path, postgres: Postgres, seed: int) -> None:
    spec = make(postgres, trials=24, sampler="TPE", arguments={"n_startup_trials": 4})
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(spec.to_mapping()), encoding="utf-8")
    victim = _process(tmp_path, file, str(9 + 7 * seed), ("before", "after", "before")[seed])
    other = _process(tmp_path, file, "-1", "before")
    assert _ended(victim) == -signal.SIGKILL
    assert _ended(other) == 0
    assert _ended(_process(tmp_path, file, "-1", "before")) == 0
    folder = StudyFolder.open(tmp_path, spec.name)
    check_sound(folder, spec)
    assert {record.attempt for record in folder.records()} <= {0, 1}


@pytest.mark.slow
def test_processes_go_on_while_the_server_is_started_anew(tmp_path: Path, postgres: Postgres) -> None:
    spec = make(postgres, trials=40)
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(spec.to_mapping()), encoding="utf-8")
    running = [_process(tmp_path, file, "-1", "before") for _ in range(2)]
    trials = tmp_path / spec.name / "trials"
    while not trials.is_dir() or len(list(trials.glob("*.json"))) < 5:
        assert all(one.poll() is None for one in running)
    postgres.stop("immediate")
    postgres.start()
    assert [_ended(one) for one in running] == [0, 0]
    check_sound(StudyFolder.open(tmp_path, spec.name), spec)


def _process(runs: Path, file: Path, at: str, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "tests" / "search" / "driver.py"), str(runs), str(file), at, how, "0.05"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _ended(process: subprocess.Popen[str]) -> int:
    _, told = process.communicate(timeout=200)
    assert "Traceback" not in told, told
    return process.returncode
