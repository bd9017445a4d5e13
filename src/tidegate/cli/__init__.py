"""The command line, thin: parse, call a task, print."""

from tidegate.cli.app import app, main

__all__ = ["app", "main"]
