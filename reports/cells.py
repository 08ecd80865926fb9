"""What the tables under reports/ share: cells that are trained once, kept as JSON and found again."""

from __future__ import annotations

import hashlib
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

TOOL = [str(Path(sys.executable).parent / "lorap-bench")]
DIVERGED = 3


def command(file: str, settings: Iterable[str], seeds: Sequence[int], split: str) -> list[str]:
    """Return the words after `lorap-bench` that train one cell."""
    overrides = [word for setting in settings for word in ("--set", setting)]
    numbers = [word for seed in seeds for word in ("--seed", str(seed))]
    return ["train", file, *overrides, *numbers, "--split", split, "--json"]


def trained(folder: Path, name: str, words: list[str]) -> dict[str, Any]:
    """Return a cell's result, trained now if it is not there; a training that diverged is a result too."""
    key = hashlib.sha256(" ".join(words).encode()).hexdigest()[:8]
    path = folder / "raw" / f"{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}-{key}.json"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run([*TOOL, *words], stdout=subprocess.PIPE, text=True, env=environment)
        if done.returncode not in {0, DIVERGED}:
            raise SystemExit(f"{name}: exit code {done.returncode} of lorap-bench {' '.join(words)}")
        part = path.with_suffix(".part")
        part.write_text(done.stdout, encoding="utf-8")
        part.rename(path)
        print(path.stem, flush=True)
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def together(jobs: Sequence[Callable[[], Any]], workers: int) -> list[Any]:
    """Run jobs that mostly wait for processes of their own, some at a time; keep their order."""
    with ThreadPoolExecutor(workers) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


def split_values(result: dict[str, Any], split: str) -> list[float]:
    """Return the members' metric on a split, without those that diverged."""
    return [member[split] for member in result["members"] if member[split] is not None]


def percent(values: list[float]) -> str:
    """Return mean ± sample standard deviation in percent."""
    if len(values) < 2:
        return f"{100 * values[0]:.2f}" if values else "–"
    return f"{100 * statistics.mean(values):.2f} ± {100 * statistics.stdev(values):.2f}"


def stamp(results: Iterable[dict[str, Any]]) -> str:
    """Return where the results come from, in one line."""
    origins = [result["provenance"] for result in results]
    commits = ", ".join(sorted({origin["commit"] for origin in origins}))
    first = origins[0]
    versions = ", ".join(f"{name} {version}" for name, version in first["versions"].items())
    return f"Commit {commits}, {first['backend']} kernels on {first['device']}, {versions}."
