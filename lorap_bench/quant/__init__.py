"""Fake quantization on tensors: schemes, quantizers, observers, bit allocation."""

from lorap_bench.quant.affine import ActivationQuantizer, WeightQuantizer
from lorap_bench.quant.allocation import allocate
from lorap_bench.quant.fp32 import FP32
from lorap_bench.quant.observers import MinMax, MovingAverage, Observer, Percentile
from lorap_bench.quant.qat import QAT
from lorap_bench.quant.quantizer import Identity, Quantizer
from lorap_bench.quant.scheme import Scheme

__all__ = [
    "FP32",
    "QAT",
    "SCHEMES",
    "ActivationQuantizer",
    "Identity",
    "MinMax",
    "MovingAverage",
    "Observer",
    "Percentile",
    "Quantizer",
    "Scheme",
    "WeightQuantizer",
    "allocate",
]

SCHEMES: dict[str, type[Scheme]] = {scheme.__name__: scheme for scheme in (FP32, QAT)}
