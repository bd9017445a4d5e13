"""Decoding: how symbols come out of scores, one at a time."""
