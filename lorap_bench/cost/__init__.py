"""What a model costs, in closed form: average bits by several definitions, bit operations, bytes, overhead."""

from lorap_bench.cost.ledger import FULL_PRECISION, Ledger
from lorap_bench.cost.shape import TaskShape
from lorap_bench.cost.site import COMPONENTS, Operation, Role, Site

__all__ = ["COMPONENTS", "FULL_PRECISION", "Ledger", "Operation", "Role", "Site", "TaskShape"]
