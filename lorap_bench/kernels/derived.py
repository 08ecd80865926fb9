"""What is derived from a constant tensor, kept for as long as the tensor lives."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

from torch.utils.weak import WeakIdKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from torch import Tensor

__all__ = ["KEPT", "derived", "kept"]

KEPT = 4, 64 * 2**20
"""How many results ``kept`` keeps for one source at most, and of how many bytes together (one of any size)."""

R = TypeVar("R")
T = TypeVar("T")

_last: WeakIdKeyDictionary = WeakIdKeyDictionary()
_by_key: WeakIdKeyDictionary = WeakIdKeyDictionary()


def derived(make: Callable[[Tensor, T], R], source: Tensor, other: T) -> R:
    """Return ``make(source, other)``, made once as long as both stay as they are.

    What is trained, or computed from what is trained, is made each time. Of each function's results for a source the
    last is kept. No result may be a view of its source, which would then never go.
    """
    if source.requires_grad or not source.is_leaf:
        return make(source, other)
    version = source._version  # noqa: SLF001  # where torch counts changes in place
    results: dict[Any, tuple[T, int, R]] = _last.setdefault(source, {})
    found = results.get(make)
    if found is None or found[0] is not other or found[1] != version:
        found = results[make] = other, version, make(source, other)
    return found[2]


def kept(make: Callable[[], Tensor], source: Tensor, key: Hashable) -> Tensor:
    """Return what ``make`` makes of a constant source, made once for each key, which says all that it depends on.

    The results of last use are kept, within ``KEPT``; none is a view of the source.
    """
    version = source._version  # noqa: SLF001  # where torch counts changes in place
    results: OrderedDict[Hashable, Tensor] = _by_key.setdefault(source, OrderedDict())
    place = version, key
    found = results.get(place)
    if found is None:
        found = results[place] = make()
    results.move_to_end(place)
    while len(results) > KEPT[0] or (len(results) > 1 and sum(each.nbytes for each in results.values()) > KEPT[1]):
        results.popitem(last=False)
    return found
