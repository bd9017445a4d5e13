"""Data that no setting was chosen on: one module a part of `python -m benchmarks defaults`."""
