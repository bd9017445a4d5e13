"""Heads: from a network's features to a loss in training and to an answer afterwards."""

from tidegate.heads.classify import ClassifyHead, ClassifyMeter
from tidegate.heads.forecast import ForecastHead, ForecastMeter
from tidegate.heads.language import LanguageHead, LanguageMeter, SymbolHead
from tidegate.heads.language_adaptive import AdaptiveHead
from tidegate.heads.language_mixture import MixtureHead
from tidegate.heads.regress import RegressHead, RegressMeter
from tidegate.heads.tag import TagHead, TagMeter

__all__ = [
    "AdaptiveHead",
    "ClassifyHead",
    "ClassifyMeter",
    "ForecastHead",
    "ForecastMeter",
    "LanguageHead",
    "LanguageMeter",
    "MixtureHead",
    "RegressHead",
    "RegressMeter",
    "SymbolHead",
    "TagHead",
    "TagMeter",
]
