"""Trace: the gates and states of a pass, with names."""
