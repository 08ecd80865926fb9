"""What a member takes in training, estimated from shapes; the estimate errs upwards.

It is compared with measured peaks in the tests of ``train.memory``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lorap_bench.cost.site import Role

if TYPE_CHECKING:
    from lorap_bench.models.blueprint import Blueprint

__all__ = ["constant_bytes", "passed_bytes", "trained_bytes"]

_FLOAT = 4
# Copies of one tensor that live at once, measured: kept for backward, its gradient, what is under way.
_PLAIN, _QUANTIZED, _A_CANDIDATE = 4, 6, 5
_UNTRAINED = 3  # without a backward pass
_OPTIMIZER = 8  # value, gradient as pieces and as one, two moments, best state, two in Adam's arithmetic


class _Elements(NamedTuple):
    """Elements of one inference's tensors: activations, those of the layer with most of them, parameters, constants."""

    activations: float
    widest: float
    parameters: float
    constants: float


def trained_bytes(plan: Blueprint, *, inferences: float = 1.0, stored: float = 1.0) -> int:
    """Return the bytes that one more member takes while a cohort trains.

    Formula: ``4 (c A + (8 + c) P + 3 K)`` with A the elements of the activations of one batch, P those of the
    parameters, K those of the constants that each member quantizes for itself; c = 4 copies of each
    activation in full precision, 6 where it is quantized, 5 a candidate width where widths are mixed.

    Args:
        plan: the trial.
        inferences: how many inferences a batch is; at node level the share of the graph in it.
        stored: the share of the raw features that is stored.
    """
    found, copies = _elements(plan, stored), _copies(plan)
    batch = copies * found.activations + 3 * found.constants
    return round(_FLOAT * (batch * inferences + (_OPTIMIZER + copies) * found.parameters))


def passed_bytes(plan: Blueprint, *, inferences: float = 1.0, stored: float = 1.0, kept: bool = True) -> int:
    """Return the bytes that one more member takes in a pass without gradients.

    Formula: ``4 (3 A + (8 + c) P + 3 K)``, symbols as in ``trained_bytes``; where no layer but the one at hand is
    ``kept``, A is that of the layer with the most activations.
    """
    found = _elements(plan, stored)
    batch = _UNTRAINED * (found.activations if kept else found.widest) + 3 * found.constants
    return round(_FLOAT * (batch * inferences + (_OPTIMIZER + _copies(plan)) * found.parameters))


def constant_bytes(plan: Blueprint, *, stored: float = 1.0) -> int:
    """Return the bytes of the constants that each member quantizes for itself, of one inference: ``4 · 3 K``."""
    return round(_FLOAT * 3 * _elements(plan, stored).constants)


def _elements(plan: Blueprint, stored: float) -> _Elements:
    sums, layers = dict.fromkeys(Role, 0.0), dict.fromkeys((site.layer for site in plan.ledger.sites), 0.0)
    for site in plan.ledger.sites:
        dense = site.role is Role.CONSTANT and site.component == "input"
        sums[site.role] += stored * site.elements if dense else site.elements
        if site.role is Role.ACTIVATION:
            layers[site.layer] += site.elements
    parameters = sums[Role.WEIGHT] + sums[Role.PROMPT] + _row_parameters(plan)
    return _Elements(sums[Role.ACTIVATION], max(layers.values()), parameters, sums[Role.CONSTANT])


def _copies(plan: Blueprint) -> int:
    if not plan.scheme.quantizes:
        return _PLAIN
    mixes = "candidates" in plan.scheme.reads
    return _A_CANDIDATE * len(plan.trial.quant.candidates) if mixes else _QUANTIZED


def _row_parameters(plan: Blueprint) -> float:
    """Return the parameters of a scheme that learns a step and a width for each row of an activation."""
    if "groups" not in plan.scheme.reads:
        return 0.0
    return 2 * sum((site.elements / site.columns for site in plan.ledger.sites if site.role is Role.ACTIVATION), 0.0)
