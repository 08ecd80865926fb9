"""The operations a training step is made of: one contract, one class a backend.

Every operation keeps members apart: no result of one member depends on another, bit for bit.
Loops over members are allowed behind this contract and nowhere above it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.kernels.csr import Csr

__all__ = [
    "ADAM_BETAS",
    "ADAM_EPSILON",
    "AdamState",
    "CodeRange",
    "Dither",
    "Gate",
    "Injection",
    "Kernels",
    "KnownRange",
    "Messages",
    "Mixture",
    "RangeState",
]


ADAM_BETAS, ADAM_EPSILON = (0.9, 0.999), 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class CodeRange:
    """The integer codes of an affine quantizer: qmin … qmax per member, symmetric or not.

    Shape: low, high ``[S]`` float32.
    """

    low: Tensor
    high: Tensor
    symmetric: bool


@dataclass(frozen=True, slots=True, eq=False)
class RangeState:
    """The range a quantizer remembers, and whether it has seen any.

    Shape: low, high ``[S]`` float32; seen ``[S]`` bool. All change in place.
    """

    low: Tensor
    high: Tensor
    seen: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class KnownRange:
    """An affine quantizer whose range is known before it sees the tensor; ``clipped`` as in ``fake_quantize``.

    Shape: limits (low, high) ``[S]``.
    """

    limits: tuple[Tensor, Tensor]
    codes: CodeRange
    clipped: bool


@dataclass(frozen=True, slots=True, eq=False)
class Dither:
    """Noise u from [0, 1) in place of rounding to nearest: round down ``t + u``, or leave ``t + u - 1/2`` unrounded.

    Shape: keys ``[2, S]`` int32.
    """

    keys: Tensor
    rounds: bool


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """B candidate quantizers and their shares.

    Shape: share ``[S, B]``; scale > 0 and zero ``[S, B, C]`` or ``[S, B, 1]``; low, high ``[S, B]``: their codes.
    """

    share: Tensor
    scale: Tensor
    zero: Tensor
    low: Tensor
    high: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Messages:
    """What neighbours send, an entry of a pattern each: ``m_e = w_e x_{col(e)}``.

    Shape: weight and x as for ``Kernels.propagate``; m ``[S, E, d]``.
    """

    pattern: Csr
    weight: Tensor | None
    x: Tensor

    def materialised(self) -> Tensor:
        """Return all of them: ``[S, E, d]``."""
        messages = self.x.index_select(1, self.pattern.col)
        if self.weight is None:
            return messages
        heads = self.weight.shape[2] if self.weight.dim() == 3 else 1
        weight = self.weight.view(*self.weight.shape[:2], heads, 1)
        weighted: Tensor = messages.unflatten(2, (heads, -1)) * weight
        return weighted.flatten(2)


class Gate(StrEnum):
    """What turns an injection's scores into the weights of its prompts."""

    SOFTMAX = "softmax"
    LINEAR = "linear"
    SIGMOID = "sigmoid"


@dataclass(frozen=True, slots=True, eq=False)
class Injection:
    """A low-rank prompt: W and V as one matrix each or as the two factors of one.

    Shape: score ``([S, d, k],)`` or ``([S, d, r], [S, r, k])``; basis ``([S, k, d],)`` or
    ``([S, k, r], [S, r, d])``; bias ``[S, k, 1]``; temperature ``[S, 1, 1]``.
    """

    score: tuple[Tensor, ...]
    basis: tuple[Tensor, ...]
    bias: Tensor
    temperature: Tensor
    gate: Gate


@dataclass(slots=True, eq=False)
class AdamState:
    """First and second moments of one group of flat parameters ``[S, P]`` and the step count.

    ``corrections`` are ``1 - β1^t`` and ``1 - β2^t`` of the coming step, ``[2]``, where the caller counts the
    steps because the step is recorded and replayed; None: ``adam`` counts them.
    """

    first: Tensor
    second: Tensor
    steps: int = 0
    corrections: Tensor | None = None


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
    def remember(self, state: RangeState, current: tuple[Tensor, Tensor], momentum: Tensor | None) -> None:
        """Merge the range of the tensor at hand into the remembered one, in place.

        Formula: ``r += m (current - r)``, or without a momentum the wider of both; the first range seen as
        it is. A member whose current range is empty (low > high) or NaN keeps what it has.

        Shape: current two of ``[S]``; momentum ``[S]``.
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
    def mix_quantize(self, x: Tensor, mixture: Mixture, column: Tensor | None = None) -> Tensor:
        """Quantize affinely with every candidate, and mix what comes out.

        Formula: ``Σ_b share_b Q_b(x)``, Q_b as ``affine_quantize`` quantizes, with its gradients; to share_b
        the incoming gradient times Q_b(x), summed.

        Shape: x ``[S, …, C]``, or entries ``[S, E]`` of a sparse matrix with the column of each, ``[E]`` (n of
        LSQ's factor is then 1); result like x.

        Source: MixQ-GNN (Moustafa et al. 2024), section 4.
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
    def message_range(
        self,
        messages: Messages,
        *,
        fractions: Tensor | None = None,
        largest: float = 0.0,
        protected: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the range of each member's messages: ``value_range``, or with fractions ``percentile_range``.

        Shape: protected ``[S, columns]``: a message is protected with the node that sends it; → two of ``[S]``.
        """

    @abstractmethod
    def sum_quantized(self, messages: Messages, known: KnownRange, *, protected: Tensor | None = None) -> Tensor:
        """Quantize each message as ``fake_quantize`` does, and sum those of each row: ``y_i = Σ_e Q(w_e x_{col(e)})``.

        Shape: protected ``[S, columns]`` as in ``message_range``; → ``[S, rows, d]``.
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
    def add_product(self, base: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """Add each member's product to a constant: ``base + a b``.

        Shape: base ``[1 or S, n, m]``, without a gradient; a ``[S, n, k]``, b ``[S, k, m]`` → ``[S, n, m]``.
        """

    @abstractmethod
    def inject(self, x: Tensor, prompt: Injection, then: KnownRange | None = None) -> Tensor:
        """Add to each row of x what a low-rank prompt makes of it; ``then`` quantizes that as ``fake_quantize`` does.

        Formula: ``y_i = x_i + g(x_i W / τ + c) V``, W and V the products of their factors; g is the softmax
        over the k prompts, the identity, or the sigmoid. τ has no gradient.

        Shape: x ``[S, N, d]`` → ``[S, N, d]``.
        """

    @abstractmethod
    def cut(self, pattern: Csr, rows: Tensor, columns: Tensor | None) -> tuple[Csr, Tensor]:
        """Return the part of a pattern in some rows and columns, and which of its entries that holds.

        Shape: rows ``[r]``, columns ``[c]`` int64, both ascending without repeats; None: all columns. They become
        0 … r - 1 and 0 … c - 1. → a pattern ``[r, c]`` of e entries, and ``[e]`` int64 ascending.
        """

    @abstractmethod
    def adam(self, flat: Tensor, gradient: Tensor, state: AdamState, scalars: tuple[Tensor, Tensor]) -> None:
        """Take one Adam step in place; scalars are learning rate and L2 weight decay per member.

        Formula: ``g += wd p``; ``m = β1 m + (1-β1) g``; ``v = β2 v + (1-β2) g²``;
        ``p -= lr (m / (1-β1^t)) / (sqrt(v / (1-β2^t)) + ε)``; β = (0.9, 0.999), ε = 1e-8.

        Shape: flat, gradient ``[S, P]``; scalars ``[S, 1]`` each.

        Source: Kingma & Ba 2015, algorithm 1.
        """
