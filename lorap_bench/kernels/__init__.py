"""Tensor operations of a training step, with the member axis first: contract, backends, randomness."""

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.csr import Csr, csr_from_coo
from lorap_bench.kernels.interface import AdamState, CodeRange, Dither, Kernels
from lorap_bench.kernels.members import Group, Init, MemberModule, glorot, ones, zeros
from lorap_bench.kernels.random import Draws, counter_keys, drop_threshold, stream_generator

__all__ = [
    "AdamState",
    "CodeRange",
    "Csr",
    "Dither",
    "Draws",
    "Group",
    "Init",
    "Kernels",
    "MemberModule",
    "counter_keys",
    "csr_from_coo",
    "drop_threshold",
    "glorot",
    "kernels",
    "ones",
    "stream_generator",
    "zeros",
]
