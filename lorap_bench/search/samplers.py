"""Who proposes the point of each key: the warm start, then the study's sampler, seeded anew for every key.

A key's point follows from the study and what its trials came to, never from the process that asks, so that a study
that was interrupted proposes what an uninterrupted one does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from lorap_bench.search.arguments import HISTORY_CAP, POPULATION, STARTUP, check_search
from lorap_bench.search.candidates import Candidates
from lorap_bench.search.ehvi import RANK, Chooser
from lorap_bench.search.encoding import Encoding
from lorap_bench.search.sampler import make_sampler
from lorap_bench.search.seeds import sampler_seed, sequence_seed
from lorap_bench.search.sequence import Grid, Sobol
from lorap_bench.search.suggest import as_optuna
from lorap_bench.search.told import told
from lorap_bench.search.warm_start import check_warm_start, warm_points
from lorap_bench.search.whole import WeightedDraw, WholePoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optuna.samplers import BaseSampler

    from lorap_bench.search.keyed import KeyedStudy
    from lorap_bench.search.objective import Planner
    from lorap_bench.study.spec import StudySpec

__all__ = ["Samplers"]


@final
class Samplers:
    """The sampler of each key of a study.

    Args:
        spec: the study.
        planner: what works out a configuration; without it no cost is known before training.
        ranks: the admissible ranks and their weights, for the first draws of the prompts' rank; None: as others.

    Attributes:
        given: how many first keys have points of the warm start.

    Raises:
        ConfigError: unknown sampler, an argument it does not take, or a space it does not go with.
    """

    def __init__(
        self, spec: StudySpec, planner: Planner | None = None, ranks: Sequence[tuple[int, float]] | None = None
    ) -> None:
        check_search(spec.search)
        check_warm_start(spec)
        self._spec, self._ranks = spec, ranks
        self._arguments = spec.search.arguments
        self._distributions = {one.path: as_optuna(one.distribution) for one in spec.parameters.parameters}
        self._everywhere = {
            one.path: self._distributions[one.path] for one in spec.parameters.parameters if not one.when
        }
        self._candidates = Candidates(spec, planner, sequence_seed(spec.seed))
        self._warm = warm_points(spec, self._candidates) if spec.search.warm_start else []
        self._encoding = Encoding(spec.parameters)
        self._point = self._by_number()
        self._chooser = Chooser(spec, self._candidates) if spec.search.sampler == "EHVI" else None

    @property
    def given(self) -> int:
        """Return how many points the warm start has."""
        return len(self._warm)

    def set_for(self, study: KeyedStudy, key: int) -> None:
        """Make ``study`` ready to be asked for the point of a key."""
        study.look(key, self._cap)
        study.sampler = self._sampler(study, key)

    def _sampler(self, study: KeyedStudy, key: int) -> BaseSampler:
        seed = sampler_seed(self._spec.seed, key)
        if key < len(self._warm):
            return WholePoint(self._distributions, lambda: dict(self._warm[key]), seed)
        number = key - len(self._warm)
        if self._point is not None:
            point = self._point
            return WholePoint(self._distributions, lambda: point(number), seed)
        if self._chooser is not None:
            chooser = self._chooser
            return WholePoint(self._distributions, lambda: self._chosen(chooser, study, key, seed), seed)
        inner = make_sampler(self._spec.search, seed, self._everywhere)
        if self._ranks and key < self._startup:
            return WeightedDraw(inner, RANK, self._ranks, seed)
        return inner

    def _chosen(self, chooser: Chooser, study: KeyedStudy, key: int, seed: int) -> dict[str, Any]:
        """Return the point that EHVI proposes; one of its first ones also where there is nothing to choose by."""
        chosen = (
            None if key < self._startup else chooser.choose(told(study.shown(), study.keyed(), self._encoding), seed)
        )
        return chosen or chooser.start(key, seed, self._ranks)

    def _by_number(self) -> Callable[[int], dict[str, Any]] | None:
        """Return what gives the points of a sampler that needs no results; None for one that does."""
        space, base, seed = self._spec.parameters, self._spec.base, sequence_seed(self._spec.seed)
        if self._spec.search.sampler == "Grid":
            return Grid(space, base, seed).point
        if self._spec.search.sampler == "QMC":
            return Sobol(space, base, seed, scramble=bool(self._arguments.get("scramble", True))).point
        return None

    @property
    def _cap(self) -> int | None:
        """Return how many finished trials the sampler is shown at most."""
        if self._spec.search.sampler not in {"TPE", "EHVI"}:
            return None
        return int(self._arguments.get("history_cap", HISTORY_CAP))

    @property
    def _startup(self) -> int:
        """Return how many first keys are proposed without a model."""
        if self._spec.search.sampler in {"NSGAII", "NSGAIII"}:
            return int(self._arguments.get("population_size", POPULATION))
        return 0 if self._spec.search.sampler == "Random" else int(self._arguments.get("n_startup_trials", STARTUP))
