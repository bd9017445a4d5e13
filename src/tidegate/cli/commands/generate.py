"""`tidegate generate`: a saved language model goes on from a prompt, printed as it is written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.text import Text

from tidegate.cli import console
from tidegate.cli.parameters import Trust
from tidegate.cli.paths import decoded, names_existing, typed
from tidegate.errors import InputError, message
from tidegate.terminal import Screen

if TYPE_CHECKING:
    from tidegate.tasks.core.commands import Generates

# Of a prompt from standard input.
_MOST_BYTES = 10_000_000

# The options of the command, each with its help.
Prompt = Annotated[
    str,
    typer.Argument(
        metavar="[PROMPT|-]", help="What to go on from; \\n is a line end, - standard input."
    ),
]
Length = Annotated[
    int, typer.Option(metavar="N", help="Characters to write at most, or words, or pieces.")
]
Temperature = Annotated[
    float, typer.Option(metavar="NUMBER", help="Below 1 the likely gets likelier; 0 is no chance.")
]
TopK = Annotated[int | None, typer.Option(metavar="N", help="Choose among so many likeliest.")]
TopP = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Choose among the likeliest that have this share."),
]
MinP = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Choose among those with this share of the likeliest's."),
]
Beams = Annotated[
    int | None,
    typer.Option(metavar="N", help="Search the likeliest text instead, with so many beams."),
]
Stops = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT", help="Stop after this text; \\n is a line end; may be given again."
    ),
]
Seed = Annotated[int | None, typer.Option(metavar="N", help="The same seed writes the same.")]
Number = Annotated[int, typer.Option(metavar="N", min=1, help="How many texts to write.")]


def generate(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Folder of a saved language model.")
    ],
    prompt: Prompt = "",
    length: Length = 500,
    temperature: Temperature = 1.0,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    beam: Beams = None,
    stop: Stops = None,
    seed: Seed = None,
    num: Number = 1,
    trust: Trust = None,
) -> None:
    """Write on from a prompt with a saved language model.

    A model that learned separate texts can do without a prompt, and so can one that knows line
    ends: it begins a line. Characters that the model has never seen are refused; words that it
    has never seen are read as <unk>.
    """
    from tidegate import tasks

    if beam is not None and num > 1:
        remedy = "A search finds one text"
        raise InputError(message("generate", "--num", "1 with --beam", num, remedy))
    writer = cast("Generates", tasks.load_for(model, "generate", trust=trust or ()))
    text = _read(prompt)
    options: dict[str, Any] = {
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "stop": [_unescaped(given) for given in stop or ()],
    }
    for number in range(num):
        seeded = None if seed is None else seed + number
        if beam is None:
            pieces = writer.write(text, length=length, seed=seeded, **options)
        else:
            pieces = iter([writer.generate(text, length=length, seed=seed, beam=beam, **options)])
        if number:
            console.out().print("---", style="dim")
        _show(text, pieces)


def _read(prompt: str) -> str:
    """The prompt: a text itself, or what comes by standard input."""
    if prompt == "-":
        content = sys.stdin.buffer.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            rule = f"a prompt of at most {_MOST_BYTES:,} bytes"
            raise InputError(message("generate", "standard input", rule, "more"))
        return decoded(content, "generate", "standard input")
    if names_existing(prompt, "generate", "PROMPT"):
        try:
            return decoded(Path(prompt).read_bytes(), "generate", prompt)
        except OSError as error:
            rule = "a file that can be read"
            raise InputError(message("generate", "PROMPT", rule, error.strerror)) from error
    return _unescaped(typed(prompt, "generate", "PROMPT"))


def _unescaped(given: str) -> str:
    """Read line ends and tabs as a shell without $'...' has them typed."""
    return given.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\\t", "\t")


def _show(prompt: str, pieces: Iterator[str]) -> None:
    """Print a text as it is written, after its prompt."""
    console.out().print(Text(prompt, style="bold"), end="", soft_wrap=True)
    last = prompt
    for piece in pieces:
        Screen(sys.stdout).write(piece)
        sys.stdout.flush()
        last = piece or last
    if not last.endswith("\n"):
        print()
