"""The straightforward trainers our speed is compared with: plain PyG layers, one seed, composed tensor operations.

Each is what one writes first: fake quantization in tensor operations with a straight-through estimator, gather and
scatter through ``MessagePassing``, softmax over the last axis, boolean masks, one module a quantized tensor.
``trainers`` puts them together; the tests show that they are the models ours are compared on.
"""

from __future__ import annotations

from benchmarks.naive.graph_level import degree_quant_gin
from benchmarks.naive.trainer import Trainer
from benchmarks.naive.trainers import a2q_gcn, degree_quant_gcn, fp32_gcn, mixq_gcn, qat_gcn

__all__ = ["Trainer", "a2q_gcn", "degree_quant_gcn", "degree_quant_gin", "fp32_gcn", "mixq_gcn", "qat_gcn"]
