"""The writing demo: a network reads Shakespeare, and shows what it writes as it learns."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tidegate.artifact import check_replaceable
from tidegate.datasets import load_tiny_shakespeare
from tidegate.demo.outcome import Outcome, check_folder
from tidegate.tasks.language.model import LanguageModel
from tidegate.training.progress import Event, line

_PROMPT = "\n\nROMEO:\n"  # a name that the text knows, at the beginning of a speech
_LENGTH, _LAST = 150, 600  # characters of a sample
_TEMPERATURE = 0.8
_FIRST, _GROWTH = 10, 2  # a sample after so many updates, and whenever they have doubled


def write_shakespeare(out: Path, verbose: bool) -> Outcome:
    """Learn Tiny Shakespeare character by character, and write.

    Args:
        out: The folder to write to: `model/` and `samples.txt`.
        verbose: Whether to show samples as it learns.

    Returns:
        The outcome.

    Raises:
        InputError: If `out` cannot be written, or `out/model` is something else than a model.
    """
    folder = out / "model"
    check_folder(out)
    check_replaceable(folder)
    began = time.monotonic()
    model = LanguageModel(num_layers=1, epochs=6, dropout=0.2, verbose=False)
    samples = Samples(model, verbose)
    model.fit(load_tiny_shakespeare(), callbacks=[samples])
    model.save(folder)
    last = model.generate(_PROMPT, length=_LAST, temperature=_TEMPERATURE, seed=0).strip("\n")
    lines = [*samples.written, f"At the end:\n\n{_PROMPT.strip()}\n{last}\n"]
    (out / "samples.txt").write_text("\n".join(lines), encoding="utf-8")
    found, name = model.metrics_["validation"], f"{folder}/"
    took = f"learned in {time.monotonic() - began:.0f} s"
    return Outcome(
        summary=f"{took} · model and learning_curve.png in {name}, samples in {out}/samples.txt",
        figures=[
            {"text": "the last tenth, never learned from"}
            | {key.replace("_", " "): f"{value:.3f}" for key, value in found.items()}
        ],
        verdict=f"What it writes now:\n\n{_PROMPT.strip()}\n{last}",
        commands=(
            ("generate", name, "To be, or not to be", "--temperature", "0.8"),
            ("generate", name, "JULIET:", "--stop", r"\n\n", "--num", "3"),
            ("info", name),
        ),
    )


class Samples:
    """Lets a model write while it learns: a callback of `fit`.

    Args:
        model: The model that learns.
        shown: Whether to print what it writes.

    Attributes:
        written: The samples, each below a line that says when.
    """

    def __init__(self, model: LanguageModel, shown: bool) -> None:
        self.written: Sequence[str] = ()
        self._model = model
        self._console = Console(highlight=False, markup=False, emoji=False, quiet=not shown)
        self._next, self._began = _FIRST, time.monotonic()

    def __call__(self, event: Event) -> None:
        """Write a sample if it is time for one.

        Args:
            event: A moment of the training.
        """
        if event.kind == "epoch":
            self._console.print(f"{line(event)}\n", soft_wrap=True)
        updates = (event.epoch - 1) * event.steps + event.step
        if event.kind != "batch" or updates < self._next:
            return
        self._next *= _GROWTH
        writer = copy.copy(self._model)
        writer.network_ = event.network
        text = writer.generate(_PROMPT, length=_LENGTH, temperature=_TEMPERATURE, seed=0)
        seconds = time.monotonic() - self._began
        head = f"After {updates:,} updates, {seconds:.0f} s (loss {event.loss:.2f}):"
        sample = f"{head}\n\n{_PROMPT.strip()}\n{text.strip()}\n"
        self.written = [*self.written, sample]
        self._console.print(sample, soft_wrap=True)
