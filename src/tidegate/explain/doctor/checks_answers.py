"""What can be wrong with answers: padding leaks in, one class for all, rare classes missed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from tidegate.batch import Batch
from tidegate.explain.doctor.case import (
    NEEDS_DATA,
    NO_CLASSES,
    Case,
    CheckResult,
    Finding,
    Skip,
    percent,
)
from tidegate.explain.network import input_of
from tidegate.explain.units.activity import pick, sample

LEAK = 1e-4  # ten times what two orders of adding float32 numbers differ by
PADDING = 7  # steps added
CONSTANT = 0.995  # of the answers
ONE_CLASS = 0.95  # of the rows: there the same answer may be right
FEWEST_ANSWERS = 20
MISSED = 0.5  # of the rows of a class: the better half is not found
FOUND = 0.75  # of the rows of the largest class, to blame the balance and not the network
FEWEST_OF_CLASS = 10
UNLIKE = 2  # times as many rows
APART = 0.15  # accuracy over macro F1


def padding(case: Case) -> CheckResult:
    """Find answers that change when padding is added behind the rows.

    Each of 16 rows is answered alone, without any padding, and among the others with 7 steps
    more of it than the longest needs.
    """
    if not case.batches:
        return NEEDS_DATA
    rows, together = _trial(case)
    longest = together.values.shape[1]
    if all(row.values.shape[1] == longest for row in rows):
        return Skip("its rows are all of one length")
    alone, among = case.ask(rows), case.ask([together])
    apart = _apart(alone, among)
    inner = 0.0 if case.stack is None else _steps_apart(case, rows, together)
    if max(apart, inner) <= LEAK:
        return None
    changed = int((alone.argmax(1) != among.argmax(1)).sum()) if case.classes else 0
    other = f" ({changed} get another class)" if changed else ""
    at = "the recurrent layer" if inner > LEAK else "what follows the recurrent layer"
    return Finding(
        name="padding that leaks",
        severity="serious",
        evidence=f"The answers to {len(rows)} rows change by up to {apart:.2g}{other} when they "
        f"are padded to {longest} steps; the valid steps of the layer by {inner:.2g}",
        cost="What a row is answered depends on the rows beside it",
        remedy=f"Mend {at}: pass lengths=batch.lengths to it, or leave out what batch.mask says",
    )


def constant(case: Case) -> CheckResult:
    """Find a network that answers the same whatever it is asked.

    Without rows, scores are looked for that only such a network can have: if all answers are one
    class, of which a share a of the rows is, its F1 is 2 a / (1 + a) and that of the others 0.
    """
    if not case.classes:
        return NO_CLASSES
    if not case.batches or len(case.answers) < FEWEST_ANSWERS:
        return _constant_by_scores(case) or (None if _scores(case) else _too_few(FEWEST_ANSWERS))
    shares = _shares(case.answers, len(case.classes))
    top = int(shares.argmax())
    if shares[top] < CONSTANT:
        return None
    counted = f"{len(case.answers):,} {case.answered}"
    told = f"{percent(float(shares[top]))} of {counted} are answered {case.classes[top]!r}"
    severity = "warning"
    if case.targets is not None:
        truth = _shares(case.targets.long(), len(case.classes))
        if truth.max() > ONE_CLASS:
            return None
        severity = "serious"
        told += f", which is right for {percent(float(truth[top]))}"
    return _constant(case, told, severity)


def neglected(case: Case) -> CheckResult:
    """Find rare classes that are not found, in a training that counted each row the same.

    Rare: at most half as many rows as the largest class, and 10 at least; not found: under half
    of them, while three quarters of the largest class are. Without labelled rows: an accuracy
    0.15 above macro F1.
    """
    if not case.classes:
        return NO_CLASSES
    if case.settings.get("class_weight") is not None:
        return None
    if isinstance(constant(case), Finding):
        return Skip("all answers are the same")
    if not case.batches or case.targets is None or len(case.answers) < FEWEST_ANSWERS:
        return _neglected_by_scores(case)
    counts = torch.bincount(case.targets, minlength=len(case.classes))
    right = case.targets[case.answers == case.targets]
    recall = torch.bincount(right, minlength=len(counts)) / counts.clamp(min=1)
    top = int(counts.argmax())
    rare = (counts >= FEWEST_OF_CLASS) & (counts * UNLIKE <= counts[top]) & (recall < MISSED)
    if not rare.any() or recall[top] < FOUND:
        return None
    told = [
        f"{percent(float(recall[c]))} of the {int(counts[c]):,} {case.answered} of "
        f"{case.classes[c]!r}"
        for c in rare.nonzero()[:, 0].tolist()
    ]
    return _unbalanced(
        case,
        f"Found are {', '.join(told)}, but {percent(float(recall[top]))} of the "
        f"{int(counts[top]):,} of {case.classes[top]!r}",
    )


def empty(case: Case) -> CheckResult:
    """Find rows with no step at all, which are answered blindly."""
    if not case.batches:
        return NEEDS_DATA
    count = sum(int((batch.lengths == 0).sum()) for batch in case.batches)
    if not count:
        return None
    return Finding(
        name="rows with nothing to read",
        severity="note" if count < 0.01 * case.rows else "warning",
        evidence=f"{count:,} of {case.rows:,} rows have no step that the network reads",
        cost="They all get the same answer, which says nothing about them",
        remedy="Drop these rows, or look at what cleaning takes out of them"
        + (" (--clean, --stop-words)" if "clean" in case.settings else ""),
    )


def _trial(case: Case) -> tuple[Sequence[Batch], Batch]:
    """Some rows alone, and together, where they can be with more padding than they need."""
    if case.trial is not None and type(case.trial[1]) is not Batch:
        return case.trial
    rows: Sequence[Batch]
    if case.trial is not None:
        rows = case.trial[0]
    else:
        rows = [pick(b, torch.tensor([i])) for b in sample(case.batches, 16) for i in range(len(b))]
    longest = max(row.values.shape[1] for row in rows) + PADDING
    return rows, _merged([_padded(row, longest) for row in rows])


def _padded(row: Batch, steps: int) -> Batch:
    values = row.values
    rest = [0, 0] * (values.ndim - 2) + [0, steps - values.shape[1]]
    return Batch(F.pad(values, rest), row.lengths)


def _merged(rows: list[Batch]) -> Batch:
    return Batch(torch.cat([row.values for row in rows]), torch.cat([row.lengths for row in rows]))


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / (1 + one.abs().max()))


def _steps_apart(case: Case, rows: Sequence[Batch], together: Batch) -> float:
    """How far the layer's output at valid steps differs with and without padding."""
    stack = case.stack
    assert stack is not None
    device = next(stack.parameters()).device

    def output(batch: Batch) -> tuple[Tensor, Tensor]:
        read = input_of(case.network, batch.to(device), case.stack_name)
        with torch.inference_mode():
            found: Tensor = stack(read.values, hx=read.state, lengths=read.lengths)[0]
        return found.float().cpu(), read.lengths.cpu()

    padded, lengths = output(together)
    singles = [part for row in rows for part in output(row)[0]]
    pairs = [
        (alone[:steps], whole[:steps])
        for alone, whole, steps in zip(singles, padded, lengths.tolist(), strict=True)
        if steps
    ]
    return max((_apart(alone, among) for alone, among in pairs), default=0.0)


def _shares(classes: Tensor, count: int) -> Tensor:
    return torch.bincount(classes, minlength=count) / len(classes)


def _too_few(rows: int) -> Skip:
    return Skip(f"needs data of at least {rows} rows")


def _constant(case: Case, evidence: str, severity: str) -> Finding:
    weighted = ", --class-weight balanced" if "class_weight" in case.settings else ""
    return Finding(
        name="constant predictions",
        severity="serious" if severity == "serious" else "warning",
        evidence=evidence,
        cost="The network has learned how frequent the classes are, and nothing about the rows",
        remedy=f"--learning-rate ten times higher or lower, more --epochs{weighted}; "
        "and make sure that each label stands beside its own row",
    )


def _scores(case: Case) -> tuple[str, float, float] | None:
    """Accuracy and macro F1 on the part of the data that says most about new rows."""
    for part in ("test", "validation"):
        found = case.metrics.get(part, {})
        if "accuracy" in found and "macro_f1" in found:
            return part, found["accuracy"], found["macro_f1"]
    return None


def _constant_by_scores(case: Case) -> Finding | None:
    found = _scores(case)
    if found is None:
        return None
    part, accuracy, macro = found
    if abs(macro - 2 * accuracy / (1 + accuracy) / len(case.classes)) > 1e-6:
        return None
    told = f"The {part} scores, accuracy {accuracy:.4f} and macro F1 {macro:.4f}, are those of "
    return _constant(case, f"{told}one and the same answer to all rows", "serious")


def _neglected_by_scores(case: Case) -> CheckResult:
    found = _scores(case)
    if found is None:
        return Skip("needs labelled data")
    part, accuracy, macro = found
    if accuracy - macro < APART:
        return None
    told = f"On {part} rows, accuracy is {accuracy:.3f} but macro F1 only {macro:.3f}"
    return _unbalanced(case, told)


def _unbalanced(case: Case, evidence: str) -> Finding:
    weighted = "class_weight" in case.settings
    return Finding(
        name="class imbalance ignored",
        severity="warning",
        evidence=f"{evidence}; class_weight was not set" if weighted else evidence,
        cost="A good accuracy hides that rare classes are hardly ever found",
        remedy="--class-weight balanced, or more rows of the rare classes"
        if weighted
        else "More rows with the rare classes",
    )
