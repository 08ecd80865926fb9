"""A study, the process that drives it, and what is done to that process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorap_bench.store.folder import StudyFolder
from tests.faults.account import Account, account, kept
from tests.faults.trainers import LOG_VARIABLE, begun
from tests.search.synthetic import make_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["PATIENCE_SECONDS", "Scene"]

ROOT = Path(__file__).resolve().parents[2]
TRAINERS = "tests.faults.trainers"
SPACE: dict[str, Any] = {
    "quant.bits": {"choices": [2, 4, 8]},
    "prompt.rank": {"int": [1, 8]},
    "optim.lr": {"float": [0.001, 0.1], "log": True},
}
PATIENCE_SECONDS = 240.0


class Scene:
    """One fault: a folder of its own, a study, and its driver.

    Args:
        root: an empty folder.
        trainer: a function of ``trainers``.
        ray: options of ``RayOptions``; None for the local executor.
        changes: sections of the study that differ from the usual ones.

    Attributes:
        plan: see ``driver.Plan``.
        environment: what the driver has besides this process's environment.
    """

    def __init__(self, root: Path, trainer: str = "sound", ray: dict[str, Any] | None = None, **changes: Any) -> None:
        self.log = root / "log"
        self.log.mkdir()
        usual: dict[str, Any] = {"trials": 24, "sampler": "TPE", "arguments": {"n_startup_trials": 6}}
        self.spec = make_spec(changes.pop("space", SPACE), **usual | changes)
        self.plan: dict[str, Any] = {
            "runs": str(root / "runs"),
            "spec": self.spec.to_mapping(),
            "trainer": f"{TRAINERS}:{trainer}",
            "ray": ray,
        }
        self.environment = {LOG_VARIABLE: str(self.log), "PYTHONPATH": str(ROOT)}
        self._file, self._output = root / "plan.json", root / "output.txt"
        self._before: dict[Path, bytes] = {}

    @property
    def folder(self) -> StudyFolder:
        """Return the study's folder."""
        return StudyFolder.open(Path(self.plan["runs"]), self.spec.name)

    @property
    def recorded(self) -> int:
        """Return how many trials have a record."""
        return len(list(Path(self.plan["runs"]).glob("*/trials/*.json")))

    def busy(self, workers: Collection[int]) -> bool:
        """Return whether one of these processes is in the middle of a trial."""
        done = {record.digest for record in self.folder.records()}
        last = {one["pid"]: one["digest"] for one in begun(self.log)}
        return any(last.get(pid, next(iter(done), "")) not in done for pid in workers)

    @property
    def output(self) -> str:
        """Return what the drivers printed."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def start(self) -> subprocess.Popen[bytes]:
        """Start a driver, in a process group of its own as a shell would."""
        self._file.write_text(json.dumps(self.plan), encoding="utf-8")
        command = [sys.executable, "-m", "tests.faults.driver", str(self._file)]
        environment = os.environ | self.environment
        with self._output.open("ab") as output:
            return subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def run(self) -> int:
        """Run a driver to its end and return its exit code."""
        with self.start() as process:
            return process.wait(PATIENCE_SECONDS)

    def until(self, condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        """Wait until something is so, as long as the driver lives."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert process.poll() is None, f"the driver ended with {process.returncode}: {self.output[-3000:]}"
            assert time.monotonic() < end, f"nothing happened: {self.output[-3000:]}"
            time.sleep(0.01)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a driver as the system's last resort does, and keep in mind which trials had finished."""
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.remember()

    def remember(self) -> None:
        """Keep in mind which trials have finished: none of them may change."""
        self._before |= kept(self.folder)

    def account(self, *, continued: bool) -> Account:
        """Take stock."""
        return account(self.folder, self.spec, before=self._before, log=self.log, continued=continued)

    def finish(self) -> Account:
        """Run the same command again to the study's end, and take stock."""
        code = self.run()
        assert "Traceback" not in self.output or code == 0, self.output[-3000:]
        return self.account(continued=code == 0)
