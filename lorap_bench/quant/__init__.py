"""Fake quantization on tensors: schemes, quantizers, observers, bit allocation."""

from lorap_bench.quant.a2q import A2Q
from lorap_bench.quant.affine import ActivationQuantizer, WeightQuantizer
from lorap_bench.quant.allocation import allocate
from lorap_bench.quant.context import Context, Stage
from lorap_bench.quant.degree_quant import DegreeQuant
from lorap_bench.quant.fp32 import FP32
from lorap_bench.quant.mixq import MixQ
from lorap_bench.quant.observers import MinMax, MovingAverage, MovingPercentile, Observer, Percentile
from lorap_bench.quant.protection import Protection
from lorap_bench.quant.qat import QAT
from lorap_bench.quant.quantizer import Identity, Quantizer
from lorap_bench.quant.scheme import Penalty, Scheme

__all__ = [
    "A2Q",
    "FP32",
    "QAT",
    "SCHEMES",
    "ActivationQuantizer",
    "Context",
    "DegreeQuant",
    "Identity",
    "MinMax",
    "MixQ",
    "MovingAverage",
    "MovingPercentile",
    "Observer",
    "Penalty",
    "Percentile",
    "Protection",
    "Quantizer",
    "Scheme",
    "Stage",
    "WeightQuantizer",
    "allocate",
]

SCHEMES: dict[str, type[Scheme]] = {scheme.__name__: scheme for scheme in (FP32, QAT, DegreeQuant, A2Q, MixQ)}
