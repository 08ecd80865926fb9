"""A tuned cell as a recipe: what its search chose, written as published hyperparameters are, with what it came to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lorap_bench.config import TrialConfig
from lorap_bench.data.load import load_task, splits_of
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.metric import metric_in
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.models.digest import canonical
from lorap_bench.report.provenance import study_toml
from lorap_bench.stats.intervals import t_interval
from lorap_bench.suite.expand import expand, parse_only, select
from lorap_bench.suite.stored import stored_suite

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lorap_bench.models.blueprint import Blueprint
    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.folder import SuiteFolder
    from lorap_bench.suite.result import CellResult

__all__ = ["recipe_of"]

_TABLES = ("layer_bits", "component_bits", "site_bits")


def recipe_of(folder: SuiteFolder, only: Iterable[str]) -> str:
    """Return the recipe file of one tuned cell of a suite, which ``only`` chooses by its axes.

    It states every value that the training reads. Its name is ``ours-<scheme>-<prompt>-<architecture>-<set>``.

    Raises:
        ConfigError: not one cell is chosen, or it was not tuned, or it failed.
        MissingResource: its data, whose sizes decide what is read, are not to be had.
        StoreError: the folder is damaged.
    """
    spec, _ = stored_suite(folder)
    chosen = [cell for cell in select(expand(spec), parse_only(spec, only)) if not cell.skipped]
    if len(chosen) != 1:
        told = ", ".join(cell.name for cell in chosen[:4]) + (", …" if len(chosen) > 4 else "")
        raise ConfigError([Fault(path="--only", message="must choose one cell", got=told or "none")])
    (cell,) = chosen
    result = folder.read(cell.key)
    if result is None or result.failed or result.tuning is None:
        how = "is not finished" if result is None else "failed" if result.failed else "was not tuned"
        raise ConfigError([Fault(path="--only", message=f"the cell {how}", got=cell.name)])
    config = TrialConfig.from_mapping(result.records[0].config)
    plan = blueprint(config, shape_of(load_task(config.task)))
    return study_toml({**_about(spec.name, cell, result), **_read(plan)})


def _about(suite: str, cell: Cell, result: CellResult) -> dict[str, Any]:
    task, model, quant, prompt = cell.config.task, cell.config.model, cell.config.quant, cell.config.prompt
    parts = [quant.scheme, prompt.kind, model.arch, task.dataset]
    commits = dict.fromkeys(str(record.provenance.get("commit", "unknown")) for record in result.records)
    assert result.tuning is not None
    return {
        "version": 1,
        "name": re.sub(r"[^a-z0-9]+", "-", "-".join(["ours", *parts]).lower()),
        "source": f"the suite {suite} of lorap-bench, commit {', '.join(commits)}",
        "citation": f"lorap-bench, suite {suite}: {cell.name}.",
        "evidence": "confirmed here",
        "protocol": f"{_split(cell)}; best of {result.tuning.trials} trials on validation, then {_test(result)}",
        "departures": ["Nothing was published under this name: the values are our own search's."],
    }


def _split(cell: Cell) -> str:
    many = splits_of(cell.config.task.dataset) > 1
    return f"split {cell.config.task.fold} of several" if many else "the published split"


def _test(result: CellResult) -> str:
    values = [member.test for _, member in result.members if member.test is not None]
    found = t_interval(values)
    assert found is not None
    metric = metric_in(result.records[0].objectives)
    bits = [costs["average_bits"] for costs in result.costs]
    told = f"{len(values)} fresh seeds: test {metric.label} {found.mean:.4f}"
    if found.std is not None:
        told += f" with a standard deviation of {found.std:.4f}"
    return f"{told}, {sum(bits) / len(bits):.2f} average bits"


def _read(plan: Blueprint) -> dict[str, dict[str, Any]]:
    """Return the values that a training reads, by section."""
    config, found = plan.trial.to_mapping(), canonical(plan)
    graphs = plan.shape.level == "graph"
    names = {
        "task": ["dataset", "features", "batch_size" if graphs else "sampling"],
        "model": [*_stated(found["model"]), "residual", *(["head", "head_dropout"] if graphs else [])],
        "quant": ["scheme", "bits", *_stated(found["quant"]), *(name for name in _TABLES if config["quant"][name])],
        "prompt": [*_stated(found["prompt"]), *(["rank"] if "LoRAP" in found["prompt"]["kind"] else [])],
        "optim": list(config["optim"]),
    }
    sections = {
        section: {name: config[section][name] for name in dict.fromkeys(wanted) if name in config[section]}
        for section, wanted in names.items()
    }
    if not graphs:
        sections["task"]["sampling"] = plan.sampling.value
    return sections


def _stated(values: dict[str, Any]) -> list[str]:
    return [name for name, value in values.items() if value is not None]
