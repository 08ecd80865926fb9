"""Inference with real integers: codes of 8 bits or fewer, sums of them in 32-bit accumulators."""

from lorap_bench.models.integer.codes import Coded, Coder, Sums
from lorap_bench.models.integer.measure import Cost, measure
from lorap_bench.models.integer.network import IntegerNetwork, Storage, integer_model

__all__ = ["Coded", "Coder", "Cost", "IntegerNetwork", "Storage", "Sums", "integer_model", "measure"]
