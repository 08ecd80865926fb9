"""The experiment as data: what is searched, what is judged, how often, and how long.

``StudySpec`` is the study file after validation. It is strict (no value is bent to fit), frozen,
and knows neither torch nor optuna. ``base`` is the configuration that every trial starts from and
``parameters`` the space that is laid over it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, model_validator

from lorap_bench.config import (
    ModelConfig,
    OptimConfig,
    PromptConfig,
    QuantConfig,
    TaskConfig,
    TrialConfig,
    digest_of,
)
from lorap_bench.metric import Metric, metric_in
from lorap_bench.study.distributions import Choices, Distribution, FloatRange, IntRange, range_problems
from lorap_bench.study.patterns import NAME, RULE
from lorap_bench.study.sections import BudgetSpec, ReplicaSpec, SearchSpec, StoppingSpec, StorageSpec
from lorap_bench.study.space import Parameter, Space
from lorap_bench.study.values import Distinct, Listed, Scalar, Strict

__all__ = [
    "COSTS",
    "OBJECTIVES",
    "BudgetSpec",
    "ConfigSpec",
    "Constraint",
    "Objective",
    "ParameterSpec",
    "ReplicaSpec",
    "SearchSpec",
    "Sections",
    "StorageSpec",
    "StudySpec",
    "objectives_of",
]

Objective = Literal["accuracy", "mae", "average_bits", "overhead"]
OBJECTIVES: dict[str, Literal["max", "min"]] = {
    **{metric.value: metric.direction for metric in Metric},
    "average_bits": "min",
    "overhead": "min",
}
assert tuple(OBJECTIVES) == get_args(Objective)


def objectives_of(metric: Metric) -> dict[str, Literal["max", "min"]]:
    """Return what trials scored by a metric may be judged by, and which way: the metric itself, then the costs."""
    return {name: way for name, way in OBJECTIVES.items() if name == metric.value or name not in set(Metric)}


COSTS: tuple[str, ...] = (
    "average_bits",
    "average_bits_with_input",
    "bits_a2q",
    "bits_mixq",
    "bit_operations",
    "operations",
    "model_bytes",
    "feature_bytes",
    "overhead",
    "extra_parameters",
    "parameters",
)

_BESIDE_IDENTITY: dict[str, Any] = {
    "description": True,
    "recipe": True,  # what it says stands in the sections
    "budget": True,
    "storage": True,
    "replicas": {"confirm"},
}


class ParameterSpec(Strict):
    """One line of ``[space]``: exactly one of ``choices``, ``int`` and ``float``."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [name]} for name in ("choices", "int", "float")]},
    )

    choices: Annotated[tuple[Scalar, ...], Field(min_length=1), Distinct] | None = None
    whole: tuple[int, int] | None = Field(default=None, alias="int")
    real: tuple[float, float] | None = Field(default=None, alias="float")
    step: int | None = None
    log: bool | None = None
    when: dict[str, Listed] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _possible(self) -> ParameterSpec:
        problems = self._problems()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def distribution(self) -> Distribution:
        """Return the distribution that this line describes."""
        if self.choices is not None:
            return Choices(self.choices)
        if self.whole is not None:
            return IntRange(*self.whole, step=self.step or 1, log=bool(self.log))
        assert self.real is not None
        return FloatRange(*self.real, log=bool(self.log))

    def _problems(self) -> list[str]:
        given = [
            name for name, value in (("choices", self.choices), ("int", self.whole), ("float", self.real)) if value
        ]
        if len(given) != 1:
            return [f"needs exactly one of choices, int and float, and has {' and '.join(given) or 'none'}"]
        problems = []
        if self.step is not None and self.whole is None:
            problems.append("step goes with int only")
        if self.log is not None and self.choices is not None:
            problems.append("log goes with int and float only")
        ends = self.whole or self.real
        if ends is not None:
            step = 1 if self.step is None or self.whole is None else self.step
            problems += range_problems(*ends, step=step, log=bool(self.log))
        return problems


@dataclass(frozen=True, slots=True)
class Constraint:
    """A bound on a cost or an objective."""

    name: str
    relation: Literal["<=", ">="]
    bound: float

    def violation(self, value: float) -> float:
        """Return by how much ``value`` breaks the bound: positive when it does, else zero or less."""
        return value - self.bound if self.relation == "<=" else self.bound - value


class Sections(Strict):
    """The five sections of one configuration."""

    task: TaskConfig = Field(default_factory=TaskConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    quant: QuantConfig = Field(default_factory=QuantConfig)
    prompt: PromptConfig = Field(default_factory=PromptConfig)
    optim: OptimConfig = Field(default_factory=OptimConfig)

    @property
    def base(self) -> TrialConfig:
        """Return the sections as the configuration of one trial."""
        return TrialConfig(task=self.task, model=self.model, quant=self.quant, prompt=self.prompt, optim=self.optim)


class ConfigSpec(Sections):
    """The five sections as a file has them: over those of a recipe, if it names one."""

    recipe: str | None = None


class StudySpec(ConfigSpec):
    """A whole study file."""

    version: Literal[1]
    name: Annotated[str, Field(pattern=NAME, max_length=100)]
    seed: Annotated[int, Field(ge=0)] = 0
    description: str = ""
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1, max_length=3), Distinct]
    space: dict[str, ParameterSpec] = Field(default_factory=dict)
    constraints: dict[str, Annotated[str, Field(pattern=RULE)]] = Field(default_factory=dict)
    search: SearchSpec = Field(default_factory=SearchSpec)
    early_stopping: StoppingSpec = Field(default_factory=StoppingSpec)
    replicas: ReplicaSpec = Field(default_factory=ReplicaSpec)
    budget: BudgetSpec
    storage: StorageSpec = Field(default_factory=StorageSpec)

    @property
    def parameters(self) -> Space:
        """Return the search space."""
        return Space(tuple(Parameter(path, line.distribution, dict(line.when)) for path, line in self.space.items()))

    @property
    def constraint_rules(self) -> tuple[Constraint, ...]:
        """Return the constraints, parsed."""
        return tuple(_rule(name, text) for name, text in self.constraints.items())

    @property
    def metric(self) -> Metric:
        """Return what its trials are scored by: the metric that an objective or a constraint names."""
        return metric_in((*self.objectives, *self.constraints))

    @property
    def identity(self) -> str:
        """Return the digest of all that makes this study this one.

        The budget, the confirmations and the description may change without making it another. Values that are
        the defaults are left out, so that a key a later version adds changes no study that does not use it.
        """
        mapping = self.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude_defaults=True, exclude=_BESIDE_IDENTITY
        )
        mapping["search"] = _historic(mapping.get("search", {}), self.search.sampler)
        return digest_of({section: values for section, values in mapping.items() if values != {}})

    def to_mapping(self) -> dict[str, Any]:
        """Return nested plain values, ready for JSON, with every default written out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @classmethod
    def from_mapping(cls, mapping: dict[str, Any]) -> StudySpec:
        """Build from what ``to_mapping`` gave (names are not checked again)."""
        return cls.model_validate_json(json.dumps(mapping))


def _historic(search: dict[str, Any], sampler: str) -> dict[str, Any]:
    """Return the search section of an identity: TPE was the default once, so it alone goes without saying."""
    rest = {name: value for name, value in search.items() if name != "sampler"}
    return rest if sampler == "TPE" else {**rest, "sampler": sampler}


def _rule(name: str, text: str) -> Constraint:
    match = re.match(RULE, text)
    assert match is not None
    return Constraint(name, "<=" if match[1] == "<=" else ">=", float(match[2]))
