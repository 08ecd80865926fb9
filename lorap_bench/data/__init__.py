"""Learning tasks on graphs: one loader family a file, one door (``load_task``)."""

from lorap_bench.data.load import DATASETS, FAMILIES, load_task
from lorap_bench.data.task import GraphTask, Split

__all__ = ["DATASETS", "FAMILIES", "GraphTask", "Split", "load_task"]
