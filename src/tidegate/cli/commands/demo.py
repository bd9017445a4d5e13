"""`tidegate demo`: prints what a demo does and what came out."""

from __future__ import annotations

import shlex
from pathlib import Path

from tidegate import demo
from tidegate.cli import console
from tidegate.cli.commands import evaluate


def show(name: str, out: Path, quiet: bool) -> None:
    """Run a demo and print its scores, its answers and what to try next.

    Args:
        name: The demo.
        out: The folder it writes to.
        quiet: Whether to leave out the progress of the training.

    Raises:
        InputError: If there is no such demo, or the folder cannot be used.
    """
    chosen = demo.get(name)
    to = console.out()
    to.print(chosen.opening)
    to.print()
    outcome = chosen.run(out, not quiet)
    if outcome.report:
        to.print()
        evaluate.show(dict(outcome.report), "test")
    if outcome.figures:
        to.print(console.figures(outcome.figures))
    if outcome.verdict:
        to.print(f"\n{outcome.verdict}")
    to.print(f"\n{outcome.summary}", soft_wrap=True)
    if outcome.answers:
        _ask(outcome.answers)
    if outcome.commands:
        program = console.program()
        commands = [f"{program} {shlex.join(words)}" for words in outcome.commands]
        console.print_commands(to, "Worth trying next:", commands)


def _ask(answers: demo.FreshInputs) -> None:
    """Print what a model answers."""
    from tidegate.tasks.core.files.answer import Question

    console.out().print(f"\n{answers.title}\n", style="dim")
    answer = answers.model.respond(Question(texts=[list(answers.inputs)]))
    answer.show(answer.form, console.out())
