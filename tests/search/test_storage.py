from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import ConfigError, StoreError
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.search.address import address_of, told
from lorap_bench.search.log import Damaged, Log, Memory, Overtaken
from lorap_bench.search.loop import Broker
from lorap_bench.search.repair import rebuild, repair_storage
from lorap_bench.search.running import count_running
from lorap_bench.search.storage import open_storage, read_storage, refuse_network_disk, sqlite_file
from lorap_bench.store import filesystem
from lorap_bench.study.sections import StorageSpec
from tests.search.synthetic import each, make_spec, sketch, story, train
from tests.search.test_crash import check_sound, create

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

KINDS = ["journal", "sqlite"]


class Lines:
    """Lines in memory, which others may add to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.writes = 0

    def read(self, start: int) -> list[str]:
        return self.lines[start:]

    def append(self, start: int, lines: Sequence[str]) -> None:
        if start != len(self.lines):
            raise Overtaken("another wrote", where="here")
        self.writes += 1
        self.lines += lines

    def close(self) -> None:
        pass


def finish(folder: StudyFolder, spec: StudySpec) -> None:
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        run_local(broker, each(train), Stop())


def grown(spec: StudySpec, trials: int) -> StudySpec:
    return spec.model_copy(update={"budget": spec.budget.model_copy(update={"trials": trials})})


def test_what_is_added_in_a_block_is_written_together_and_seen_at_once() -> None:
    home = Lines()
    memory = Memory(Log(home))
    study = memory.create_new_study([], "one")
    assert home.writes == 1
    with memory.log.held():
        trial = memory.create_new_trial(study)
        memory.set_trial_user_attr(trial, "key", 0)
        assert memory.get_trial(trial).user_attrs == {"key": 0}
        assert home.writes == 1
        memory.log.flush()
        memory.set_trial_user_attr(trial, "pack", 0)
        assert home.writes == 2
    assert home.writes == 3
    assert Memory(Log(home)).get_trial(trial).user_attrs == {"key": 0, "pack": 0}


def test_a_block_that_fails_is_written_and_one_that_is_stopped_is_not() -> None:
    home = Lines()
    memory = Memory(Log(home))

    def fail(deed: Callable[[], object], error: BaseException) -> None:
        with memory.log.held():
            deed()
            raise error

    with pytest.raises(ValueError, match="why"):
        fail(lambda: memory.create_new_study([], "one"), ValueError("why"))
    assert len(home.lines) == 1
    with pytest.raises(KeyboardInterrupt):
        fail(lambda: memory.create_new_trial(0), KeyboardInterrupt())
    assert len(home.lines) == 1
    memory.log.flush()  # whoever cleans up writes it
    assert len(home.lines) == 2


def test_who_is_overtaken_forgets_what_was_not_written() -> None:
    home = Lines()
    one, other = Memory(Log(home)), Memory(Log(home))
    study = one.create_new_study([], "one")
    assert other.log.fetch() == 1
    kept = one.create_new_trial(study)

    def be_overtaken() -> None:
        with one.log.held():
            one.set_trial_user_attr(kept, "mine", 1)
            assert other.log.fetch() == 1
            assert other.create_new_trial(study) == kept + 1

    with pytest.raises(Overtaken):
        be_overtaken()
    assert one.get_trial(kept).user_attrs == {"mine": 1}
    one.restart()
    assert one.get_trial(kept).user_attrs == {}
    assert len(one.get_all_trials(study)) == 2
    assert one.create_new_trial(study) == kept + 2


def test_a_reader_follows_a_writer() -> None:
    home = Lines()
    writer, reader = Memory(Log(home)), Memory(Log(home, follows=True))
    study = writer.create_new_study([], "one")
    for count in range(3):
        assert len(reader.get_all_trials(study)) == count
        writer.create_new_trial(study)


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_remember_the_same(tmp_path: Path, fast_disk: None, kind: str) -> None:
    arguments: dict[str, Any] = {"trials": 10, "sampler": "NSGAII", "arguments": {"population_size": 4}}
    spec, plain = make_spec(**arguments, storage={"kind": kind}), make_spec(**arguments)
    folder = create(tmp_path / "one", spec)
    finish(folder, spec)
    finish(create(tmp_path / "plain", plain), plain)
    assert story(folder) == story(create(tmp_path / "plain", plain))
    assert spec.identity == plain.identity
    check_sound(folder, spec)
    assert folder.journal.exists() == (kind == "journal")


def test_running_trials_are_counted_in_sqlite(tmp_path: Path, fast_disk: None) -> None:
    spec = make_spec(storage={"kind": "sqlite"})
    folder = create(tmp_path, spec)
    assert count_running(folder) == 0
    assert read_storage(spec.storage, folder) is None
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        assert count_running(folder) == 0
        assert broker.ask() is not None
        assert count_running(folder) == 1
    assert count_running(folder) == 0


def test_sqlite_is_written_ahead_and_synced(tmp_path: Path) -> None:
    spec = make_spec(storage={"kind": "sqlite"})
    folder = create(tmp_path, spec)
    with closing(open_storage(spec.storage, folder)) as memory:
        memory.create_new_study([], "study")
        modes = [row[0] for row in memory.log._home._database.do(_pragmas)]  # type: ignore[attr-defined]
    assert modes == ["wal", 2]


def _pragmas(connection: Any) -> list[Any]:
    from sqlalchemy import text

    return [connection.execute(text(f"PRAGMA {name}")).one() for name in ("journal_mode", "synchronous")]


@pytest.mark.parametrize("damage", ["no database, though long enough to be one, is what this is", "{}"])
def test_a_damaged_sqlite_file_is_told_and_left_alone(tmp_path: Path, damage: str) -> None:
    spec = make_spec(storage={"kind": "sqlite"})
    folder = create(tmp_path, spec)
    path = sqlite_file(folder)
    if damage == "{}":
        with closing(open_storage(spec.storage, folder)) as memory:
            memory.create_new_study([], "study")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE lorap_bench_log SET line = '{}'")
            connection.commit()
    else:
        path.write_text(damage * 100)
    with pytest.raises(Damaged, match=r"storage\.sqlite: damaged"):
        Broker(spec, folder, None, blueprint=sketch)
    assert path.exists()
    assert not folder.driven


def test_a_sqlite_file_that_cannot_be_opened_is_no_damage(tmp_path: Path) -> None:
    spec = make_spec(storage={"kind": "sqlite"})
    folder = create(tmp_path, spec)
    sqlite_file(folder).mkdir()
    with pytest.raises(StoreError, match="unable to open database file") as error:
        repair_storage(spec, folder)
    assert not isinstance(error.value, Damaged)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_repaired_where_nothing_is_broken(tmp_path: Path, fast_disk: None, kind: str) -> None:
    spec = make_spec(trials=4, storage={"kind": kind})
    folder = create(tmp_path, spec)
    assert repair_storage(spec, folder) == []
    finish(folder, spec)
    before = story(folder)
    assert repair_storage(spec, folder) == []
    assert story(folder) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sampler", ["TPE", "NSGAII"])
def test_a_storage_that_is_gone_is_made_anew(tmp_path: Path, fast_disk: None, kind: str, sampler: str) -> None:
    spec = make_spec(trials=6, sampler=sampler, constraints={"average_bits": "<= 8"}, storage={"kind": kind})
    folder = create(tmp_path, spec)
    finish(folder, spec)
    before = story(folder)
    for path in folder.root.glob("journal.log" if kind == "journal" else "storage.sqlite*"):
        path.unlink()
    with pytest.raises(StoreError, match=f"records of trials the {kind} never had"):
        Broker(spec, folder, None, blueprint=sketch)
    (deed,) = [one for one in repair_storage(spec, folder) if one.startswith("made")]
    assert f"made the {kind} storage anew from {len(before)} records" in deed
    longer = grown(spec, 9)
    finish(folder, longer)
    assert story(folder)[: len(before)] == before
    check_sound(folder, longer)


@pytest.mark.parametrize(("old", "new"), [("journal", "sqlite"), ("sqlite", "journal")])
def test_another_kind_of_storage_is_made_from_the_records(tmp_path: Path, fast_disk: None, old: str, new: str) -> None:
    spec = make_spec(trials=5, storage={"kind": old})
    finish(create(tmp_path, spec), spec)
    changed = grown(make_spec(trials=5, storage={"kind": new}), 7)
    folder = create(tmp_path, changed)
    with pytest.raises(StoreError, match="lorap-bench repair synthetic"):
        Broker(changed, folder, None, blueprint=sketch)
    assert len(repair_storage(changed, folder)) == 2
    finish(folder, changed)
    check_sound(folder, changed)


def test_the_rebuilt_storage_proposes_what_the_old_one_would(tmp_path: Path, fast_disk: None) -> None:
    """TPE looks at points, figures and constraints only: all of them come back."""
    arguments = {"n_startup_trials": 3}
    constraints = {"average_bits": "<= 8"}
    spec = make_spec(trials=8, sampler="TPE", arguments=arguments, constraints=constraints)
    finish(create(tmp_path / "one", spec), spec)
    finish(create(tmp_path / "other", spec), spec)
    longer = grown(spec, 12)
    finish(create(tmp_path / "one", spec), longer)
    folder = create(tmp_path / "other", spec)
    rebuild(longer, folder)
    finish(folder, longer)
    assert story(folder) == story(create(tmp_path / "one", spec))


def test_half_a_line_is_cut_and_running_trials_are_freed(tmp_path: Path, fast_disk: None) -> None:
    spec = make_spec(trials=4)
    folder = create(tmp_path, spec)
    broker = Broker(spec, folder, None, blueprint=sketch)
    jobs = [broker.ask(), broker.ask()]
    assert jobs[0] is not None
    outcome = train(jobs[0].config, jobs[0].seeds)
    broker._folder.write(outcome._replace(record=_numbered(outcome.record, jobs[0])))
    broker._seat.close()  # as a killed process leaves it
    with folder.journal.open("ab") as file:
        file.write(b'{"op_code": 4, "wor')
    assert repair_storage(spec, folder) == [
        "cut half a line (19 bytes) off the end of journal.log",
        "took in the record of trial 0",
        "queued trial 1 again",
    ]
    assert repair_storage(spec, folder) == []
    finish(folder, spec)
    check_sound(folder, spec)


def _numbered(record: Any, job: Any) -> Any:
    from dataclasses import replace

    return replace(record, number=job.number, params=job.params)


def test_a_damaged_journal_is_set_aside(tmp_path: Path, fast_disk: None) -> None:
    spec = make_spec(trials=3)
    folder = create(tmp_path, spec)
    finish(folder, spec)
    lines = folder.journal.read_text().splitlines(keepends=True)
    folder.journal.write_text("".join([*lines[:3], "garbage\n", *lines[3:]]))
    deeds = repair_storage(spec, folder)
    assert deeds[0] == "set aside journal.log: damaged"
    assert "garbage" in (folder.damaged / "journal.log").read_text()
    longer = grown(spec, 5)
    finish(folder, longer)
    check_sound(folder, longer)
    folder.journal.write_text("garbage\n")
    repair_storage(longer, folder)
    assert (folder.damaged / "journal.log.again").read_text() == "garbage\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_whose_record_is_gone_runs_again(tmp_path: Path, fast_disk: None, kind: str) -> None:
    spec = make_spec(trials=5, storage={"kind": kind})
    folder = create(tmp_path, spec)
    finish(folder, spec)
    before = story(folder)
    (folder.root / "trials" / "000002.json").unlink()
    assert any("records are gone: 2" in deed for deed in repair_storage(spec, folder))
    finish(folder, spec)
    assert story(folder) == before  # Random draws a point by its number alone
    check_sound(folder, spec)


def test_an_address_takes_its_secrets_from_the_environment() -> None:
    environment = {"PW": "s3cret/w@rd:1", "HOST": "db.example", "URL": "postgresql://me:pw@host/base"}
    url = address_of("postgresql+psycopg://me:${PW}@${HOST}:5433/base?sslmode=require", environment)
    assert (url.password, url.host, url.port) == ("s3cret/w@rd:1", "db.example", 5433)
    assert told(url) == "postgresql+psycopg://me:***@db.example:5433/base?sslmode=require"
    assert address_of("${URL}", environment).drivername == "postgresql+psycopg"
    with pytest.raises(ConfigError, match="the environment variable NONE is not set"):
        address_of("postgresql+psycopg://me:${NONE}@host/base", environment)
    for wrong in ("mysql://me:hidden@host/base", "hidden"):
        with pytest.raises(ConfigError) as error:
            address_of("${URL}", {"URL": wrong})
        assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    ("kind", "one_driver", "refused"),
    [
        ("journal", False, True),
        ("journal", True, False),
        ("sqlite", False, True),
        ("sqlite", True, True),
        ("postgresql", False, False),
    ],
)
def test_files_on_a_network_file_system_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, one_driver: bool, refused: bool
) -> None:
    storage = StorageSpec.model_validate({"kind": kind, "url": "${URL}" if kind == "postgresql" else ""})
    refuse_network_disk(storage, tmp_path, one_driver=one_driver)
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/home {tmp_path} lustre rw 0 0\n")
    monkeypatch.setattr(filesystem, "_MOUNTS", mounts)
    if refused:
        with pytest.raises(StoreError, match=f"the {kind} storage lies on a network file system .lustre"):
            refuse_network_disk(storage, tmp_path / "runs" / "study", one_driver=one_driver)
    else:
        refuse_network_disk(storage, tmp_path / "runs" / "study", one_driver=one_driver)
