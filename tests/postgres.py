"""A PostgreSQL server of the tests' own: started, stopped and killed as they like."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import final

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
USER = "bench"
PASSWORD = "s3cret/word@1"  # with characters that an address gives a meaning


def binaries() -> Path | None:
    """Return the folder of the newest server that is installed; None if there is none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    places = [path for pattern in _PLACES for path in Path("/").glob(pattern[1:]) if (path / "initdb").exists()]
    return max(places, key=_version, default=None)


def why_not() -> str:
    """Return why no server can be started here; empty if one can."""
    if binaries() is None:
        return "no PostgreSQL server is installed"
    if os.geteuid() == 0 and _other_user() is None:
        return "PostgreSQL refuses to run as root, and there is no user called postgres or nobody"
    return ""


def _version(place: Path) -> list[int]:
    return [int(part) for part in place.parent.name.split(".") if part.isdigit()]


def _other_user() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


@final
class Postgres:
    """A server in a folder of its own, on a free port of this machine, without TLS and with passwords."""

    def __init__(self) -> None:
        place = binaries()
        assert place is not None
        self._binaries = place
        self._user = _other_user() if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="lorap-bench-postgres-"))
        self._give(self._folder)
        self._data = self._folder / "data"
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        self._give(secret)
        self._do("initdb", "-D", str(self._data), "-U", USER, "--pwfile", str(secret), "-A", "scram-sha-256", "-N")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(f"\nport = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")
        self.start()

    @property
    def url(self) -> str:
        """Return the address, with the password as an environment variable."""
        return f"postgresql+psycopg://{USER}:${{BENCH_PASSWORD}}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self._do("pg_ctl", "-D", str(self._data), "-l", str(self._folder / "log"), "-w", "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it; ``immediate`` leaves it to mend itself at the next start."""
        self._do("pg_ctl", "-D", str(self._data), "-m", how, "-w", "stop")

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder)

    def _give(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _do(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a pipe would stay open as long as the server
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
            user=None if self._user is None else self._user.pw_uid,
            group=None if self._user is None else self._user.pw_gid,
            extra_groups=None if self._user is None else [],
        )
        assert done.returncode == 0, f"{program} failed"
