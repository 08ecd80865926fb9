"""A driver in a process of its own, that kills itself at a chosen write: ``driver.py RUNS SPEC.json AT HOW``.

HOW is ``before``, ``after`` or ``half`` (half the bytes of a journal line); AT < 0 never kills.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import lorap_bench.search.journal as journal_module
import lorap_bench.store.folder as folder_module
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.search.loop import Broker
from lorap_bench.store import atomic
from lorap_bench.store.folder import StudyFolder
from lorap_bench.study.spec import StudySpec
from tests.search.synthetic import each, sketch, train


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(at: int, how: str) -> None:
    """Count every write to the folder and the journal; die at the chosen one."""
    counter = itertools.count()
    write_all, write_json = journal_module._write_all, atomic.write_json

    def journal(descriptor: int, data: bytes) -> None:
        hit = next(counter) == at
        if hit and how == "half":
            os.write(descriptor, data[: len(data) // 2])
        if hit and how != "after":
            die()
        write_all(descriptor, data)
        if hit:
            die()

    def record(path: Path, value: Any) -> None:
        hit = next(counter) == at
        if hit and how != "after":
            die()
        write_json(path, value)
        if hit:
            die()

    vars(journal_module)["_write_all"] = journal
    vars(folder_module)["write_json"] = record


def main(runs: str, spec_file: str, at: str, how: str) -> None:
    spec = StudySpec.from_mapping(json.loads(Path(spec_file).read_text(encoding="utf-8")))
    arm(int(at), how)
    folder = StudyFolder.create(Path(runs), spec.to_mapping(), spec.identity)
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        run_local(broker, each(train), Stop())


if __name__ == "__main__":
    main(*sys.argv[1:])
