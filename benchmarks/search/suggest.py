"""What a suggestion costs: CPU time of one, by sampler and by how many trials are recorded.

The trials are made up and lie in memory, so that what is timed is the sampler and the view of the study it is given;
the sampler is made anew for every suggestion, as in a study.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from typing import TYPE_CHECKING, Any

import optuna
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from benchmarks.environment import start_again_with_settings
from benchmarks.search.results import write
from lorap_bench.cost.shape import TaskShape
from lorap_bench.models.blueprint import blueprint
from lorap_bench.search.keyed import KeyedStudy
from lorap_bench.search.objective import directions
from lorap_bench.search.samplers import Samplers
from lorap_bench.search.suggest import as_optuna, suggest
from lorap_bench.study.spec import StudySpec

if TYPE_CHECKING:
    from lorap_bench.config import TrialConfig
    from lorap_bench.models.blueprint import Blueprint

SHAPE = TaskShape(name="Cora", level="node", nodes=2708, edges=10556, features=1433, classes=7, binary=True)
ASKS = 7
UNCAPPED = 10**9
CONTESTANTS: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "Random": ("Random", {}, (1000, 20_000)),
    "QMC": ("QMC", {}, (1000, 20_000)),
    "NSGAII": ("NSGAII", {}, (1000, 20_000)),
    "NSGAIII": ("NSGAIII", {}, (1000, 20_000)),
    "TPE": ("TPE", {}, (1000, 20_000)),
    "TPE, all history": ("TPE", {"history_cap": UNCAPPED}, (1000,)),
    "EHVI": ("EHVI", {}, (100, 200, 1000, 20_000)),
}
"""Name → sampler, its arguments, numbers of recorded trials."""


def spec(sampler: str, arguments: dict[str, Any]) -> StudySpec:
    """Return a study with ten parameters, two of them conditional."""
    widths = {"choices": [2, 3, 4, 8]}
    prompted = {"prompt.kind": ["LoRAP"]}
    mapping: dict[str, Any] = {
        "version": 1,
        "name": "suggest",
        "objectives": ["accuracy", "average_bits", "overhead"],
        "space": {
            "prompt.kind": {"choices": ["None", "LoRAP"]},
            "prompt.count": {"int": [1, 32], "log": True, "when": prompted},
            "prompt.rank": {"int": [1, 16], "when": prompted},
            "prompt.lr": {"float": [1e-4, 1e-1], "log": True, "when": prompted},
            "optim.lr": {"float": [1e-3, 1e-1], "log": True},
            "model.dropout": {"float": [0.0, 0.8]},
            **{f"quant.layer_bits.{layer}": widths for layer in "01"},
            **{f"quant.component_bits.{component}": widths for component in ("weight", "aggregate")},
        },
        "search": {"sampler": sampler, "arguments": arguments},
        "budget": {"trials": 100_000},
    }
    return StudySpec.from_mapping(mapping)


def planner(config: TrialConfig) -> Blueprint:
    """Work out a configuration."""
    return blueprint(config, SHAPE)


def recorded(study: StudySpec, count: int) -> KeyedStudy:
    """Return a study with ``count`` made-up trials."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = InMemoryStorage()
    optuna.create_study(storage=storage, study_name="study", directions=directions(study))
    found = KeyedStudy(study_name="study", storage=storage)
    rng = random.Random(0)  # noqa: S311  # made-up trials
    space, base = study.parameters, study.base.to_mapping()
    kinds = {one.path: as_optuna(one.distribution) for one in space.parameters}
    for key in range(count):
        params = space.sample(base, rng)
        bits = rng.uniform(2, 8)
        trial = create_trial(
            state=TrialState.COMPLETE,
            values=[min(0.5 + 0.04 * bits, 0.8) - rng.random() * 0.2, bits, rng.uniform(0, 20)],
            params=params,
            distributions={path: kinds[path] for path in params},
            user_attrs={"key": key},
            system_attrs={f"Steady{study.search.sampler}:generation": key // 50},
        )
        found.add_trial(trial)
    found.moved = False
    _remember_parents(found, f"Steady{study.search.sampler}", count)
    return found


def _remember_parents(study: KeyedStudy, sampler: str, count: int) -> None:
    """Note parents as a genetic sampler does generation by generation: it looks for those of the last ones only."""
    for generation in (count // 50 - 1, count // 50):
        parents = [trial._trial_id for trial in study.stored()[(generation - 1) * 50 : generation * 50]]  # noqa: SLF001  # their names in the storage
        name = f"{sampler}:parent:{generation}"
        study._storage.set_study_system_attr(study._study_id, name, parents)  # noqa: SLF001  # as the sampler does


def measure(sampler: str, arguments: dict[str, Any], count: int) -> list[float]:
    """Return the CPU milliseconds of some suggestions, the first one aside: what it prepares is kept."""
    study = spec(sampler, arguments)
    samplers, past = Samplers(study, planner), recorded(study, count)
    space, base = study.parameters, study.base.to_mapping()
    taken = []
    for key in range(count, count + ASKS + 1):
        start = time.process_time()
        samplers.set_for(past, key)
        trial = past.ask()
        params: dict[str, Any] = {}
        for one in space.parameters:
            if space.active(one, base, params):
                params[one.path] = suggest(trial, one.path, as_optuna(one.distribution))
        taken.append(1e3 * (time.process_time() - start))
        trial.set_user_attr("key", key)
        past.tell(trial, [0.6, 4.0, 5.0])
    return taken


def main() -> None:
    """Measure and report."""
    start_again_with_settings("benchmarks.search.suggest")
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", help="one contestant")
    only = options.parse_args().only
    rows = []
    for name, (sampler, arguments, counts) in CONTESTANTS.items():
        for count in counts if only in {None, name} else ():
            first, *taken = measure(sampler, arguments, count)
            row = {"sampler": name, "trials recorded": count, "CPU ms, median": statistics.median(taken)}
            rows.append(row | {"CPU ms, most": max(taken), "CPU ms, first": first})
            print(rows[-1], flush=True)
    if only is None:
        write("suggest", "CPU time of a suggestion", {"rows": rows})


if __name__ == "__main__":
    main()
