"""Streaming: one step at a time, from NumPy to NumPy, with the bits of a whole pass."""
