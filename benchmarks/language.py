"""Language models: Tiny Shakespeare, Penn Treebank, the speed of AWD-LSTM, adaptive softmax.

    python -m benchmarks language shakespeare [--longer] [--dynamic] [NAME=VALUE ...]
    python -m benchmarks language ptb [--awd [--plain]] [--dynamic] [NAME=VALUE ...]
    python -m benchmarks language awd-speed
    python -m benchmarks language adaptive

The first two train on the published splits and print the loss of every epoch, the time and what
the finished model scores, read in one go with its state carried; settings of `LanguageModel` may
be changed by NAME=VALUE; with --plain the recurrent layers are torch's own, so that two runs show
whether ours learn alike. The other two time training steps beside plain PyTorch, and beside the
full softmax.
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from examples.awd_lstm import RECIPE

import tidegate
from benchmarks.common import data_file, machine, parser, write
from benchmarks.peers import UnableError
from benchmarks.suite.language_steps import (
    PEERS,
    apart,
    make_network,
    make_plain,
    make_step,
    seconds_in_turn,
)
from tidegate.tasks.language.network import LanguageNetwork
from tidegate.tasks.language.settings import LanguageModelSettings
from tidegate.training.progress import Event, line

# Chosen on the validation part, which is all there is: more weights, held back harder, for longer.
LONGER: dict[str, Any] = {
    "hidden_size": 768,
    "dropout": 0.5,
    "input_dropout": 0.1,
    "epochs": 30,
    "weight_averaging": 0.999,
    "layer_options": {"weight_dropout": 0.3, "precision": "bfloat16"},
}

# Fewer weights than Zaremba's medium model, regularised as AWD-LSTM is but less, for it trains for
# two hours on one core and not for days.
PTB: dict[str, Any] = {
    "level": "space",
    "num_layers": 2,
    "hidden_size": 650,
    "dropout": 0.4,
    "hidden_dropout": 0.25,
    "input_dropout": 0.3,
    "embedding_dropout": 0.05,
    "layer_options": {"weight_dropout": 0.4, "precision": "bfloat16"},
    "epochs": 20,
    "batch_size": 20,
    "bptt": 70,
    "learning_rate": 3e-3,
    "warmup": 0.1,
    "weight_decay": 0.03,
    "weight_averaging": 0.999,
}

_VOCABULARY = 200_000
_WIDE: dict[str, Any] = {
    "level": "word", "hidden_size": 256, "embedding_size": 64, "num_layers": 1, "dropout": 0.0,
    "tied": False, "batch_size": 16, "bptt": 64, "optimizer": "sgd",
}  # fmt: skip
_WORDS = 10_000  # those of Penn Treebank


def main(arguments: list[str]) -> None:
    """Run one of the four, print what it finds and write results/language_NAME.json as it comes."""
    options = parser(__doc__)
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.add_argument("what", choices=("shakespeare", "ptb", "awd-speed", "adaptive"))
    options.add_argument("settings", nargs="*", metavar="NAME=VALUE")
    options.add_argument("--longer", action="store_true", help="the best settings we know")
    options.add_argument("--awd", action="store_true", help="the recipe of AWD-LSTM")
    options.add_argument("--plain", action="store_true", help="with torch's own layers")
    options.add_argument("--dynamic", action="store_true", help="dynamic evaluation besides")
    options.add_argument("--save", type=Path, help="folder for the model")
    options.add_argument("--resume", action="store_true", help="go on with a stopped run of --save")
    options.add_argument("--rounds", type=int, default=5, help="steps to time")
    chosen = options.parse_intermixed_args(arguments)
    print(machine(), flush=True)
    run = {"shakespeare": shakespeare, "ptb": ptb, "awd-speed": speed, "adaptive": adaptive}
    variants = [name for name in ("longer", "awd", "plain") if getattr(chosen, name)]
    name = "_".join(["language", chosen.what.replace("-", "_"), *variants])
    result: dict[str, Any] = {}
    for found in run[chosen.what](chosen):
        result |= found
        write(chosen.out, name, result)


class PlainModel(tidegate.LanguageModel):
    """A language model whose recurrent layers are torch's own."""

    def _build(self) -> LanguageNetwork:
        network = super()._build()
        make_plain(network)
        return network


def shakespeare(chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Characters: the first 90 % to learn from, the last 10 % to measure on."""
    path = data_file("tinyshakespeare.txt.gz", chosen.data)
    text = gzip.decompress(path.read_bytes()).decode()
    cut = int(len(text) * 0.9)
    parts = {"train": text[:cut], "validation": text[cut:]}
    return trained(chosen, LONGER if chosen.longer else {}, parts)


def ptb(chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Words: the published files."""
    names = {"train": "train", "validation": "valid", "test": "test"}
    parts = {part: data_file(f"ptb.{name}.txt.gz", chosen.data) for part, name in names.items()}
    return trained(chosen, RECIPE if chosen.awd else PTB, parts)


def trained(
    chosen: argparse.Namespace, settings: dict[str, Any], parts: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Train on "train", choose the epoch by "validation", and measure all other parts."""
    settings = settings | read_settings(chosen.settings)
    kind = PlainModel if chosen.plain else tidegate.LanguageModel
    model = kind(verbose=False, **settings)
    begin = time.perf_counter()

    def show(event: Event) -> None:
        if event.kind == "epoch":
            print(f"{(time.perf_counter() - begin) / 60:6.1f} min  {line(event)}", flush=True)

    kept = None if chosen.save is None else chosen.save.with_name(f"{chosen.save.name}.checkpoint")
    model.fit(
        parts["train"],
        validation=parts["validation"],
        callbacks=[show],
        checkpoint=kept,
        resume=chosen.resume,
    )
    seconds = time.perf_counter() - begin
    scores = {part: model.evaluate(X) for part, X in parts.items() if part != "train"}
    for part, found in scores.items():
        print(f"{part}: {told(found)}")
    print(f"{model.number_of_parameters:,} weights, {seconds / 60:.1f} minutes of training")
    if chosen.save is not None:
        model.metrics_ |= scores
        model.save(chosen.save)
    yield {
        "settings": settings,
        "parameters": model.number_of_parameters,
        "seconds": seconds,
        "best_epoch": model.best_epoch_,
        "scores": scores,
        "history": model.history_,
    }
    if chosen.dynamic:
        last = list(parts)[-1]
        found = model.evaluate(parts[last], dynamic=parts["train"])
        print(f"{last}, adapted to what it has read: {told(found)}")
        yield {"dynamic": {last: found}}


def told(scores: dict[str, float]) -> str:
    """Put scores in a line."""
    return ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in scores.items())


def read_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Read NAME=VALUE as the command line reads a setting."""
    found = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        LanguageModelSettings.check_name(name)
        found[name] = LanguageModelSettings.options()[name].parse(text, "LanguageModel")
    return found


def speed(chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Training steps of the shape of AWD-LSTM, beside the same in plain PyTorch."""
    settings = RECIPE | read_settings(chosen.settings)
    steps = {}
    for peer in PEERS:
        try:
            network = make_network(settings, _WORDS, peer)
        except UnableError as reason:
            print(f"{peer:<18} not measured: {reason}")
        else:
            steps[peer] = make_step(network, settings, _WORDS)
    seconds = seconds_in_turn(steps, chosen.rounds)
    tokens = settings["batch_size"] * settings["bptt"]
    rates = {peer: tokens / found for peer, found in seconds.items()}
    for peer, found in rates.items():
        print(f"{peer:<18} {found:8,.0f} tokens/s  {found / rates['torch']:.2f} times torch")
    yield {"settings": settings, "tokens_per_second": rates}


def adaptive(chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A training step over 200,000 words with a full and with an adaptive softmax."""
    found = {}
    for softmax in ("full", "adaptive"):
        settings = _WIDE | {"softmax": softmax} | read_settings(chosen.settings)
        found[softmax] = apart(settings, _VOCABULARY, chosen.rounds)
        told_of = found[softmax]
        print(f"{softmax:<9} {told_of['seconds']:7.3f} s  {told_of['bytes'] / 2**20:8,.0f} MiB")
    ratios = {name: found["adaptive"][name] / found["full"][name] for name in ("seconds", "bytes")}
    print(f"adaptive / full: time {ratios['seconds']:.3f}, memory {ratios['bytes']:.3f}")
    yield {"settings": _WIDE, "vocabulary": _VOCABULARY, "steps": found, "ratios": ratios}
