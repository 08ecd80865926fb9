"""The CPU backend: the reference's elementwise operations and order statistics as compiled loops."""

from lorap_bench.kernels.native.backend import Native

__all__ = ["Native"]
