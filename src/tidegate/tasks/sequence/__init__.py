"""A class or a number for each sequence of numbers."""
