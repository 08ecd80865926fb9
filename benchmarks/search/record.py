"""Train every configuration of a space and keep its validation curves: a table on which searches are compared.

`python -m benchmarks.search.record` writes a small file for every few configurations to ``raw/`` beside this file
and goes on where it stopped; with `--pack` it joins them into ``cora.npz``. `--part I/N` takes every N-th batch, so
that several processes share the work.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import defaultdict
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lorap_bench.cli.wiring import catalog, task_shape
from lorap_bench.config import digest_of
from lorap_bench.models.blueprint import blueprint
from lorap_bench.record import Status
from lorap_bench.search.seeds import member_seeds
from lorap_bench.store.atomic import write_json
from lorap_bench.study.file import load_study
from lorap_bench.study.space import overlay
from lorap_bench.train.cohort import cohort_key
from lorap_bench.train.trial import run_trials

if TYPE_CHECKING:
    from lorap_bench.config import TrialConfig
    from lorap_bench.record import Outcome

HERE = Path(__file__).parent
BATCH = 4
"""Configurations trained as one program: with three seeds each, twelve members."""
EVERY = 5
"""Epochs between two kept values of a curve."""


def configurations() -> dict[str, tuple[dict[str, Any], TrialConfig, dict[str, Any]]]:
    """Return the space's configurations by digest: the first point that makes each, itself, what shapes its program."""
    spec = load_study(HERE / "cora.toml", catalog=catalog())
    shape = task_shape(spec)
    found: dict[str, tuple[dict[str, Any], TrialConfig, dict[str, Any]]] = {}
    for params in spec.parameters.points(spec.base):
        config = overlay(spec.base, params)
        plan = blueprint(config, shape)
        found.setdefault(plan.digest, (params, config, cohort_key(plan)))
    return found


def seeds(digest: str) -> tuple[int, ...]:
    """Return the seeds of a configuration: three of its own."""
    return member_seeds(int(digest[:8], 16), 0, 3)


def record(part: int, parts: int) -> None:
    """Train what is missing."""
    groups: dict[str, list[str]] = defaultdict(list)
    known = configurations()
    for digest, (_, _, key) in known.items():
        groups[digest_of(key)].append(digest)
    batches = [group[start : start + BATCH] for group in groups.values() for start in range(0, len(group), BATCH)]
    (HERE / "raw").mkdir(exist_ok=True)
    for batch in batches[part::parts]:
        path = HERE / "raw" / f"{hashlib.sha256(''.join(batch).encode()).hexdigest()[:16]}.json"
        if path.exists():
            continue
        outcomes = run_trials([(known[digest][1], seeds(digest)) for digest in batch])
        write_json(path, [kept(known[digest][0], outcome) for digest, outcome in zip(batch, outcomes, strict=True)])


def kept(params: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    """Return what the table keeps of a trial: best validation accuracies so far, by member, every few epochs."""
    done = outcome.record
    assert done.status is Status.COMPLETE, done.reason
    curves = [list(accumulate(member, max))[EVERY - 1 :: EVERY] for member in outcome.curves["val_metric"]]
    return {
        "digest": done.digest,
        "params": params,
        "costs": {name: done.costs[name] for name in ("average_bits", "overhead")},
        "curves": curves,
        "seconds": done.seconds,
        "provenance": done.provenance,
    }


def pack() -> None:
    """Join the small files into the table."""
    rows = [row for path in sorted((HERE / "raw").glob("*.json")) for row in json.loads(path.read_text())]
    rows.sort(key=lambda row: str(row["digest"]))
    curves = np.array([row["curves"] for row in rows])
    marks = np.rint(curves * 500).astype(np.uint16)  # Cora has 500 validation nodes
    assert np.allclose(marks / 500, curves)
    text = json.dumps([{name: row[name] for name in ("digest", "params", "costs")} for row in rows])
    facts = {"epochs": 200, "every": EVERY, "validation": 500, "provenance": rows[0]["provenance"]}
    np.savez_compressed(
        HERE / "cora.npz", marks=marks, points=np.frombuffer(text.encode(), np.uint8), facts=json.dumps(facts)
    )
    print(
        f"{len(rows)} configurations, {marks.shape[1]} seeds, {sum(row['seconds'] for row in rows):.0f} s of training"
    )


def main() -> None:
    """Record, or pack what was recorded."""
    options = argparse.ArgumentParser()
    options.add_argument("--part", default="0/1")
    options.add_argument("--pack", action="store_true")
    given = options.parse_args()
    if given.pack:
        pack()
    else:
        part, _, parts = given.part.partition("/")
        record(int(part), int(parts))


if __name__ == "__main__":
    main()
