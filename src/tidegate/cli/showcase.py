"""`tidegate demo`: prints what a demo does and what came out."""

from __future__ import annotations

import shlex
from pathlib import Path

from tidegate import demo
from tidegate.cli import console, evaluate
from tidegate.cli.predict import answered, as_frame
from tidegate.cli.writers import to_screen


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
    to.print()
    evaluate.show(outcome.report, "test")
    took = f"learned in {outcome.seconds:.0f} s"
    to.print(f"\n{took} · model and learning_curve.png in {outcome.folder}/", soft_wrap=True)
    to.print("\nThree messages it has never seen:\n", style="dim")
    role = outcome.model.input_role
    frame = as_frame(role, list(outcome.fresh))
    to_screen("table", role)(answered(outcome.model, frame, role))
    program = console.program()
    commands = [f"{program} {shlex.join(words)}" for words in outcome.commands]
    console.print_commands(to, "Worth trying next:", commands)
