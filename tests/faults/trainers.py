"""Trainers with faults, by name. ``FAULTS_LOG`` names the folder where they note what they begin: their memory."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import torch

from lorap_bench.record import Outcome
from tests.search.synthetic import Sketch, train

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.train.watch import Watch

    Requests = Sequence[tuple[TrialConfig, Sequence[int]]]

LOG_VARIABLE, NAP_VARIABLE = "FAULTS_LOG", "FAULTS_NAP"
NAP = 0.1
"""Seconds that a made-up trial takes, far more than the resolution of a file's time."""


def sound(requests: Requests, *, watch: Watch, split: str = "val") -> Iterator[dict[int, Outcome]]:
    """Train in ``FAULTS_NAP`` seconds a trial."""
    for position, (config, seeds) in enumerate(requests):
        note(config)
        time.sleep(float(os.environ.get(NAP_VARIABLE, NAP)))
        if watch.on_epoch is not None:
            watch.on_epoch(0)
        yield {position: train(config, seeds)}


def kills_worker(requests: Requests, *, watch: Watch, split: str = "val") -> Iterator[dict[int, Outcome]]:
    """Kill the worker over the first trial of 2 bits, and of 4, and of 8."""
    for config, _ in requests:
        if once(f"killed-{config.quant.bits}"):
            os.kill(os.getpid(), signal.SIGKILL)
    yield from sound(requests, watch=watch)


def hangs(requests: Requests, *, watch: Watch, split: str = "val") -> Iterator[dict[int, Outcome]]:
    """Hang over the first trial of 2 bits that is met, each time, in C code that holds the interpreter's lock."""
    for config, _ in requests:
        if _is_first_of_two_bits(config):
            ctypes.PyDLL(None).sleep(100_000)
    yield from sound(requests, watch=watch)


def eats(requests: Requests, *, watch: Watch, split: str = "val") -> Iterator[dict[int, Outcome]]:
    """Take a quarter of the machine's memory bit by bit over the first trial of 2 bits that is met, each time."""
    block = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 80
    for config, _ in requests:
        if _is_first_of_two_bits(config):
            taken: list[torch.Tensor] = []
            while len(taken) < 20:
                taken.append(torch.ones(block, dtype=torch.uint8))
                time.sleep(0.3)  # the system is asked for its free memory a few times a second
    yield from sound(requests, watch=watch)


def shows(requests: Requests, *, watch: Watch, split: str = "val") -> Iterator[dict[int, Outcome]]:
    """Write down what this worker was given."""
    given = {
        "visible": os.environ.get("CUDA_VISIBLE_DEVICES", "unset"),
        "sharers": os.environ["LORAP_BENCH_SHARERS"],
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }
    _log(f"worker-{os.getpid()}.json").write_text(json.dumps(given), encoding="utf-8")
    yield from sound(requests, watch=watch)


def real(requests: Requests, *, watch: Watch, split: str = "val") -> Iterator[dict[int, Outcome]]:
    """Train for real."""
    from lorap_bench.train.trial import run_groups

    yield from run_groups(requests, watch=watch)


def sick(requests: Requests, *, watch: Watch, split: str = "val") -> Iterator[dict[int, Outcome]]:
    """Train for real, with a fault for each width but 8: inside the training, for 5 and 6 bits in its result."""
    from lorap_bench.train.trial import run_groups

    inside: Any = import_module("lorap_bench.train.together")
    fit = inside.fit

    def ailing(task: Any, members: Any, **arguments: Any) -> Any:
        match members[0].config.quant.bits:
            case 2:
                raise ZeroDivisionError("an error that nobody foresaw")
            case 3:
                raise torch.OutOfMemoryError("CUDA out of memory")
            case 4:
                while True:
                    time.sleep(1)
        return fit(task, members, **arguments)

    with patch.object(inside, "fit", ailing):
        for ended in run_groups(requests, watch=watch):
            yield {position: _spoiled(requests[position][0], outcome) for position, outcome in ended.items()}


def note(config: TrialConfig) -> None:
    """Note that a trial begins, in one write: several processes do."""
    line = json.dumps({"digest": Sketch(config).digest, "time": time.time_ns(), "pid": os.getpid()}) + "\n"
    with _log("begun.jsonl").open("a", encoding="utf-8") as file:
        file.write(line)


def begun(log: Path) -> list[dict[str, Any]]:
    """Return what was noted; the last line of a process that was killed may be cut."""
    file = log / "begun.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def once(event: str) -> bool:
    """Return whether this is the first time that ``event`` happens, over all processes."""
    try:
        _log(event).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _is_first_of_two_bits(config: TrialConfig) -> bool:
    name = f"first-{Sketch(config).digest}"
    first = next(_log("").glob("first-*"), None)
    if config.quant.bits != 2 or (first is not None and first.name != name):
        return False
    _log(name).touch()
    return True


def _log(name: str) -> Path:
    return Path(os.environ[LOG_VARIABLE]) / name


def _spoiled(config: TrialConfig, outcome: Outcome) -> Outcome:
    worst = {5: float("nan"), 6: float("inf")}.get(config.quant.bits)
    if worst is None:
        return outcome
    record = outcome.record
    return Outcome(replace(record, objectives=record.objectives | {"accuracy": worst}), outcome.curves)
