"""Which ranks of a prompt to try first: those that the aggregation error of a calibrated model needs.

With the singular values σ of the error, a correction of rank r leaves the share t(r) = Σ_{m>r} σ_m² / Σ σ_m². The
smallest admissible rank that removes a share drawn evenly from [0, 1] is r_i with probability t(r_{i-1}) - t(r_i); the
largest takes what is left. This, averaged over layers and mixed with an even draw, is the weight of a rank: no rank is
ruled out, for a prompt also corrects what is no aggregation error.

The model is trained once a study and what it gave is kept in the study folder, so that a resumed study draws alike.

Source: ours, from the bound of Eckart and Young 1936.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lorap_bench.config import QuantConfig
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.search.arguments import SAMPLERS
from lorap_bench.search.ehvi import RANK
from lorap_bench.search.seeds import sequence_seed
from lorap_bench.store.access import exists
from lorap_bench.store.atomic import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lorap_bench.config import Bits, TrialConfig
    from lorap_bench.study.spec import StudySpec

__all__ = ["calibrated", "rank_prior", "rank_weights"]

_FILE = "prior.json"
_EPOCHS = 50
"""Epochs of the model at most: its errors, not its accuracy, are wanted."""
_EVEN = 0.25
"""How much of the weight is spread evenly."""
_WIDTHS = ("quant.bits", "quant.layer_bits.", "quant.component_bits.", "quant.site_bits.")


def rank_prior(spec: StudySpec, root: Path) -> list[tuple[int, float]] | None:
    """Return the admissible ranks and their weights; None for a study without such a prior.

    Args:
        spec: the study.
        root: its folder, where the singular values are kept.

    Raises:
        ConfigError: the study searches no rank, or its sampler has no first draws that a prior could weigh.
        MissingResource: the data are not there.
    """
    if not spec.search.rank_prior:
        return None
    ranks = _ranks(spec)
    path = root / _FILE
    if exists(path):
        spectrum: list[list[float]] = read_json(path)["singular_values"]
    else:
        spectrum = _measured(spec)
        write_json(path, {"singular_values": spectrum})
    return rank_weights(spectrum, ranks)


def rank_weights(spectrum: Sequence[Sequence[float]], ranks: Sequence[int]) -> list[tuple[int, float]]:
    """Return each rank's weight; the weights sum to 1.

    Args:
        spectrum: each layer's singular values, the largest first.
        ranks: the admissible ranks, ascending.
    """
    left = [_mean([_tail(values, rank) for values in spectrum]) for rank in ranks]
    before = [1.0, *left[:-1]]
    needed = [high - low for high, low in zip(before, left, strict=True)]
    needed[-1] += left[-1]
    return [(rank, _EVEN / len(ranks) + (1 - _EVEN) * share) for rank, share in zip(ranks, needed, strict=True)]


def calibrated(spec: StudySpec) -> TrialConfig:
    """Return the configuration whose error is looked at: the base's, quantized at the median of the widths searched."""
    widths = sorted(
        int(value)
        for path, line in spec.space.items()
        if path.startswith(_WIDTHS)
        for value in line.distribution
        if int(value) <= 8
    )
    bits: Bits = widths[(len(widths) - 1) // 2] if widths else min(spec.base.quant.bits, 8)  # type: ignore[assignment]  # of the values of Bits
    return replace(spec.base, quant=QuantConfig(bits=bits))


def _measured(spec: StudySpec) -> list[list[float]]:
    from lorap_bench.data.load import load_task  # late: they bring torch
    from lorap_bench.train.error_spectrum import error_spectrum

    config = calibrated(spec)
    task = load_task(config.task).without_test()
    return error_spectrum(task, config, sequence_seed(spec.seed), epochs=min(config.optim.epochs, _EPOCHS))


def _ranks(spec: StudySpec) -> list[int]:
    faults = []
    line = spec.space.get(RANK)
    if line is None or line.distribution.size is None:
        faults.append(Fault(path="search.rank_prior", message=f"the space has no {RANK}", got=True, allowed="false"))
    if spec.search.sampler in {"QMC", "Random", "Grid"}:
        allowed = ", ".join(sorted(set(SAMPLERS) - {"QMC", "Random", "Grid"}))
        message = "goes with a sampler that begins with random draws"
        faults.append(Fault(path="search.rank_prior", message=message, got=spec.search.sampler, allowed=allowed))
    if faults:
        raise ConfigError(faults)
    assert line is not None
    return sorted(int(rank) for rank in line.distribution)


def _tail(values: Sequence[float], rank: int) -> float:
    """Return the share of the squared singular values beyond a rank; a matrix of zeros needs none."""
    total = sum(value**2 for value in values)
    return sum(value**2 for value in values[rank:]) / total if total else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
