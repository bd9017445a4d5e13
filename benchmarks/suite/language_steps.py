"""Training steps of language models: how long they take, and how much memory."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.peers import UnableError
from benchmarks.suite.language_peer import PlainStack
from tidegate.data.language.corpus import Corpus
from tidegate.data.language.streams import StreamPieces, Streams
from tidegate.kernels import aten
from tidegate.tasks.language.network import LanguageNetwork, build_language_network
from tidegate.tasks.language.settings import LanguageModelSettings
from tidegate.training.optimizer import make_optimizer

# What runs the recurrent layers.
PEERS = ("tidegate", "tidegate-bfloat16", "torch", "torch-bfloat16")


def make_network(settings: dict[str, Any], symbols: int, peer: str) -> LanguageNetwork:
    """Build a network whose recurrent layers are tidegate's or torch's own.

    Args:
        settings: Of a LanguageModel.
        symbols: Size of the vocabulary.
        peer: One of `PEERS`.

    Raises:
        UnableError: If the peer does not run on this processor.
    """
    torch.manual_seed(0)
    if peer == "tidegate-bfloat16":
        options = {**settings.get("layer_options", {}), "precision": "bfloat16"}
        settings = {**settings, "layer_options": options}
    network = build_language_network(LanguageModelSettings(**settings), symbols)
    if peer.startswith("torch"):
        make_plain(network, bfloat16=peer.endswith("bfloat16"))
    return network.train()


def make_plain(network: LanguageNetwork, *, bfloat16: bool = False) -> None:
    """Put torch's own layers, with the same weights, in the place of tidegate's.

    Raises:
        UnableError: If torch has no such LSTM on this processor.
    """
    if bfloat16 and not aten.has_mixed_lstm(torch.float32, torch.bfloat16, train=True):
        raise UnableError("torch cannot train an LSTM under bfloat16 autocast on this processor")
    plain = [PlainStack(stack, bfloat16=bfloat16) for stack in network.layers]
    network.stacks = torch.nn.ModuleList(plain)


def make_step(
    network: LanguageNetwork, settings: dict[str, Any], symbols: int
) -> Callable[[], float]:
    """Return a function that takes one training step on random symbols, and returns the loss."""
    chosen = LanguageModelSettings(**settings)
    tokens = chosen.batch_size * chosen.bptt + 1
    ids = np.random.default_rng(0).zipf(1.2, tokens) % symbols
    streams = Streams(Corpus(ids), count=chosen.batch_size, steps=chosen.bptt)
    batch = streams.batch(StreamPieces(streams, vary=False).epoch(0)[0])
    groups = network.groups(chosen.learning_rate, chosen.weight_decay)
    optimizer = make_optimizer(chosen.optimizer, groups, torch.device("cpu"))

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss, _ = network.learn(batch)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def seconds_in_turn(steps: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Median seconds of each step; one of each a round, so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(rounds):
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(found) for name, found in times.items()}


def apart(settings: dict[str, Any], symbols: int, rounds: int) -> dict[str, float]:
    """Measure time and memory of a step in a process of its own.

    Args:
        settings: Of a LanguageModel.
        symbols: Size of the vocabulary.
        rounds: Steps to time.

    Returns:
        `seconds`, the median step; `bytes`, the most memory over what the libraries take.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (settings, symbols, rounds, torch.get_num_threads()))


def _measured(
    settings: dict[str, Any], symbols: int, rounds: int, threads: int
) -> dict[str, float]:
    torch.set_num_threads(threads)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step = make_step(make_network(settings, symbols, "tidegate"), settings, symbols)
    seconds = seconds_in_turn({"step": step}, rounds)["step"]
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "bytes": 1024.0 * (after - before)}
