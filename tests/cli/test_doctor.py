from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.cli import doctor_machine, doctor_packages
from lorap_bench.cli.doctor_packages import package_findings
from lorap_bench.cli.doctor_study import study_findings
from lorap_bench.cli.finding import Level
from lorap_bench.record import Status
from lorap_bench.search.loop import Broker
from lorap_bench.store import filesystem
from lorap_bench.store.folder import StudyFolder
from tests.postgres import PASSWORD, Postgres, why_not
from tests.search.synthetic import make_spec, sketch, train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lorap_bench.study.spec import StudySpec

    Command = Callable[..., Any]

NFS = "/dev/sda / ext4 rw 0 0\nserver:/home {place} nfs4 rw 0 0\n"


def create(runs: Path, spec: StudySpec) -> StudyFolder:
    return StudyFolder.create(runs, spec.to_mapping(), spec.identity)


def about(spec: StudySpec, folder: StudyFolder | None, runs: Path) -> dict[str, tuple[Level, str]]:
    """Return the last finding of each kind."""
    return {one.about: (one.level, one.text) for one in study_findings(spec, folder, runs)}


def test_a_machine_is_looked_at(lorap_bench: Command, tmp_path: Path) -> None:
    ended = lorap_bench("doctor", "--runs", tmp_path / "not" / "there", "--json")
    assert ended.code == 0
    findings = {one["about"]: one for one in ended.json["findings"]}
    assert {"python", "packages", "device", "backend native", "memory", "disk", "raw data", "cache"} <= set(findings)
    assert {one["level"] for one in findings.values()} <= {"ok", "warning"}
    assert findings["backend reference"]["text"] == "works here"
    assert str(tmp_path) in findings["disk"]["text"]
    assert ended.json["counts"]["problem"] == 0


def test_a_problem_is_the_exit_code(lorap_bench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORAP_BENCH_RAW", str(tmp_path / "gone"))
    ended = lorap_bench("doctor", "--runs", tmp_path)
    assert ended.code == 1
    assert "problem" in ended.out
    assert "is no folder" in ended.out
    assert "1 problem" in ended.err


def test_packages_out_of_range_or_absent_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = dict.fromkeys(("torch", "torch-geometric", "optuna", "plotly", "moocore"), "99.0")
    monkeypatch.setattr(doctor_packages, "_installed", installed.get)
    monkeypatch.setattr(
        doctor_packages,
        "requires",
        lambda name: ["optuna<6,>=5", "numba>=0.6", "torch>=2", "moocore>=0.3; extra == 'images'"],
    )
    found = [(one.about, one.level, one.text) for one in package_findings()]
    assert ("packages", Level.PROBLEM, "optuna 99.0 is not <6,>=5") in found
    assert ("packages", Level.PROBLEM, "numba is not installed") in found
    assert ("extra images", Level.OK, "moocore 99.0") in found
    assert sum(level is Level.PROBLEM for _, level, _ in found) == 2


def test_an_old_extra_is_a_warning_and_an_absent_one_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_packages, "_installed", {"moocore": "0.1"}.get)
    monkeypatch.setattr(
        doctor_packages, "requires", lambda name: ["moocore>=0.3; extra == 'images'", "ray>=2; extra == 'ray'"]
    )
    found = {one.about: one for one in package_findings()}
    assert (found["extra images"].level, found["extra images"].text) == (Level.WARNING, "moocore 0.1 is not >=0.3")
    assert found["extra ray"].text == "not installed; python -m pip install 'lorap-bench[ray]'"


@pytest.mark.parametrize(
    ("told", "cpus", "level"),
    [("1", 8, Level.OK), (None, 1, Level.OK), (None, 8, Level.WARNING), ("4", 8, Level.WARNING)],
)
def test_threads(monkeypatch: pytest.MonkeyPatch, told: str | None, cpus: int, level: Level) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    if told is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", told)
    monkeypatch.setattr("os.cpu_count", lambda: cpus)
    assert doctor_machine._threads().level is level


@pytest.mark.parametrize(("free", "level"), [(10**11, Level.OK), (10**9, Level.WARNING), (10**7, Level.PROBLEM)])
def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda place: type("Usage", (), {"free": free}))
    assert doctor_machine._disk(tmp_path).level is level


@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_a_study_from_before_its_first_run_to_its_repair(tmp_path: Path, kind: str) -> None:
    spec = make_spec(trials=3, storage={"kind": kind})
    assert about(spec, None, tmp_path)["study"] == (Level.OK, "synthetic has not run yet")
    folder = create(tmp_path, spec)
    assert about(spec, folder, tmp_path)["storage"] == (Level.OK, f"the {kind} storage is made by the first run")
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        job = broker.ask()
        assert job is not None
        found = about(spec, folder, tmp_path)
        assert found["drivers"] == (Level.OK, "one is at work")
        assert found["trials"] == (Level.OK, "1 running")
        broker.tell(job, train(job.config, job.seeds))
    found = about(spec, folder, tmp_path)
    assert found["storage"] == (Level.OK, f"{kind}, fits the records")
    assert found["records"] == (Level.OK, "1 record")
    (folder.root / "trials" / "000000.json").unlink()
    level, text = about(spec, folder, tmp_path)["storage"]
    assert level is Level.PROBLEM
    assert (
        text
        == "trials that the storage knows to be finished, without a record: 0; `lorap-bench repair synthetic` mends it"
    )


def test_a_trial_left_running_and_a_storage_that_is_gone(tmp_path: Path) -> None:
    spec = make_spec(trials=3)
    folder = create(tmp_path, spec)
    broker = Broker(spec, folder, None, blueprint=sketch)
    job = broker.ask()
    assert job is not None
    broker._seat.close()  # as a killed process leaves it
    level, text = about(spec, folder, tmp_path)["trials"]
    assert (level, text) == (Level.WARNING, "running without a driver: 0; the next run starts them again")
    with Broker(spec, folder, None, blueprint=sketch) as again:
        job = again.ask()
        assert job is not None
        again.tell(job, train(job.config, job.seeds))
    folder.journal.unlink()
    level, text = about(spec, folder, tmp_path)["storage"]
    assert level is Level.PROBLEM
    assert text.startswith("there is no journal storage, and there are records")


def test_damage_is_a_problem(tmp_path: Path) -> None:
    spec = make_spec(trials=1, storage={"kind": "sqlite"})
    folder = create(tmp_path, spec)
    (folder.root / "storage.sqlite").write_text("no database at all, but long enough to look at")
    level, text = about(spec, folder, tmp_path)["storage"]
    assert level is Level.PROBLEM
    assert "damaged" in text
    (folder.root / "trials" / "000000.json").write_text("{")
    assert about(spec, folder, tmp_path)["records"][0] is Level.PROBLEM


@pytest.mark.parametrize(
    ("kind", "level"), [("journal", Level.PROBLEM), ("sqlite", Level.PROBLEM), ("postgresql", Level.OK)]
)
def test_a_file_storage_on_a_network_file_system_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, level: Level
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(NFS.format(place=tmp_path))
    monkeypatch.setattr(filesystem, "_MOUNTS", mounts)
    storage = {"kind": kind, "url": "${NOT_SET}"} if kind == "postgresql" else {"kind": kind}
    found = about(make_spec(storage=storage), None, tmp_path / "runs")
    assert found["file system"][0] is level
    assert "nfs4" in found["file system"][1]
    if kind == "postgresql":
        assert found["storage"][0] is Level.PROBLEM
        assert "NOT_SET is not set" in found["storage"][1]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'lorap-bench[postgres]'")
    if why_not():
        pytest.skip(why_not())
    found = Postgres()
    yield found
    found.remove()


def test_the_drivers_on_postgresql_are_told(tmp_path: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD)
    spec = make_spec(trials=3, storage={"kind": "postgresql", "url": server.url})
    found = about(spec, None, tmp_path)
    assert found["storage"][0] is Level.OK
    assert PASSWORD not in found["storage"][1]
    folder = create(tmp_path, spec)
    assert about(spec, folder, tmp_path)["drivers"] == (Level.OK, "none is at work")
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        job = broker.ask()
        assert job is not None
        level, text = about(spec, folder, tmp_path)["drivers"]
        assert level is Level.OK
        assert "is at work; its lease holds" in text
        assert about(spec, folder, tmp_path)["trials"] == (Level.OK, "1 running")
        broker.release(job, Status.INTERRUPTED)
    assert about(spec, folder, tmp_path)["drivers"] == (Level.OK, "none is at work")


def test_the_verb_looks_at_a_study(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    ended = lorap_bench("doctor", tiny, "--runs", runs, "--json")
    assert {"about": "study", "level": "ok", "text": "tiny has not run yet"} in ended.json["findings"]
    assert not runs.exists()
    assert "torch" in sys.modules
