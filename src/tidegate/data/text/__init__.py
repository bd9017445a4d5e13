"""Texts: cut into tokens, numbered, and padded into batches."""
