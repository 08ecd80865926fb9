"""The experiment as data: study files, search spaces and the names they may use."""

from lorap_bench.study.catalog import Catalog
from lorap_bench.study.file import load_config, load_study, parse_overrides
from lorap_bench.study.schema import study_schema
from lorap_bench.study.space import Choices, FloatRange, IntRange, Parameter, Space, overlay
from lorap_bench.study.spec import COSTS, OBJECTIVES, Constraint, StudySpec

__all__ = [
    "COSTS",
    "OBJECTIVES",
    "Catalog",
    "Choices",
    "Constraint",
    "FloatRange",
    "IntRange",
    "Parameter",
    "Space",
    "StudySpec",
    "load_config",
    "load_study",
    "overlay",
    "parse_overrides",
    "study_schema",
]
