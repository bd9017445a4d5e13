"""Classes of whole texts."""
