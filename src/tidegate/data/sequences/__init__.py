"""Sequences of numbers: many rows of their own length, a vector at each step."""
