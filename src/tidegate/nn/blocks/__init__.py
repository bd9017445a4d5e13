"""Blocks: the modules that stand around a recurrent layer."""
