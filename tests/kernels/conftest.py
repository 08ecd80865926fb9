"""Triton compiles its kernels where there is a CUDA device and interprets them elsewhere: said before their import."""

from __future__ import annotations

import os

import torch

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"
