"""The operations a training step is made of: one contract, one class a backend.

Every operation keeps members apart: no result of one member depends on another, bit for bit.
Loops over members are allowed behind this contract and nowhere above it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.kernels.csr import Csr

__all__ = ["AdamState", "CodeRange", "Dither", "Kernels"]


@dataclass(frozen=True, slots=True, eq=False)
class CodeRange:
    """The integer codes of an affine quantizer: qmin … qmax per member, symmetric or not.

    Shape: low, high ``[S]`` float32.
    """

    low: Tensor
    high: Tensor
    symmetric: bool


@dataclass(frozen=True, slots=True, eq=False)
class Dither:
    """Noise u from [0, 1) in place of rounding to nearest: round down ``t + u``, or leave ``t + u - 1/2`` unrounded.

    Shape: keys ``[2, S]`` int32.
    """

    keys: Tensor
    rounds: bool


@dataclass(slots=True, eq=False)
class AdamState:
    """First and second moments of one group of flat parameters ``[S, P]`` and the step count."""

    first: Tensor
    second: Tensor
    steps: int = 0


class Kernels(ABC):
    """A backend."""

    name: str

    @abstractmethod
    def value_range(
        self, x: Tensor, *, channels: bool = False, protected: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return each member's smallest and largest value outside the protected rows, per channel if asked.

        Shape: x ``[S, …, C]`` → two of ``[S]``, or ``[S, C]`` with ``channels``; protected ``[S, N]``
        for x ``[S, N, …]``. Where all rows are protected: (inf, -inf).
        """

    @abstractmethod
    def percentile_range(
        self, x: Tensor, fractions: Tensor, *, largest: float, protected: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return each member's p and 1-p order statistics outside the protected rows.

        Formula: with n values and k = max(1, floor(p n)), the k-th smallest and k-th largest.

        Shape: x ``[S, N, …]``, fractions ``[S]`` float64, all at most ``largest``; protected ``[S, N]``
        → two of ``[S]``. Where all rows are protected: (inf, -inf).
        """

    @abstractmethod
    def fake_quantize(  # noqa: PLR0913  # what one pass over x fuses
        self,
        x: Tensor,
        limits: tuple[Tensor, Tensor],
        codes: CodeRange,
        *,
        clipped: bool,
        dither: Dither | None = None,
        protected: Tensor | None = None,
    ) -> Tensor:
        """Quantize and dequantize.

        Formula: ``q = clamp(round(x / s + z), qmin, qmax)``, ``x_q = (q - z) s``; round half to even.
        With lo = min(low, 0), hi = max(high, 0): asymmetric ``s = (hi - lo) / (qmax - qmin)``,
        ``z = clamp(round(qmin - lo / s), qmin, qmax)``; symmetric ``s = max(-lo, hi) / qmax``, ``z = 0``.
        Gradient: identity, or with ``clipped`` zero where the unclamped code is <= qmin or >= qmax.
        ``dither`` replaces the rounding; protected rows pass unchanged.

        Shape: x ``[S, …, C]``; limits (low, high) ``[S]`` or ``[S, C]``; protected ``[S, N]`` for
        x ``[S, N, …]``; result like x.

        Source: Jacob et al. 2018; Degree-Quant (Tailor et al. 2021), section 3.
        """

    @abstractmethod
    def step_quantize(self, x: Tensor, step: Tensor, top: Tensor, *, local: bool) -> Tensor:
        """Quantize symmetrically with a learned step and a learned largest code.

        Formula: ``x_q = s sign(x) min(floor(|x| / s + 1/2), Q)``.
        Gradient: to x identity where |x| <= s Q, else zero. To s: ``d = x_q / s - x / s`` inside,
        ``sign(x) Q`` outside; to Q: ``s sign(x)`` outside. Both are summed against the incoming
        gradient, or with ``local`` averaged against ``sign(x_q - x)``, the gradient of
        ``mean |x_q - x|``, whatever the incoming one.

        Shape: x ``[S, …]``; step > 0 and top broadcast against it.

        Source: A²Q (Zhu et al. 2023), section 3.1 and 3.2.
        """

    @abstractmethod
    def affine_quantize(self, x: Tensor, scale: Tensor, zero: Tensor, codes: CodeRange) -> Tensor:
        """Quantize affinely with a learned scale and zero point (an integer; rounded by the caller).

        Formula: ``q = clamp(round(x / s + z), qmin, qmax)``, ``x_q = (q - z) s``.
        Gradient: to x identity where the unclamped code lies in [qmin, qmax], else zero. To s:
        ``round(t) - t`` inside (t = x / s + z), ``q - z`` outside; to z: 0 inside, ``-s`` outside;
        both times ``1 / sqrt(n (qmax - qmin))``, n the values that share them.

        Shape: x ``[S, …]``; scale > 0 and zero broadcast against it; codes ``[S]``.

        Source: Esser et al. 2020 (LSQ), equations 2 and 3; Bhalgat et al. 2020 (LSQ+), equations 5 and 6.
        """

    @abstractmethod
    def drop(self, x: Tensor, thresholds: Tensor, keys: Tensor, *, relu: bool) -> Tensor:
        """Apply (ReLU and) inverted dropout with counter-based draws.

        Formula: ``x · [x > 0] · [bits >= threshold] / (1 - rate)``.

        Shape: x ``[S, …]``; thresholds ``[S]`` int32; keys ``[2, S]`` int32.
        """

    @abstractmethod
    def propagate(self, pattern: Csr, weight: Tensor | None, x: Tensor) -> Tensor:
        """Sum neighbours: ``y_i = Σ_e w_e x_{col(e)}`` over the entries of row i.

        Shape: weight ``None`` (ones), ``[1, E]`` or ``[S, E]``, or ``[S, E, H]`` for H heads of x's
        last axis; x ``[S, columns, d]`` → ``[S, rows, d]``. Gradients flow to x and to a
        weight that requires them.
        """

    @abstractmethod
    def segment_softmax(self, pattern: Csr, logits: Tensor) -> Tensor:
        """Normalise the entries of each row: softmax over the edges that end in the same node.

        Shape: ``[S, E, H]`` → ``[S, E, H]``.
        """

    @abstractmethod
    def sparse_linear(self, pattern: Csr, values: Tensor, weight: Tensor) -> Tensor:
        """Multiply a sparse matrix by each member's weight; gradients flow to values that require them.

        Shape: values ``[1 or S, E]`` (``[S, E]`` with a gradient); weight ``[S, columns, d]`` → ``[S, rows, d]``.
        """

    @abstractmethod
    def matmul(self, a: Tensor, b: Tensor) -> Tensor:
        """Multiply each member's matrices; a constant ``a`` may be shared by all.

        Not ``torch.bmm``: with an extent of 1 its result depends on how many members there are.

        Shape: a ``[S, n, k]``, or ``[1, n, k]`` without a gradient; b ``[S, k, m]`` → ``[S, n, m]``.
        """

    @abstractmethod
    def adam(self, flat: Tensor, gradient: Tensor, state: AdamState, scalars: tuple[Tensor, Tensor]) -> None:
        """Take one Adam step in place; scalars are learning rate and L2 weight decay per member.

        Formula: ``g += wd p``; ``m = β1 m + (1-β1) g``; ``v = β2 v + (1-β2) g²``;
        ``p -= lr (m / (1-β1^t)) / (sqrt(v / (1-β2^t)) + ε)``; β = (0.9, 0.999), ε = 1e-8.

        Shape: flat, gradient ``[S, P]``; scalars ``[S, 1]`` each.

        Source: Kingma & Ba 2015, algorithm 1.
        """
