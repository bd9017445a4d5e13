"""What `tidegate demo` runs: one file a demo, whole examples from raw rows to something to see."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tidegate.demo.outcome import FreshInputs, Outcome, check_folder
from tidegate.errors import InputError, message, suggest

__all__ = ["Demo", "FreshInputs", "Outcome", "check_folder", "get", "names"]


@dataclass(frozen=True)
class Demo:
    """One demo: a function in the module of its name in this package.

    Attributes:
        name: What the user calls it.
        function: What the function is called.
        opening: What it is going to do, and with which data.
    """

    name: str
    function: str
    opening: str

    @property
    def run(self) -> Callable[[Path, bool], Outcome]:
        """What to call with the folder to write to and whether to show progress."""
        module = importlib.import_module(f"{__name__}.{self.name}")
        run: Callable[[Path, bool], Outcome] = getattr(module, self.function)
        return run


_DEMOS = {
    demo.name: demo
    for demo in (
        Demo(
            "spam",
            "filter_spam",
            "An LSTM learns to tell spam from real text messages: the SMS Spam Collection, 5,574 "
            "messages (Almeida et al. 2011).",
        ),
        Demo(
            "memory",
            "compare_memories",
            "Five recurrent nets learn to add two numbers out of 200: the two that were marked, "
            "one of them long ago (the adding problem, Hochreiter & Schmidhuber 1997).",
        ),
        Demo(
            "forecast",
            "forecast_co2",
            "An LSTM learns 41 years of the CO2 in the air at Mauna Loa, week by week (Keeling & "
            "Whorf 2004), and forecasts a year from each week of the last three.",
        ),
        Demo(
            "anomaly",
            "watch_thermometer",
            "A thermometer is read every ten minutes for 60 days, and breaks four times. A "
            "detector learns from the first 30 days what is usual, and watches the rest.",
        ),
        Demo(
            "tag",
            "tag_speech",
            "An LSTM learns the parts of speech of web text: a sample of UD English EWT, 2,000 "
            "sentences to learn from (Silveira et al. 2014).",
        ),
        Demo(
            "write",
            "write_shakespeare",
            "An LSTM reads a million characters of Shakespeare, again and again, and learns to "
            "write (Karpathy 2015). What it writes is shown as it learns.",
        ),
    )
}


def names() -> list[str]:
    """List the demos.

    Example:
        >>> "spam" in names()
        True
    """
    return sorted(_DEMOS)


def get(name: str) -> Demo:
    """Return a demo.

    Raises:
        InputError: If there is none of that name.
    """
    if name not in _DEMOS:
        raise InputError(message("demo", "NAME", "a demo", repr(name), suggest(name, _DEMOS)))
    return _DEMOS[name]
