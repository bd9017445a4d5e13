"""A task that declares a command has what the command calls, and no other task has the command."""

from __future__ import annotations

import inspect

import pytest

from tidegate import tasks
from tidegate.tasks.core.commands import Generates, Watch, Watches
from tidegate.tasks.registry import get

# The protocol of each command that `Task.commands` may name.
PROTOCOLS = {"generate": Generates, "watch": Watches}


def methods(protocol: type) -> dict[str, inspect.Signature]:
    found = {name: value for name, value in vars(protocol).items() if not name.startswith("_")}
    return {name: inspect.signature(value) for name, value in found.items()}


@pytest.mark.parametrize("name", tasks.names())
def test_every_command_of_a_task_is_one_that_there_is(name):
    assert set(get(name).commands) <= PROTOCOLS.keys()


@pytest.mark.parametrize(
    ("task", "command"), [(n, c) for n in tasks.names() for c in get(n).commands]
)
def test_a_task_has_what_its_command_calls(task, command):
    for name, promised in methods(PROTOCOLS[command]).items():
        own = inspect.signature(getattr(get(task), name)).parameters
        takes = [p for p in promised.parameters.values() if p.kind is not p.VAR_KEYWORD]
        assert [p.name for p in takes] == list(own)[: len(takes)]
        more = list(own.values())[len(takes) :]
        assert all(p.default is not p.empty or p.kind is p.VAR_KEYWORD for p in more)


def test_the_commands_of_today():
    found = {command: [n for n in tasks.names() if command in get(n).commands]
             for command in PROTOCOLS}  # fmt: skip
    assert found == {"generate": ["language-model"], "watch": ["anomaly-detector"]}


def test_a_watch_scans_and_tells():
    assert methods(Watch).keys() == {"scan", "remarks"}
