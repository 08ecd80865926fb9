"""Trained models as folders: written whole, checked when read, the same logits bit for bit elsewhere."""

from lorap_bench.models.saved.files import SCHEMA_VERSION, read_integers
from lorap_bench.models.saved.load import SavedModel, load_model
from lorap_bench.models.saved.save import Trained, refuse_taken, save_model

__all__ = ["SCHEMA_VERSION", "SavedModel", "Trained", "load_model", "read_integers", "refuse_taken", "save_model"]
