"""Benchmarks: each module is one, with `main(arguments)`; `python -m benchmarks` lists them."""
