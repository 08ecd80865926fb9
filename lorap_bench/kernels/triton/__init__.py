"""The backend of CUDA devices: fused kernels in Triton, which also run in Triton's interpreter without a device."""

from lorap_bench.kernels.triton.backend import Triton

__all__ = ["Triton"]
