"""A driver in a process of its own, that kills itself at a chosen write: ``driver.py RUNS SPEC.json AT HOW PAUSE``.

HOW is ``before``, ``after`` or ``half`` (half the bytes of a write to the journal); AT < 0 never kills. Each trial
takes PAUSE seconds.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lorap_bench.search.journal as journal_module
import lorap_bench.store.folder as folder_module
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.search.loop import Broker
from lorap_bench.search.table import Rows
from lorap_bench.store import atomic
from lorap_bench.store.folder import StudyFolder
from lorap_bench.study.spec import StudySpec
from tests.search.synthetic import each, sketch, train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lorap_bench.record import Outcome


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(at: int, how: str) -> None:
    """Count every write to the folder and to the log; die at the chosen one."""
    counter = itertools.count()
    write_all, write_json, append = journal_module._write_all, atomic.write_json, Rows.append

    @contextmanager
    def guarded(half: Callable[[], object] = int) -> Iterator[None]:
        hit = next(counter) == at
        if hit and how == "half":
            half()
        if hit and how != "after":
            die()
        yield
        if hit:
            die()

    def journal(descriptor: int, data: bytes) -> None:
        with guarded(lambda: os.write(descriptor, data[: len(data) // 2])):
            write_all(descriptor, data)

    def record(path: Path, value: Any) -> None:
        with guarded():
            write_json(path, value)

    def rows(self: Rows, start: int, lines: Sequence[str]) -> None:
        with guarded():
            append(self, start, lines)

    vars(journal_module)["_write_all"] = journal
    vars(folder_module)["write_json"] = record
    setattr(Rows, "append", rows)  # noqa: B010  # a method, changed knowingly


def main(runs: str, spec_file: str, at: str, how: str, pause: str = "0") -> None:
    def train_slowly(*arguments: Any, **named: Any) -> Outcome:
        time.sleep(float(pause))
        return train(*arguments, **named)

    spec = StudySpec.from_mapping(json.loads(Path(spec_file).read_text(encoding="utf-8")))
    arm(int(at), how)
    folder = StudyFolder.create(Path(runs), spec.to_mapping(), spec.identity)
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        run_local(broker, each(train_slowly), Stop())


if __name__ == "__main__":
    main(*sys.argv[1:])
