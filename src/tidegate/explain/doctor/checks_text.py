"""What can be wrong with how texts are read: unknown words, texts cut short."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tidegate.explain.doctor.case import (
    NEEDS_DATA,
    NO_WORDS,
    Case,
    CheckResult,
    Finding,
    Skip,
    TextSample,
    percent,
)

UNKNOWN = 0.1  # of the tokens: a word in every sentence
MOST_UNKNOWN = 0.3
CUT = 0.01  # of the texts: fewer move no score
HALF = 0.5
BETTER = 0.02  # of accuracy that reading to the end adds
WORSE = 0.05  # accuracy than the texts that are not cut
CHANGED = 0.1  # of the answers
FEWEST = 20  # texts: one answer of fewer is more than a twentieth


def vocabulary(case: Case) -> CheckResult:
    """Find data in which more than a tenth of the tokens are unknown."""
    if not case.vocabulary:
        return NO_WORDS
    reading = case.reading
    if reading is None:
        return NEEDS_DATA
    total, count = int(reading.lengths.sum()), reading.unknown.total()
    share = count / max(1, total)
    if share < UNKNOWN:
        return None
    common = ", ".join(f"{word!r} ({times:,})" for word, times in reading.unknown.most_common(5))
    return Finding(
        name="a vocabulary that misses the data",
        severity="serious" if share >= MOST_UNKNOWN else "warning",
        evidence=f"{percent(share)} of {total:,} tokens are not among the {case.vocabulary:,} that "
        f"the model knows, {len(reading.unknown):,} different ones; the most frequent: {common}",
        cost="It reads all of them as one and the same, <unk>",
        remedy=_more_words(case),
    )


def unpractised(case: Case) -> CheckResult:
    """Find a vector for unknown words that no training step has ever used.

    So it is when each word of the training texts has an id of its own, and no word was ever
    dropped: the vector is as it was drawn, at random.
    """
    if not case.vocabulary:
        return NO_WORDS
    told = case.settings
    if not {"min_frequency", "max_vocabulary", "word_dropout"} <= set(told):
        return Skip("needs the settings of the training")
    complete = told["min_frequency"] == 1 and case.vocabulary < told["max_vocabulary"]
    dropped = told["word_dropout"] or told.get("rare_word_dropout")
    if dropped or told.get("level", "word") != "word" or not complete:
        return None
    return Finding(
        name="unknown words not practised",
        severity="warning",
        evidence=f"All {case.vocabulary:,} words of the training texts have an id (min_frequency "
        "is 1), and word_dropout is 0: the vector of <unk> is the random one it started with",
        cost="A word that training did not have is read as noise",
        remedy="--word-dropout 0.1, or --min-frequency 2, and train again",
    )


def truncation(case: Case) -> CheckResult:
    """Find texts whose answer lies in what is cut off.

    Some texts that are too long are read to their end: with labels, their accuracy is 0.02 better
    then, or as they were read they score worse than the other texts, by 0.05 and by two standard
    errors; without labels, a tenth of the answers change. Half of the texts cut is worth a note.
    """
    if not case.vocabulary:
        return NO_WORDS
    reading = case.reading
    if reading is None:
        whole = case.settings and "max_length" not in case.settings
        return Skip("reads to the end, however long") if whole else NEEDS_DATA
    if reading.max_length is None:
        return Skip("reads to the end, however long")
    cut = reading.lengths > reading.max_length
    share = float(cut.float().mean())
    if share < CUT:
        return None
    seen, harm = _harm(case, reading, cut)
    if not harm and share < HALF:
        return None
    lost = float((reading.lengths - reading.max_length).clamp(min=0).sum() / reading.lengths.sum())
    evidence = (
        f"{int(cut.sum()):,} of {len(cut):,} texts ({percent(share)}) have more than "
        f"max_length={reading.max_length} tokens; {percent(lost)} of all tokens are not read"
    )
    return Finding(
        name="truncation that cuts the evidence",
        severity="warning" if harm else "note",
        evidence="; ".join([evidence, *seen]),
        cost="What decides the answer stands in what is not read"
        if harm
        else "Nothing shows that it hurts, but most texts are judged by a part of them",
        remedy=_read_more(case, reading),
    )


def _harm(case: Case, reading: TextSample, cut: Tensor) -> tuple[list[str], bool]:
    """Say what was seen about the texts that are cut, and whether the cut does harm."""
    answers, truth = case.answers, case.targets
    seen, harm = [], False
    if truth is not None and FEWEST <= int(cut.sum()) <= len(cut) - FEWEST:
        right = (answers == truth).float()
        shorter, longer = right[~cut], right[cut]
        error = float((shorter.var() / len(shorter) + longer.var() / len(longer)).sqrt())
        apart = float(shorter.mean() - longer.mean())
        harm = apart >= max(WORSE, 2 * error)
        seen.append(f"they score {longer.mean():.3f}, the others {shorter.mean():.3f}")
    if len(reading.longer) >= FEWEST:
        places = torch.tensor(reading.longer)
        before, after = answers[places], case.ask(reading.whole).argmax(1)
        changed = float((before != after).float().mean())
        told = f"read to their end, {percent(changed)} of {len(places)} get another answer"
        if truth is None:
            return [*seen, told], changed >= CHANGED
        scores = [float((found == truth[places]).float().mean()) for found in (before, after)]
        told += f" and accuracy goes from {scores[0]:.3f} to {scores[1]:.3f}"
        seen.append(told)
        harm = harm or scores[1] - scores[0] >= BETTER
    return seen, harm


def _more_words(case: Case) -> str:
    told = case.settings
    if case.vocabulary >= (told.get("max_vocabulary") or math.inf):  # None: as many as there are
        return f"--max-vocabulary {2 * case.vocabulary}, and train again"
    if told.get("min_frequency", 1) > 1:
        return f"--min-frequency 1 (now {told['min_frequency']}), and train again"
    pieces = ", or with --level bpe, which reads new words in pieces" if "level" in told else ""
    return f"Train on texts like these{pieces}"


def _read_more(case: Case, reading: TextSample) -> str:
    assert reading.max_length is not None
    needed = int(reading.lengths.double().quantile(0.95).ceil())
    longer = max(needed, reading.max_length + 1)
    keep = case.settings.get("keep", "both")
    other = "" if keep == "both" else f", or --keep both (now {keep})"
    return f"--max-length {longer}, which is enough for 95 % of these texts{other}; train again"
