"""How good samplers are: hypervolume after 50, 100 and 200 trials on a table of trained configurations.

*Optuna's* samplers run as people run them: ask, train, tell, and a point that is proposed again is trained again. The
others run under our broker, in a temporary folder, with a trainer that looks results up; it answers a repeat without
training, so its trials are all different. A repetition is a study seed; all contestants share the seeds.

Each study leaves a small file, so the command goes on where it stopped. ``--part I/N`` takes every N-th repetition, so
that several processes share the work; the report is written by the one that finds all files there.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna

from benchmarks.environment import start_again_with_settings
from benchmarks.search.replay import Shelf, run, run_thin
from benchmarks.search.results import REPORTS, table, write
from benchmarks.search.table import Table
from lorap_bench.cli.wiring import catalog
from lorap_bench.metric import Metric
from lorap_bench.stats.front import box_hypervolume_history
from lorap_bench.store.atomic import read_json, write_json
from lorap_bench.study.file import load_study
from lorap_bench.study.spec import StudySpec, objectives_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from optuna.samplers import BaseSampler

OBJECTIVES = objectives_of(Metric.ACCURACY)

__all__ = ["Shelf", "study"]

HERE = Path(__file__).parent
AT = (50, 100, 200)
TARGET = 120
"""Trials in which our default should reach what plain TPE reaches in 200."""
PLAIN = "Optuna TPE"
LEARNED = "EHVI, costs learned"
RUNS = REPORTS / "quality"

OPTUNAS: dict[str, Callable[[int], BaseSampler]] = {
    "Optuna random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "Optuna NSGA-II": lambda seed: optuna.samplers.NSGAIISampler(seed=seed),
    PLAIN: lambda seed: optuna.samplers.TPESampler(seed=seed),
}
"""Contestants without our broker."""
OURS: dict[str, dict[str, Any]] = {
    "Random": {"sampler": "Random"},
    "NSGAII": {"sampler": "NSGAII"},
    "EHVI": {"sampler": "EHVI"},
    "EHVI, warm": {"sampler": "EHVI", "warm_start": True},
    "EHVI, 60 kept": {"sampler": "EHVI", "arguments": {"history_cap": 60}},
    "TPE": {"sampler": "TPE"},
}
"""Contestants under our broker."""
THIN: dict[str, dict[str, Any]] = {
    "TPE, 60 kept": {"sampler": "TPE", "arguments": {"history_cap": 60}},
    "TPE, warm": {"sampler": "TPE", "warm_start": True},
    LEARNED: {"sampler": "EHVI"},
}
"""Samplers of ours that train repeats again, as Optuna's do: what sets them apart from plain TPE is one thing."""
CONTESTANTS = (*OPTUNAS, *THIN, *OURS)
SLOW = ("TPE",)
"""Run only by name: TPE proposes a point of this table again and again, thousands of times a study."""


def perform(name: str, seed: int, trials: int, shelf: Shelf) -> list[float]:
    """Run a contestant's study; return the hypervolume after each trial."""
    if name in OPTUNAS:
        return run_thin(study({}, seed, trials), shelf, OPTUNAS[name](seed))
    if name in THIN:
        return run_thin(study(THIN[name], seed, trials), shelf, None, None if name == LEARNED else shelf.plan)
    return run(study(OURS[name], seed, trials), shelf)


def study(search: dict[str, Any], seed: int, trials: int) -> StudySpec:
    """Return the table's study with another sampler, seed and budget."""
    mapping = dict(_mapping())
    mapping |= {"search": {"together": 1, **search}, "seed": seed, "budget": {"trials": trials}}
    return StudySpec.from_mapping(mapping)


def summary(name: str, histories: list[list[float]], goal: float | None) -> dict[str, Any]:
    """Return a contestant's row: medians, and the bands in which eight of ten repetitions lie."""
    row: dict[str, Any] = {"sampler": name}
    for at in AT:
        reached = [history[at - 1] for history in histories if len(history) >= at]
        if reached:
            low, middle, high = np.quantile(reached, [0.1, 0.5, 0.9])
            row[f"after {at}"] = f"{middle:.4f} ({low:.4f} to {high:.4f})"
    if goal is not None:
        needed = [next((n for n, value in enumerate(one, 1) if value >= goal), None) for one in histories]
        row["trials to Optuna TPE's 200"] = _median_needed(needed)
    return row


def main() -> None:
    """Run the contestants and write the report."""
    start_again_with_settings("benchmarks.search.quality")
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repetitions", type=int, default=20)
    options.add_argument("--trials", type=int, default=max(AT))
    options.add_argument("--raw", type=Path, help="a folder of recorded files, instead of the packed table")
    options.add_argument(
        "--only",
        nargs="*",
        default=[one for one in CONTESTANTS if one not in SLOW],
        choices=CONTESTANTS,
        metavar="NAME",
    )
    options.add_argument("--part", default="0/1")
    options.add_argument("--runs", type=Path, default=RUNS, help="where each study leaves its file")
    given = options.parse_args()
    vars(os)["fsync"] = _no_sync  # a temporary folder need not survive a power cut
    found = Table.raw(given.raw) if given.raw else Table.packed()
    part, parts = (int(number) for number in given.part.split("/"))
    shelf = Shelf(found, study({}, 0, 1))
    for seed in range(part, given.repetitions, parts):
        for name in given.only:
            path = _place(given.runs, name, seed)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_json(path, perform(name, seed, given.trials, shelf))
    places = {name: [_place(given.runs, name, seed) for seed in range(given.repetitions)] for name in given.only}
    if all(path.exists() for paths in places.values() for path in paths):
        finish({name: [read_json(path) for path in paths] for name, paths in places.items()}, found)


def finish(histories: dict[str, list[list[float]]], found: Table) -> None:
    """Write the report."""
    plain = [history[max(AT) - 1] for history in histories.get(PLAIN, []) if len(history) >= max(AT)]
    goal = statistics.median(plain) if plain else None
    rows = [summary(name, of, goal) for name, of in histories.items()]
    best = box_hypervolume_history(found.values(), OBJECTIVES)[-1]
    figures = {
        "repetitions": max(map(len, histories.values())),
        "configurations": len(found),
        "best possible": best,
        "goal": goal,
    }
    print(table(rows))
    write(
        "quality",
        "Search quality",
        figures | {"rows": rows, "histories": histories},
        text=_text(figures),
        options=_options(histories),
    )


def _text(figures: dict[str, Any]) -> str:
    goal = "not reached here" if figures["goal"] is None else f"{figures['goal']:.4f}"
    return (
        f"Share of the reference box that is dominated: the median of {figures['repetitions']} repetitions, and the "
        f"band in which eight of ten lie. The table has {figures['configurations']} configurations; all of them "
        f"together reach {figures['best possible']:.4f}. Last column: trials until the median of Optuna's TPE after "
        f"{max(AT)} trials ({goal}) is reached; the target for our default is {TARGET}."
    )


def _options(names: Iterable[str]) -> str:
    return shlex.join(["--only", *names])


def _median_needed(needed: list[int | None]) -> str:
    """Return the median over repetitions; one that never reached the goal took more trials than any."""
    ordered = sorted(float("inf") if one is None else one for one in needed)
    middle = statistics.median(ordered)
    return "more" if middle == float("inf") else f"{middle:.0f}"


@cache
def _mapping() -> dict[str, Any]:
    return load_study(HERE / "cora.toml", catalog=catalog()).to_mapping()


def _place(runs: Path, name: str, seed: int) -> Path:
    return runs / f"{name.replace(', ', '-').replace(' ', '-')}-{seed:02d}.json"


def _no_sync(descriptor: int) -> None:
    del descriptor


if __name__ == "__main__":
    main()
