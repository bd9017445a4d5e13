"""What `python -m benchmarks kernels` is made of: cases, timing, groups of targets, reports."""
