"""Tasks: one object that owns the chain from raw data to a saved model; a folder a family.

`registry.py` knows them by name, `core/` is what they share.
"""

from tidegate.tasks.registry import Outline, get, load, load_for, names, of_model, outline

__all__ = ["Outline", "get", "load", "load_for", "names", "of_model", "outline"]
