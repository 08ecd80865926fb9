"""The project's chores: `nox -s quickstart` for users, `nox -s tests` for everyone, the rest for developers.

Dependencies stand in pyproject.toml, their versions in constraints.txt; nothing is repeated here.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
CONSTRAINTS = str(ROOT / "constraints.txt")
QUICKSTART = ROOT / "studies" / "quickstart.toml"

# One thread a process: on a shared machine two OpenMP threads are slower than one.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0", "PYTHONUNBUFFERED": "1"}

# glibc's malloc returns large blocks to the system at each turn by default, which slows whoever allocates most:
# all contestants of a benchmark keep theirs.
ALLOCATOR = {name: str(2**30) for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_")}

# What each static check runs; `tests` runs all of them, each also has a session of its own.
CHECKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "lint": (("ruff", "check", "."), ("ruff", "format", "--check", ".")),
    "types": (("mypy",),),
    "imports": (("lint-imports",),),
}

# A test process a core, at most four. A file stays in one process, with its fixtures; conftest.py orders the files.
# Arguments after `--` come later and win: `-n 0` is one process again.
PARALLEL = ("-n", "logical", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder")

# Packages whose branch coverage is a promise.
COVERED = ("study", "cost", "report", "search")
COVERAGE_FLOOR = 95

# Test sessions beside the default one: name → (arguments of pytest, environment).
SUITES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "property": (("-m", "property and not gpu", *PARALLEL), {"HYPOTHESIS_PROFILE": "many"}),
    "slow": (("-m", "slow and not gpu"), {}),
    "gpu": (("-m", "gpu"), {}),
}

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests"]
nox.options.reuse_existing_virtualenvs = True


def _install(session: nox.Session, *groups: str, extras: str = "") -> None:
    """Install the package with ``extras`` and the dependency ``groups``, at the pinned versions."""
    tools = [tool for group in groups for tool in nox.project.dependency_groups(PROJECT, group)]
    session.install("-c", CONSTRAINTS, "-e", f".[{extras}]" if extras else ".", *tools)


def _tools(session: nox.Session, group: str) -> None:
    """Install a dependency group alone, for checks that read the source only."""
    session.install("-c", CONSTRAINTS, *nox.project.dependency_groups(PROJECT, group))


def _study_name(path: Path) -> str:
    """Return the name a study file gives its study, which is also its folder's."""
    return str(tomllib.loads(path.read_text(encoding="utf-8"))["name"])


def _check(session: nox.Session, name: str) -> None:
    """Run the commands of one static check."""
    for command in CHECKS[name]:
        session.run(*command)


def _suite(session: nox.Session, name: str) -> None:
    """Run one of the further test suites."""
    arguments, environment = SUITES[name]
    _install(session, "test", extras="ray,postgres")
    # 5: no test was selected; a suite may be empty.
    session.run("pytest", *arguments, *session.posargs, env={**ENVIRONMENT, **environment}, success_codes=[0, 5])


@nox.session
def quickstart(session: nox.Session) -> None:
    """Install into an environment of its own, run the quickstart study and print where its report lies."""
    _install(session)
    runs = session.posargs[0] if session.posargs else "runs"
    session.run("lorap-bench", "run", str(QUICKSTART), "--runs", runs, env=ENVIRONMENT)
    session.log(f"report: {(Path(runs) / _study_name(QUICKSTART) / 'report' / 'index.html').resolve()}")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the whole default suite: lint, types, imports, then pytest. Arguments after `--` go to pytest alone."""
    _install(session, "dev", extras="ray,postgres")
    if not session.posargs:
        for name in CHECKS:
            _check(session, name)
    session.run("pytest", *PARALLEL, *session.posargs, env=ENVIRONMENT)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the default suite under branch coverage and hold the promised packages to their floor."""
    _install(session, "test", extras="ray,postgres")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *PARALLEL, *session.posargs, env=ENVIRONMENT)
    session.run("coverage", "combine")
    session.run("coverage", "report")
    for package in COVERED:
        floor = f"--fail-under={COVERAGE_FLOOR}"
        session.run("coverage", "report", f"--include=lorap_bench/{package}/*", floor)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff."""
    _tools(session, "lint")
    _check(session, "lint")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy --strict over the package, the tests and this file."""
    _install(session, "types")
    _check(session, "types")


@nox.session
def imports(session: nox.Session) -> None:
    """Check who may import whom; the source is read, not run."""
    _tools(session, "imports")
    _check(session, "imports")


@nox.session(name="property")
def properties(session: nox.Session) -> None:
    """Run the property tests with many examples."""
    _suite(session, "property")


@nox.session
def slow(session: nox.Session) -> None:
    """Run the tests that take longer than about ten seconds each."""
    _suite(session, "slow")


@nox.session
def gpu(session: nox.Session) -> None:
    """Run the tests that need a CUDA device."""
    _suite(session, "gpu")


@nox.session
def bench(session: nox.Session) -> None:
    """Run every benchmark of benchmarks/, which print a table and store JSON."""
    _install(session, extras="ray")
    for script in sorted((ROOT / "benchmarks").glob("bench_*.py")):
        session.run("python", "-m", f"benchmarks.{script.stem}", *session.posargs, env=ENVIRONMENT | ALLOCATOR)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into site/; a broken link is an error."""
    _tools(session, "docs")
    session.run("mkdocs", "build", "--strict", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def report(session: nox.Session) -> None:
    """Rebuild the report of a study: `nox -s report -- studies/x.toml`."""
    _install(session)
    session.run("lorap-bench", "report", *(session.posargs or [str(QUICKSTART)]), env=ENVIRONMENT)
