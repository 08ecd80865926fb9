"""The configuration of one trial as plain frozen values.

One definition serves both worlds: the training core reads it with the standard library alone,
and a study file's validation reads the same annotations (``Range`` explains itself to a schema
builder without importing one).

``TrialConfig`` = task + model + quant + prompt + optim. ``models.blueprint`` resolves it against a data set.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, ClassVar, Literal

__all__ = [
    "SECTIONS",
    "Bits",
    "ModelConfig",
    "OptimConfig",
    "PromptConfig",
    "QuantConfig",
    "Range",
    "TaskConfig",
    "TrialConfig",
    "digest_of",
]

type_config = {"extra": "forbid", "strict": True}
Bits = Literal[2, 3, 4, 5, 6, 7, 8, 32]


@dataclass(frozen=True, slots=True)
class Range:
    """An interval a number must lie in: ``ge``/``le`` are closed ends, ``gt``/``lt`` open ones."""

    ge: float | None = None
    le: float | None = None
    gt: float | None = None
    lt: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        schema = dict(handler(source))
        for name in ("ge", "le", "gt", "lt"):
            if getattr(self, name) is not None:
                schema[name] = getattr(self, name)
        return schema


Positive = Annotated[int, Range(ge=1)]
Rate = Annotated[float, Range(gt=0)]
Share = Annotated[float, Range(ge=0, le=1)]
Decay = Annotated[float, Range(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskConfig:
    """What is learned: a dataset by name, how its raw features enter the model, how a large graph is fed in training.

    Node-level tasks alone read ``sampling``: one graph, whole or in batches. ``"clusters"`` cuts it in ``parts`` of
    which ``joined`` make a batch; ``"nodes"`` takes ``batch_size`` training nodes and for each hop ``fan_outs``
    neighbours of a node (the last entry also for the hops beyond); ``"auto"`` samples clusters where a member is
    estimated to need more than ``memory_gib`` GiB with the whole graph. Batches are drawn anew each ``draw_every``
    epochs.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = type_config

    dataset: str = "Digits"
    features: Literal["raw", "row_normalized"] = "raw"
    fold: Annotated[int, Range(ge=0, le=19)] = 0
    batch_size: Positive = 128
    sampling: Literal["auto", "whole", "clusters", "nodes"] = "auto"
    parts: Positive = 32
    joined: Positive = 4
    fan_outs: list[Positive] = field(default_factory=lambda: [10])
    draw_every: Positive = 10
    memory_gib: Rate = 32.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """The backbone: architecture and widths. ``hidden`` is the width of a hidden layer's output.

    With ``residual`` every hidden layer but the first adds what it was given. Graph-level tasks alone read ``readout``
    and the head: one linear map, or two (``"mlp"``) with a ReLU between them, ``head_dropout`` before the last.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = type_config

    arch: str = "GCN"
    hidden: Positive = 16
    layers: Positive = 2
    heads: Positive = 8
    dropout: Annotated[float, Range(ge=0, lt=1)] = 0.5
    batch_norm: bool = False
    residual: bool = False
    readout: Literal["mean", "sum", "max"] = "mean"
    head: Literal["linear", "mlp"] = "linear"
    head_dropout: Annotated[float, Range(ge=0, lt=1)] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantConfig:
    """The quantization scheme and its bit allocation.

    A site takes its width from the most specific entry that names it: ``site_bits``
    (``"layers.0.weight"``), then ``component_bits`` (``"weight"``), then ``layer_bits``
    (``"0"``, ``"1"``, …, ``"head"``), then ``bits``. 32 leaves a tensor unquantized. What each of the other
    fields means, and which scheme reads it, is told by the schemes; ``"auto"`` is the scheme's own choice.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = type_config

    scheme: str = "QAT"
    bits: Bits = 8
    layer_bits: dict[str, Bits] = field(default_factory=dict)
    component_bits: dict[str, Bits] = field(default_factory=dict)
    site_bits: dict[str, Bits] = field(default_factory=dict)
    observer: Literal["auto", "MinMax", "MovingAverage", "Percentile", "MovingPercentile"] = "auto"
    momentum: Annotated[float, Range(gt=0, le=1)] = 0.1
    percentile: Annotated[float, Range(gt=0, lt=0.5)] = 0.001
    sample: Annotated[float, Range(gt=0, le=1)] = 1.0
    gradient: Literal["auto", "straight_through", "clipped"] = "auto"
    rounding: Literal["nearest", "stochastic", "noise"] = "nearest"
    weight_per_channel: bool = False
    weight_symmetric: bool = True
    activation_symmetric: bool = False
    messages: bool = False
    p_min: Share = 0.0
    p_max: Share = 0.1
    sites: Literal["published", "all"] = "published"
    memory_target: Rate = 5.0
    memory_weight: Decay = 1.0
    step_init: Literal["published", "calibrated"] = "published"
    groups: Annotated[int, Range(ge=0)] = 1000
    lr_bits: Decay = 0.1
    lr_weight_step: Decay = 0.02
    lr_feature_step: Decay = 0.008
    lr_row_step: Decay = 0.04
    candidates: list[Annotated[int, Range(ge=1, le=8)]] = field(default_factory=lambda: [2, 4, 8])
    bit_penalty: float = 0.01
    search_epochs: Positive = 50
    pretrain_epochs: Annotated[int, Range(ge=0)] = 50
    lr_choice: Rate = 0.01
    lr_scale: Rate = 0.05
    protect: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptConfig:
    """The prompts: kind, how many, of which rank, and how they are gated, injected and trained."""

    __pydantic_config__: ClassVar[dict[str, Any]] = type_config

    kind: str = "None"
    count: Positive = 8
    rank: Positive = 4
    node_count: Positive = 5
    gate: Literal["softmax", "linear", "sigmoid"] = "softmax"
    factorize: bool = True
    inject: Literal["pre_requant", "post_requant"] = "pre_requant"
    temperature: Rate = 1.0
    lr: Rate = 1e-3
    weight_decay: Decay = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimConfig:
    """The training protocol: Adam, full epochs, the best epoch chosen on validation.

    Every learning rate is halved each ``halve_every`` epochs of a stage (0: never), and each time ``plateau``
    evaluations in a row brought no better validation loss (0: never).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = type_config

    epochs: Positive = 200
    lr: Rate = 0.01
    weight_decay: Decay = 5e-4
    halve_every: Annotated[int, Range(ge=0)] = 0
    plateau: Annotated[int, Range(ge=0)] = 0
    selection: Literal["metric", "loss"] = "metric"
    eval_every: Positive = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialConfig:
    """One point of the search space in full: everything a training run needs but its seeds."""

    task: TaskConfig = field(default_factory=TaskConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    quant: QuantConfig = field(default_factory=QuantConfig)
    prompt: PromptConfig = field(default_factory=PromptConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)

    @classmethod
    def from_mapping(cls, mapping: dict[str, Any]) -> TrialConfig:
        """Build from nested plain values, as ``to_mapping`` gives them (already validated)."""
        return cls(**{name: section(**mapping[name]) for name, section in SECTIONS.items() if name in mapping})

    def to_mapping(self) -> dict[str, Any]:
        """Return nested plain values, ready for JSON."""
        return asdict(self)


SECTIONS: dict[str, type[Any]] = {
    "task": TaskConfig,
    "model": ModelConfig,
    "quant": QuantConfig,
    "prompt": PromptConfig,
    "optim": OptimConfig,
}
assert tuple(SECTIONS) == tuple(f.name for f in fields(TrialConfig))


def digest_of(mapping: dict[str, Any]) -> str:
    """Return the first 16 hex digits of SHA-256 over the mapping's canonical JSON."""
    text = json.dumps(mapping, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
