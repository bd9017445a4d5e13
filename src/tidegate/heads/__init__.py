"""Heads: from a network's features to a loss in training and to an answer afterwards."""

from tidegate.heads.classify import ClassifyHead, ClassifyMeter

__all__ = ["ClassifyHead", "ClassifyMeter"]
