"""Report: one answer and everything that led to it, on a page."""
