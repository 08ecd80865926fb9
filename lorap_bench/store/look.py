"""A look at the test split as a value: when, at which trials and baselines, with which seeds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import StoreError

if TYPE_CHECKING:
    from lorap_bench.record import TrialRecord

__all__ = ["LOOK_VERSION", "Baseline", "Confirmation", "Look", "Subject"]

LOOK_VERSION = 1


class Baseline(StrEnum):
    """What a front trial is compared with, seed by seed: two always, the others where a ladder is asked for."""

    NO_PROMPT = "no_prompt"
    FP32 = "fp32"
    GPF = "gpf"
    LORAP = "lorap"

    @property
    def words(self) -> str:
        """Return its name for a reader."""
        return _WORDS[self]


_WORDS = {
    Baseline.NO_PROMPT: "no prompt",
    Baseline.FP32: "FP32",
    Baseline.GPF: "node prompts alone",
    Baseline.LORAP: "LoRAP alone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A front trial in a look: its configuration and those of its baselines, by digest.

    ``impossible`` tells why a baseline makes no configuration. A baseline that the trial is itself stands nowhere.
    """

    number: int
    digest: str
    baselines: dict[Baseline, str] = field(default_factory=dict)
    impossible: dict[Baseline, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look: every configuration of it trains with the same ``seeds``, which no other training of the study had.

    ``again`` tells that an earlier look was known and set aside, ``ladder`` that the simpler prompts below each
    trial's own were asked for; ``counted`` and ``budget`` are the study's spent and asked-for trials when it
    began (None: not known). ``finished`` is empty until all is done.
    """

    number: int
    seeds: tuple[int, ...]
    subjects: tuple[Subject, ...]
    started: str
    finished: str = ""
    again: bool = False
    ladder: bool = False
    counted: int | None = None
    budget: int | None = None
    schema_version: int = LOOK_VERSION

    @property
    def digests(self) -> tuple[str, ...]:
        """Return the configurations to run, each once: a trial, then its baselines, then the next trial."""
        found = (digest for one in self.subjects for digest in (one.digest, *one.baselines.values()))
        return tuple(dict.fromkeys(found))

    @property
    def date(self) -> str:
        """Return the day on which it began."""
        return self.started[:10] or "an unknown day"

    def label(self, digest: str) -> str:
        """Say what a configuration is: ``trial 12``, or ``no prompt (for trials 3, 12)``."""
        own = [one.number for one in self.subjects if one.digest == digest]
        if own:
            return f"trial {own[0]}"
        roles = [
            (role, one.number) for one in self.subjects for role, found in one.baselines.items() if found == digest
        ]
        names = " and ".join(dict.fromkeys(role.words for role, _ in roles))
        numbers = list(dict.fromkeys(str(number) for _, number in roles))
        return f"{names} (for trial{'s' if len(numbers) > 1 else ''} {', '.join(numbers)})"

    def to_mapping(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, mapping: Any, *, where: str = "") -> Look:
        """Build from plain values.

        Raises:
            StoreError: the look was written by another version of the schema, or is damaged.
        """
        found = mapping.get("schema_version") if isinstance(mapping, dict) else None
        if found != LOOK_VERSION:
            raise StoreError(f"look schema {found!r}, this version reads {LOOK_VERSION}", where=where)
        try:
            subjects = tuple(_subject(one) for one in mapping["subjects"])
            return cls(**{**mapping, "seeds": tuple(mapping["seeds"]), "subjects": subjects})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"damaged look ({error})", where=where) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A front trial on fresh seeds on the test split, and its baselines on the same seeds, as far as they ran."""

    look: int
    record: TrialRecord
    baselines: dict[Baseline, TrialRecord] = field(default_factory=dict)


def _subject(mapping: dict[str, Any]) -> Subject:
    def by_role(name: str) -> dict[Baseline, str]:
        return {Baseline(key): value for key, value in mapping[name].items()}

    return Subject(**{**mapping, "baselines": by_role("baselines"), "impossible": by_role("impossible")})
