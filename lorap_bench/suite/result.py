"""What a cell came to: the records of its trainings, what each replica costs, and a checksum over all of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lorap_bench.config import TrialConfig, digest_of
from lorap_bench.errors import StoreError
from lorap_bench.record import Status, TrialRecord
from lorap_bench.suite.cell import Replica, key_of
from lorap_bench.suite.tuning import Tuning

if TYPE_CHECKING:
    from lorap_bench.record import MemberResult

__all__ = ["CELL_VERSION", "CellResult"]

CELL_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """A finished cell.

    Attributes:
        axes: where it stands in its suite.
        records: one for each fold it was trained on, test figures included.
        costs: what each replica costs; where widths are learned, by those that it came to.
        tuning: the search that its configuration was chosen by; None: it was trained as the suite has it.
    """

    axes: dict[str, Any]
    records: tuple[TrialRecord, ...]
    costs: tuple[dict[str, float], ...]
    tuning: Tuning | None = None

    @property
    def key(self) -> str:
        """What the cell's record is kept under, worked out from its configuration and replicas.

        Raises:
            StoreError: the configuration does not fit this version.
        """
        try:
            if self.tuning is not None:
                return key_of(TrialConfig.from_mapping(self.tuning.base), self.replicas, self.tuning.tune)
            return key_of(TrialConfig.from_mapping(self.records[0].config), self.replicas, None)
        except (IndexError, KeyError, TypeError) as error:
            raise StoreError(f"its configuration does not fit this version ({error})") from error

    @property
    def members(self) -> list[tuple[TrialRecord, MemberResult]]:
        """Every replica, with the record that it is in."""
        return [(record, member) for record in self.records for member in record.members]

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """Which seed was trained on which fold."""
        return tuple(Replica(member.seed, record.config["task"]["fold"]) for record, member in self.members)

    @property
    def failed(self) -> bool:
        """Whether any of its trainings did not end well."""
        return any(record.status is not Status.COMPLETE for record in self.records)

    @property
    def seconds(self) -> float:
        """How long it trained, its search included."""
        return sum(record.seconds for record in self.records) + (self.tuning.seconds if self.tuning else 0.0)

    @property
    def epochs(self) -> int:
        """How many epochs that were."""
        return sum(member.epochs for _, member in self.members) + (self.tuning.epochs if self.tuning else 0)

    def to_mapping(self) -> dict[str, Any]:
        """Return plain values, ready for JSON, with their checksum."""
        records = [record.to_mapping() for record in self.records]
        whole = {
            "schema_version": CELL_VERSION,
            "key": self.key,
            "axes": self.axes,
            "records": records,
            "costs": list(self.costs),
        }
        if self.tuning is not None:
            whole["tuning"] = asdict(self.tuning)
        plain: dict[str, Any] = json.loads(json.dumps(whole), parse_constant=lambda _: None)  # as it will be read again
        return plain | {"checksum": digest_of(plain)}

    @classmethod
    def from_mapping(cls, mapping: Any, *, where: str = "") -> CellResult:
        """Build from plain values.

        Raises:
            StoreError: it was written by another version of the schema, is damaged, or was changed since.
        """
        found = mapping.get("schema_version") if isinstance(mapping, dict) else None
        if found != CELL_VERSION:
            raise StoreError(f"cell schema {found!r}, this version reads {CELL_VERSION}", where=where)
        rest = {name: value for name, value in mapping.items() if name != "checksum"}
        if digest_of(rest) != mapping.get("checksum"):
            message = "was changed after it was written: its checksum does not fit; put the file back as it was, or "
            raise StoreError(message + "take it away, and the cell is trained again", where=where)
        try:
            records = tuple(TrialRecord.from_mapping(record, where=where) for record in mapping["records"])
            tuning = Tuning(**mapping["tuning"]) if "tuning" in mapping else None
            result = cls(axes=dict(mapping["axes"]), records=records, costs=tuple(mapping["costs"]), tuning=tuning)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"damaged cell ({error})", where=where) from error
        if len(result.costs) != len(result.members):
            message = f"damaged cell (costs of {len(result.costs)} replicas, records of {len(result.members)})"
            raise StoreError(message, where=where)
        return result
