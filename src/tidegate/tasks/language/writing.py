"""Writing: the methods of a language model that write, and weigh what is written."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from tidegate.cells.base import check_size
from tidegate.data.language.encoder import END, UNKNOWN, LanguageEncoder
from tidegate.data.text.cleaning import WITHOUT_SURROGATES, lone_surrogate
from tidegate.decode.beam import beam_search
from tidegate.decode.sampling import Array, Decoding, Sampler
from tidegate.decode.spelling import Speller
from tidegate.errors import InputError, message
from tidegate.nn.trace.selection import Names, Numbers, pick
from tidegate.nn.trace.trace import Trace
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.core.inspect.trace import stack_name
from tidegate.tasks.core.task import Task
from tidegate.tasks.language.network import LanguageNetwork
from tidegate.tasks.language.pen import Pen, read_parts
from tidegate.tasks.language.trace import trace_texts

_OWNER = "generate"


class Writing(Task):
    """A task that writes: what `LanguageModel` inherits.

    A prompt is what the text goes on from. A model that learned documents reads it as the
    beginning of one, and an empty prompt will do; for another model an empty one is a line end, or
    a full stop if it has never seen line ends. Characters that the model has never seen are
    refused; words that it has never seen are read as
    "<unk>", with a warning. "<unk>" is never written.
    """

    network_: LanguageNetwork
    encoder_: LanguageEncoder
    documents_: bool

    def generate(
        self,
        prompt: str | Sequence[str] = "",
        *,
        length: int = 500,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        min_p: float | None = None,
        beam: int | None = None,
        stop: str | Sequence[str] = (),
        seed: int | None = None,
    ) -> Any:  # a text for a text, a list for a list; overloads would tell all options thrice
        """Write on.

        Args:
            prompt: What the text goes on from, or a list of such texts, which are written at once.
            length: Symbols to write at most: characters, words or pieces of words.
            temperature: Below 1 the likely gets likelier; 0 takes the likeliest symbol always.
            top_k: Choose among so many likeliest symbols; None for all.
            top_p: Choose among the likeliest that together have this probability.
            min_p: Choose among those with this share of the likeliest one's probability.
            beam: Do not choose by chance, but search the likeliest text with so many beams.
            stop: A text that ends the writing, or several; it is written, too. Line ends of every
                system are one, as in what was learned.
            seed: The same seed writes the same; None writes something else each time.

        Returns:
            The text that follows the prompt; a list of them for a list.

        Raises:
            InputError: If an argument is out of its range, or a prompt has symbols that the model
                has never seen.
            NotFittedError: If the model was not fitted.

        Example:
            >>> model.generate("To be", length=80, temperature=0.8)  # doctest: +SKIP
        """
        decoding = Decoding(temperature, top_k, top_p, min_p)
        prompts = list(prompt) if isinstance(prompt, list | tuple) else [prompt]
        texts, stops = self._prompts(prompts, length, seed), self._stops(stop)
        if beam is not None:
            _check_beam(beam, decoding, seed)
            written = [self._search(text, length, beam, stops) for text in texts]
        else:
            steps = list(self._sample(texts, length, decoding, stops, seed)) if texts else []
            written = ["".join(pieces) for pieces in zip(*steps, strict=True)]
        return written if isinstance(prompt, list | tuple) else written[0]

    def write(
        self,
        prompt: str = "",
        *,
        length: int = 500,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        min_p: float | None = None,
        stop: str | Sequence[str] = (),
        seed: int | None = None,
    ) -> Iterator[str]:
        """Write on, and hand out each piece as soon as it is there.

        Args:
            prompt: As of `generate`, one text, like what follows.
            length: As of `generate`.
            temperature: As of `generate`.
            top_k: As of `generate`.
            top_p: As of `generate`.
            min_p: As of `generate`.
            stop: As of `generate`.
            seed: As of `generate`.

        Returns:
            The pieces: together they are what `generate` returns for the same seed.

        Raises:
            InputError: As `generate` does.
            NotFittedError: If the model was not fitted.

        Example:
            >>> for piece in model.write("To be"):  # doctest: +SKIP
            ...     print(piece, end="", flush=True)
        """
        decoding = Decoding(temperature, top_k, top_p, min_p)
        texts, stops = self._prompts([prompt], length, seed), self._stops(stop)
        steps = self._sample(texts, length, decoding, stops, seed)
        return (pieces[0] for pieces in steps)

    def log_probabilities(self, text: str, *, prompt: str = "") -> pd.DataFrame:
        """Say how likely each symbol of a text is after those before it.

        Args:
            text: The text.
            prompt: What stands before it.

        Returns:
            A table with a line for each symbol: "token" and "log_probability", in nats.

        Raises:
            InputError: If a text has characters that the model has never seen, or is empty.
            NotFittedError: If the model was not fitted.

        Example:
            >>> model.log_probabilities("To be")["log_probability"].sum()  # doctest: +SKIP
        """
        self._check_fitted()
        ids = self._ids("text", text)
        if not ids:
            rule = "a text with a symbol"
            raise InputError(message(type(self).__name__, "text", rule, repr(text)))
        before = self._before(prompt)
        whole = [*before, *ids]
        found, head, after = [], self.network_.head, torch.tensor(whole[1:])
        for features, _, valid in read_parts(self.network_, [whole[:-1]]):
            following, after = after.tensor_split([int(valid)])
            with torch.inference_mode():
                logs = head.answer(features[0]).cpu()
            found.append(logs.gather(1, following[:, None])[:, 0].double())
        costs = torch.cat(found)[len(before) - 1 :].numpy()
        tokens = self.encoder_.symbols(text)
        frame: pd.DataFrame = pd.DataFrame({"token": tokens, "log_probability": costs})
        return frame

    def trace(
        self,
        X: str | Iterable[str],
        *,
        stack: str | None = None,
        layers: Numbers = None,
        units: Numbers = None,
        gates: Names = None,
    ) -> Trace:
        """Trace the gates and states of the recurrent stacks while they read texts.

        Args:
            X: A text, or a list of texts; each is read from a state of zero.
            stack: The name of one of the stacks; None for all, their layers counted through.
            layers: Numbers of the layers to keep, from 0; None for all. Layers of different sizes
                do not fit into one trace.
            units: Numbers of the units to keep, from 0; None for all.
            gates: Names of the gates to keep; None for all. The states are kept in any case.

        Returns:
            A trace, labelled with the symbols; of a model that learned documents, the first step
            is their beginning, labelled "".

        Raises:
            InputError: If a text is wrong, or there is no such layer, unit or gate.
            NotFittedError: If the model was not fitted.

        Example:
            >>> model.trace("To be")  # doctest: +SKIP
        """
        self._check_fitted()
        texts = [X] if isinstance(X, str) else list(X)
        ids = [self._ids("X", text) for text in texts]
        if not any(ids):
            raise InputError(message(type(self).__name__, "X", "a text with a symbol", repr(X)))
        # A model of documents has never read a text without its beginning, which has no name.
        start = [END] if self.documents_ else []
        read = [[*start, *row] for row in ids]
        if stack is not None:
            layers = self._layers_of(stack, layers)
        trace = trace_texts(self.network_, read, layers=layers, units=units, gates=gates)
        return trace.labelled([["" for _ in start] + self.encoder_.symbols(t) for t in texts])

    def _layers_of(self, stack: str, layers: Numbers) -> list[int]:
        """The numbers that layers of one stack have, counted through all stacks."""
        stacks = self.network_.recurrent_stacks()
        chosen, first = stack_name(self.network_, stack), 0
        for name, found in stacks.items():
            if name == chosen:
                break
            first += found.num_layers
        return [
            first + n for n in pick("trace", "layers", layers, range(stacks[chosen].num_layers))
        ]

    def _prompts(self, prompts: Sequence[object], length: int, seed: object) -> list[list[int]]:
        """Check what both ways to write share; return the ids of the prompts."""
        self._check_fitted()
        check_size(_OWNER, "length", length)
        if seed is not None:
            check_size(_OWNER, "seed", seed, least=0)
        return [self._before(prompt) for prompt in prompts]

    def _sample(
        self,
        texts: Sequence[Sequence[int]],
        length: int,
        decoding: Decoding,
        stops: Sequence[str],
        seed: int | None,
    ) -> Iterator[list[str]]:
        """Write by chance: yield what each step adds to each text."""
        pen = Pen(self.network_, len(texts), self._banned)
        seeds = [None if seed is None else [seed, row] for row in range(len(texts))]
        sampler = Sampler(decoding, self.encoder_.size, seeds)
        spellers = [Speller(self.encoder_, before, stops) for before in texts]
        scores = pen.read(texts)
        for step in range(1, length + 1):
            ids = sampler.choose(scores)
            symbols = ids.reshape(-1).tolist()
            yield [speller.add(symbol) for speller, symbol in zip(spellers, symbols, strict=True)]
            if step == length or all(speller.done for speller in spellers):
                return
            scores = pen.step(ids)

    def _search(self, before: Sequence[int], length: int, beam: int, stops: Sequence[str]) -> str:
        """Write by search."""
        pen = Pen(self.network_, beam, self._banned)

        def spell(ids: Sequence[int]) -> tuple[str, bool]:
            speller = Speller(self.encoder_, before, stops)
            return "".join(map(speller.add, ids)), speller.done

        def advance(symbols: Array, rows: Array) -> Array:
            idle = (0, beam - len(rows))  # rows of the pen that nobody needs now
            pen.take(np.pad(rows, idle))
            return pen.step(np.pad(symbols, idle)).reshape(beam, -1)[: len(rows)]

        def ended(ids: Sequence[int]) -> bool:
            return bool(stops or self.documents_) and spell(ids)[1]

        first = pen.read([before] * beam).reshape(beam, -1)[0]
        found = beam_search(first, advance, width=beam, length=length, ended=ended)
        return spell(found.ids)[0]

    @property
    def _banned(self) -> list[int]:
        """What is never written: the unknown symbol, and an end that was never seen."""
        ends = self.documents_ or self.encoder_.level == "space"
        return [UNKNOWN] if ends else [UNKNOWN, END]

    def _before(self, prompt: object) -> list[int]:
        """The ids of a prompt; an empty one is where a document, a line or a sentence begins."""
        ids = ([END] if self.documents_ else []) + self._ids("prompt", prompt)
        starts = (self.encoder_.ids(end) for end in ("\n", "."))
        known = (start for start in starts if start and UNKNOWN not in start)
        return ids or next(known, [UNKNOWN])

    def _stops(self, stop: object) -> list[str]:
        """Check what ends the writing; it is compared with what the model can write."""
        stops = []
        for text in stop if isinstance(stop, list | tuple) else [stop]:
            if not isinstance(text, str) or not text:
                raise InputError(message(_OWNER, "stop", "texts with a character", repr(text)))
            _check_characters(_OWNER, "stop", text)
            stops.append(self.encoder_.as_written(text))
            if not self.encoder_.writes(stops[-1]):
                what = f"the model never writes the stop {text!r}: it has not learned all of it."
                warnings.warn(DataWarning(what), stacklevel=3)
        return stops

    def _ids(self, argument: str, text: object) -> list[int]:
        """The ids of a text; see the policy of the class about symbols never seen."""
        owner = type(self).__name__
        if not isinstance(text, str):
            raise InputError(message(owner, argument, "a text", type(text).__name__))
        _check_characters(owner, argument, text)
        unknown = self.encoder_.unknown(text)
        if unknown:
            shown = ", ".join(repr(symbol) for symbol, _ in unknown.most_common(5))
            if self.encoder_.level == "char":
                rule = "made of characters that the model has seen"
                remedy = "Leave them out, or train on text that has them"
                raise InputError(message(owner, argument, rule, shown, remedy))
            what = f"words that the model has never seen are read as <unk>: {shown}."
            warnings.warn(DataWarning(what, unknown.total()), stacklevel=4)
        return self.encoder_.ids(text)


def _check_characters(owner: str, argument: str, text: str) -> None:
    if found := lone_surrogate(text):
        raise InputError(message(owner, argument, "valid Unicode", found, WITHOUT_SURROGATES))


def _check_beam(beam: object, decoding: Decoding, seed: object) -> None:
    """Refuse to search and to choose by chance at once."""
    check_size(_OWNER, "beam", beam)
    if decoding != Decoding() or seed is not None:
        rule = "left out with temperature, top_k, top_p, min_p and seed"
        remedy = "A search finds the likeliest text and leaves nothing to chance"
        raise InputError(message(_OWNER, "beam", rule, beam, remedy))
