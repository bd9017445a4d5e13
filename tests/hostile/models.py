"""A tiny model of each task, and more where a task keeps other files: made once, to be damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import tidegate
from tests.tasks.sentences import small, tagged
from tests.tasks.sequences import walks
from tests.tasks.series import hours, wave
from tests.tasks.texts import texts
from tidegate.data import read_series
from tidegate.data.series.panel import Panel
from tidegate.tasks.core.task import Task
from tidegate.tasks.forecast.forecast import Forecast

Ask = Callable[[Task], Any]
_QUICK: dict[str, Any] = {"epochs": 1, "hidden_size": 2, "batch_size": 32, "verbose": False}


def models(folder: Path) -> dict[str, tuple[Path, Ask]]:
    """Fit and save them: the folder of each by its name, and what it is asked."""
    X, y = texts(40)
    words, tags = tagged(30)
    rows, ways, ends = walks(40)
    named = pd.DataFrame(wave(120, 2), columns=["a", "b"], index=hours(120))
    level = pd.Series(np.exp(wave(120) / 20), index=hours(120), name="level")
    shops = _shops()
    text, series = {**_QUICK, "embedding_size": 2}, {**_QUICK, "lookback": 12, "horizon": 4}
    made: dict[str, tuple[Task, Ask]] = {
        "words": (
            tidegate.TextClassifier(**text, ngrams=2, ngram_vectors=True, tokenizer=str.split).fit(
                X, y
            ),
            lambda model: model.answer(X[:2]),
        ),
        "pieces": (
            tidegate.TextClassifier(**text, level="bpe", max_vocabulary=270).fit(X, y),
            lambda model: model.answer(X[:2]),
        ),
        "tagger": (
            small(epochs=1, hidden_size=2).fit(words, tags),
            lambda model: model.answer(words[:2]),
        ),
        "language": (
            tidegate.LanguageModel(**_QUICK).fit(X),
            lambda model: [model.answer(X[:2]), model.generate("a", length=5, seed=0)],
        ),
        "forecaster": (
            tidegate.Forecaster(**series).fit(shops),
            lambda model: _numbers(model.predict(shops)),
        ),
        "logarithms": (
            tidegate.Forecaster(**series, log=True, differencing=4).fit(level),
            lambda model: _numbers(model.predict()),
        ),
        "detector": (
            tidegate.AnomalyDetector(**_QUICK, lookback=16).fit(named),
            lambda model: model.answer(named[-20:]),
        ),
        "classes": (
            tidegate.SequenceClassifier(**_QUICK).fit(rows, ways),
            lambda model: model.answer(rows[:2]),
        ),
        "values": (
            tidegate.SequenceRegressor(**_QUICK).fit(rows, ends),
            lambda model: model.answer(rows[:2]),
        ),
    }
    for name, (model, _) in made.items():
        model.save(folder / name)
    return {name: (folder / name, ask) for name, (_, ask) in made.items()}


def _shops() -> Panel:
    """Two shops, the prices of the next days known, and what kind of shop each is."""
    frames = []
    for number, shop in enumerate(["north", "south"]):
        sales = wave(90, seed=number)
        sales[-4:] = np.nan
        frames.append(
            pd.DataFrame(
                {
                    "when": pd.date_range("2024-01-01", periods=90),
                    "shop": shop,
                    "sales": sales,
                    "price": wave(90, seed=2),
                    "visits": wave(90, seed=3),
                    "kind": shop[0],
                    "size": number,
                }
            )
        )
    roles: dict[str, Any] = {"known": "price", "past": "visits", "static": ["kind", "size"]}
    return read_series(pd.concat(frames), time="when", id="shop", target="sales", **roles)


def _numbers(forecast: Forecast) -> list[Any]:
    frame = forecast.to_frame()
    return [frame.to_dict("list"), forecast.mean, forecast.lower, forecast.upper]
