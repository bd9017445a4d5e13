"""What torch.compile has to be told about functions that it cannot look into."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])


def constant(function: F) -> F:
    """Let torch.compile take what a function returns for a constant: it cannot look into it.

    This is the mark of torch.compiler.assume_constant_result, which would import the compiler.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function
