"""What the history of a training tells: clipped, over-fitted, stopped too early."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.explain.doctor.case import Case, CheckResult, Finding, Severity, Skip, percent

CLIPPED = 0.5  # of the steps: more often than not
RISE = 0.1  # of the lowest validation loss; smaller rises are noise where few rows validate
RISING = 2  # epochs since the lowest, at least: one bad epoch is no trend
GAP = 0.1  # of accuracy between training and validation: one row in ten
FALL = 0.05  # of the validation loss in the last epoch: it is not at its floor

_NO_VALIDATION = Skip("needs a history with validation")


def clipped(case: Case) -> CheckResult:
    """Find gradients that are cut to the same length in more than half of the steps."""
    rows = [row for row in case.history if "train_clipped" in row]
    if not rows:
        return Skip("needs a history with gradient_clip")
    share = sum(row["train_clipped"] for row in rows) / len(rows)
    if share <= CLIPPED:
        return None
    norms = sorted(row["train_gradient_norm"] for row in rows)
    usual = norms[len(norms) // 2]
    bound = case.settings.get("gradient_clip")
    limit = "" if bound is None else f" to {bound:g}"
    severity: Severity = "note" if bound is not None and usual < 2 * bound else "warning"
    rate = case.settings.get("learning_rate")
    lower = "" if rate is None else f" {rate / 3:.2g}"
    return Finding(
        name="gradient clipped most of the time",
        severity=severity,
        evidence=f"{percent(share)} of the steps were cut{limit}; the usual norm was {usual:.3g}",
        cost="Steps are equally long whatever a batch has to teach, and a gradient that really "
        "explodes is not told from a usual one",
        remedy=f"--gradient-clip {2 * usual:.2g}, or --learning-rate{lower} if the loss jumps",
    )


def overfitting(case: Case) -> CheckResult:
    """Find a validation loss that rises while that of training falls, or scores that part.

    The rise is a tenth of the lowest loss or more, over two epochs at least. Or the accuracy of
    the kept epoch is a tenth better in training, where dropout even holds it down.
    """
    losses = _column(case, "validation_loss")
    if len(losses) < len(case.history) or not losses:
        return _NO_VALIDATION
    training = _column(case, "train_loss")
    low = min(range(len(losses)), key=losses.__getitem__)
    kept = case.best_epoch - 1 if case.best_epoch else low
    last = len(losses)
    higher = losses[-1] > _higher(losses[low], RISE) and last - 1 - low >= RISING
    rising = higher and training[-1] < training[low]
    apart = _gap(case, kept)
    if not rising and apart < GAP:
        return None
    told, costs = [], []
    if rising:
        told.append(
            f"Validation loss rose from {_told(losses[low])} in epoch {low + 1} to "
            f"{_told(losses[-1])} in epoch {last} while training loss fell from "
            f"{_told(training[low])} to {_told(training[-1])}"
        )
        costs.append(_wasted(losses, low, kept))
    if apart >= GAP:
        scores = case.history[kept]
        told.append(
            f"Epoch {kept + 1}, which was kept, has an accuracy of {scores['train_accuracy']:.3f} "
            f"in training and {scores['validation_accuracy']:.3f} in validation"
        )
        costs.append("The network knows its training rows by heart: new ones are answered worse")
    harmless = apart < GAP and losses[kept] < _higher(losses[low], RISE)
    return Finding(
        name="over-fitting",
        severity="note" if harmless else "warning",
        evidence=". ".join(told),
        cost=". ".join(costs),
        remedy=_regularise(case, low + 1),
    )


def undertraining(case: Case) -> CheckResult:
    """Find a training that ended while it still made its best epochs.

    The last epoch is the best, and its validation loss a twentieth lower than the one before.
    """
    losses = _column(case, "validation_loss")
    if len(losses) < len(case.history) or not losses or not case.best_epoch:
        return _NO_VALIDATION
    count = len(losses)
    if case.best_epoch < count:
        return None
    if count > 1 and losses[-1] >= _higher(losses[-2], -FALL):
        return None
    told = f"Epoch {count}, the last, is the best"
    if count > 1:
        told += f"; validation loss still fell, from {_told(losses[-2])} to {_told(losses[-1])}"
    planned = case.settings.get("epochs", count)
    if count < planned:
        told += f"; {planned} epochs were planned"
    return Finding(
        name="under-training",
        severity="warning" if count < planned or count == 1 else "note",
        evidence=told,
        cost="The network has not learned all that it can from these rows",
        remedy=f"--epochs {max(2 * count, planned)}, or --from this model for some epochs more",
    )


def _higher(loss: float, share: float) -> float:
    """A loss that is higher by a share of its size; that of a density may be below 0."""
    return loss + share * abs(loss)


def _told(loss: float) -> str:
    return f"{loss:.3f}" if abs(loss) >= 0.1 else f"{loss:.3g}"


def _column(case: Case, name: str) -> Sequence[float]:
    return [row[name] for row in case.history if name in row]


def _gap(case: Case, kept: int) -> float:
    """How much better the accuracy of an epoch is in training."""
    row = case.history[kept]
    names = ("train_accuracy", "validation_accuracy")
    return row[names[0]] - row[names[1]] if all(name in row for name in names) else 0.0


def _wasted(losses: Sequence[float], low: int, kept: int) -> str:
    if losses[kept] >= _higher(losses[low], RISE):
        return (
            f"Epoch {kept + 1} was kept for its score: it is surer of its wrong answers than "
            f"epoch {low + 1} was (validation loss {_told(losses[kept])})"
        )
    return f"The epochs after {low + 1} were in vain; epoch {kept + 1} was kept"


def _regularise(case: Case, low: int) -> str:
    """Say what holds a network back, of what this one can be told, with the values of today."""
    told = [
        f"--{name.replace('_', '-')} higher (now {case.settings[name]:g})"
        for name in ("dropout", "word_dropout", "weight_decay")
        if isinstance(case.settings.get(name), int | float)
    ]
    stop = "--patience 3" if case.settings.get("patience", 3) is None else f"--epochs {low}"
    return ", ".join(["More training rows", *told, stop])
