"""Doctor: look for what is wrong with a trained network, with evidence, cost and remedy."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tidegate.explain.doctor import checks_answers, checks_history, checks_text, checks_units
from tidegate.explain.doctor.case import (
    NEEDS_DATA,
    Case,
    CheckResult,
    Finding,
    Severity,
    Skip,
)
from tidegate.explain.network import shows_input
from tidegate.training.network import Network

CHECKS: Mapping[str, Callable[[Case], CheckResult]] = {
    "saturated gates": checks_units.saturated,
    "dead units": checks_units.dead,
    "redundant units": checks_units.redundant,
    "exploding state": checks_units.exploding,
    "clipped gradients": checks_history.clipped,
    "over-fitting": checks_history.overfitting,
    "under-training": checks_history.undertraining,
    "padding that leaks": checks_answers.padding,
    "constant predictions": checks_answers.constant,
    "class imbalance": checks_answers.neglected,
    "rows with nothing to read": checks_answers.empty,
    "unknown words": checks_text.vocabulary,
    "unknown words not practised": checks_text.unpractised,
    "truncation": checks_text.truncation,
}
"""The checks by name, in the order in which they are told of."""

# What can be said of units from weights alone.
_OF_WEIGHTS = ("saturated gates", "dead units", "redundant units")

_UNSHOWN = Skip("the network does not show what it reads")

_ORDER: tuple[Severity, ...] = ("serious", "warning", "note")


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What the doctor found.

    Attributes:
        findings: The worst first; none if all is well.
        passed: The checks that found nothing.
        skipped: The checks that were not made, and why.

    Example:
        >>> print(Diagnosis((), ("dead units",), {"truncation": "needs data"}))
        Nothing found in 1 check: dead units.
        Not checked: truncation (needs data).
    """

    findings: tuple[Finding, ...]
    passed: tuple[str, ...]
    skipped: Mapping[str, str]

    def __str__(self) -> str:
        """Tell everything, to read."""
        return "\n".join([*map(str, self.findings), *self.summary()])

    def _repr_html_(self) -> str:
        """Show everything in a notebook, in lines as wide as it is."""
        return f'<pre style="white-space: pre-wrap">{html.escape(str(self))}</pre>'

    __repr__ = __str__

    def summary(self) -> list[str]:
        """Say in a sentence each which checks found nothing, and which were not made."""
        count = len(self.passed)
        lines = []
        if count:
            checks = "1 check" if count == 1 else f"{count} checks"
            also = "else " if self.findings else ""
            lines.append(f"Nothing {also}found in {checks}: {', '.join(self.passed)}.")
        reasons: dict[str, list[str]] = {}
        for name, reason in self.skipped.items():
            reasons.setdefault(reason, []).append(name)
        told = [f"{', '.join(names)} ({reason})" for reason, names in reasons.items()]
        return lines + ([f"Not checked: {'; '.join(told)}."] if told else [])

    def to_json(self) -> dict[str, Any]:
        """Return the findings, the checks that passed and those that were skipped, as JSON."""
        return {
            "findings": [asdict(found) for found in self.findings],
            "passed": list(self.passed),
            "skipped": dict(self.skipped),
        }


def diagnose(case: Case) -> Diagnosis:
    """Make every check that can be made.

    Args:
        case: The network, and what is known about it.

    Returns:
        The findings, the worst first. Nothing is changed in the network.

    Example:
        >>> import torch
        >>> from tidegate import Batch
        >>> from tidegate.nn import LSTM
        >>> from tidegate.nn.blocks.embedding import Embedding
        >>> from tidegate.tasks.text.network import TextNetwork
        >>> layer = LSTM(4, 3, batch_first=True, forget_bias=30.0)
        >>> network = TextNetwork(Embedding(9, 4), layer, "max", 2)
        >>> rows = Batch(torch.randint(2, 9, (10, 6)), torch.full((10,), 6))
        >>> diagnose(Case(network=network, batches=[rows])).findings[0].name
        'saturated forget gates'
    """
    training = case.network.training
    case.network.eval()
    try:
        outcomes = {name: check(case) for name, check in CHECKS.items()} | _further(case)
    finally:
        case.network.train(training)
    found = [outcome for outcome in outcomes.values() if isinstance(outcome, Finding)]
    return Diagnosis(
        tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity))),
        tuple(name for name, outcome in outcomes.items() if outcome is None),
        {
            name: case.reasons.get(told.reason, told.reason)
            for name, told in outcomes.items()
            if isinstance(told, Skip)
        },
    )


def _further(case: Case) -> dict[str, CheckResult]:
    """What further recurrent stacks tell, such as a decoder, by name.

    Where the network does not show what such a stack reads, its weights are read alone.
    """
    network, outcomes = case.network, dict[str, CheckResult]()
    if not isinstance(network, Network):
        return outcomes
    for stack in list(network.recurrent_stacks())[1:]:
        shown = bool(case.batches) and shows_input(network, case.batches[0], stack)
        batches = case.batches if shown else ()
        alone = replace(case, batches=batches, words=None, stack_name=stack)
        for name in _OF_WEIGHTS:
            found = CHECKS[name](alone)
            if isinstance(found, Finding):
                found = replace(found, name=f"{stack}: {found.name}")
            if found == NEEDS_DATA and case.batches:
                found = _UNSHOWN
            outcomes[f"{stack}: {name}"] = found
    return outcomes
