"""What is derived from a constant tensor, kept for as long as the tensor lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from torch.utils.weak import WeakIdKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

__all__ = ["derived"]

T = TypeVar("T")

_kept: WeakIdKeyDictionary = WeakIdKeyDictionary()


def derived(make: Callable[[Tensor, T], Tensor], source: Tensor, other: T) -> Tensor:
    """Return ``make(source, other)``, made once as long as both stay as they are.

    What is trained, or computed from what is trained, is made each time. Of each function's results for a source the
    last is kept.
    """
    if source.requires_grad or not source.is_leaf:
        return make(source, other)
    version = source._version  # noqa: SLF001  # where torch counts changes in place
    results: dict[Any, tuple[T, int, Tensor]] = _kept.setdefault(source, {})
    found = results.get(make)
    if found is None or found[0] is not other or found[1] != version:
        found = results[make] = other, version, make(source, other)
    return found[2]
