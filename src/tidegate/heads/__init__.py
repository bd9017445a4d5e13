"""Heads: from a network's features to a loss in training and to an answer afterwards."""

from tidegate.heads.classify import ClassifyHead, ClassifyMeter
from tidegate.heads.forecast import ForecastHead, ForecastMeter
from tidegate.heads.regress import RegressHead, RegressMeter

__all__ = [
    "ClassifyHead",
    "ClassifyMeter",
    "ForecastHead",
    "ForecastMeter",
    "RegressHead",
    "RegressMeter",
]
