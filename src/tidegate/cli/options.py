"""The options of `tidegate fit TASK`, generated from the task's settings and the layers' options.

A setting is declared once, with its help, choices and range; this module turns it into an option
of the command line, and the text given for it back into a checked value.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer

from tidegate.cli.parameters import Parameters, escape, flag, parameter
from tidegate.errors import InputError, message

if TYPE_CHECKING:
    from tidegate.tasks.core.settings.option import Option
    from tidegate.tasks.core.task import Task

_LAYER = "layer__"
_OFF = "off__"
# Settings that the command line says by other means: --quiet, and each layer option by its name.
_SAID_OTHERWISE = {"verbose", "layer_options"}
_GROUPS = ("Model", "Layer", "Training", "Run")
_WIDEST_CHOICES = 24  # longer ones would leave no room for the help beside them


def setting_parameters(task: type[Task]) -> Parameters:
    """Declare the options of a task's settings and of the layers it can use."""
    settings = task.settings_class.options()
    offered = {n: o for n, o in settings.items() if o.cli and n not in _SAID_OTHERWISE}
    layers = layer_options()
    if "bidirectional" not in offered:
        del layers["merge"]  # there are no two directions
    offered |= {_LAYER + name: option for name, option in layers.items()}
    # A task's own groups come first, then the shared ones in the order a user thinks of them.
    own = [o.group for o in offered.values() if o.group not in _GROUPS]
    order = [*dict.fromkeys(own), *_GROUPS]
    by_group = sorted(offered.items(), key=lambda item: order.index(item[1].group))
    return [declared for name, option in by_group for declared in declare(name, option)]


def given_settings(task: type[Task], values: Mapping[str, Any]) -> dict[str, Any]:
    """Read the settings out of what typer has parsed.

    Args:
        task: The task's class.
        values: The parameters that `setting_parameters` declared; None where nothing was given.

    Returns:
        The settings that were given, by name, checked one by one.

    Raises:
        InputError: If a text is no value of its setting.
    """
    owner = task.settings_class.owner
    settings: dict[str, Any] = {}
    extras: dict[str, Any] = {}
    plain = task.settings_class.options()
    layers = layer_options()
    for parameter_name, value in values.items():
        if value is None:
            continue
        name = parameter_name.removeprefix(_OFF)
        if name != parameter_name:
            value = not value
        if name.startswith(_LAYER):
            name = name.removeprefix(_LAYER)
            extras[name] = _value(layers[name], value, owner)
        elif name in plain:
            settings[name] = _value(plain[name], value, owner)
    return settings | ({"layer_options": extras} if extras else {})


def given_options(
    options: Mapping[str, Option], values: Mapping[str, Any], owner: str
) -> dict[str, Any]:
    """Read those options out of what typer has parsed that were given, checked one by one.

    Args:
        options: The options by name.
        values: Parameters by name, None where nothing was given.
        owner: Who complains.

    Raises:
        InputError: If a text is no value of its option.
    """
    given = {name: values[name] for name in options if values.get(name) is not None}
    return {name: _value(options[name], value, owner) for name, value in given.items()}


def layer_options() -> dict[str, Option]:
    """List the options of recurrent layers, of every cell, that a task can be given.

    Returns:
        The options by name; the help of one that not every cell has names the cells.
    """
    from tidegate import cells
    from tidegate.nn import StackOptions
    from tidegate.tasks.core.settings.settings import LAYER_START
    from tidegate.tasks.core.settings.settings import layer_options as known

    names = cells.names()
    sources: list[type] = [StackOptions, *(cells.get(name) for name in names)]
    fields = {field.name: (source, field) for source in sources for field in _fields(source)}
    found = {}
    for name, (source, field) in fields.items():
        users = [cell for cell in names if name in known(cell)]
        if users:
            only = "" if users == names else f" ({', '.join(users)} only)"
            option = _layer_option(source, field, only)
            start = LAYER_START.get(name, option.default)
            found[name] = dataclasses.replace(option, default=start)
    return found


def _fields(source: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(typing.cast(Any, source))


def _layer_option(source: type, field: dataclasses.Field[Any], only: str) -> Option:
    from tidegate.tasks.core.settings.option import Option, kinds

    accepted, optional = kinds(typing.get_type_hints(source)[field.name])
    return Option(
        name=field.name,
        kinds=accepted,
        optional=optional,
        default=field.default,
        help=_attribute_help(source, field.name) + only,
        choices=None,
        minimum=None,
        maximum=None,
        structural=True,
        cli=True,
        group="Layer",
    )


def _attribute_help(source: type, name: str) -> str:
    """Find what a class's docstring says about an attribute, in one line."""
    text = inspect.getdoc(source) or ""
    found = re.search(rf"^    {name}: (.*?)(?=^    \w+:|^\S|\Z)", text, re.DOTALL | re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def declare(name: str, option: Option) -> Iterator[inspect.Parameter]:
    """Declare one option; a yes-or-no setting gets a flag for each answer, the default hidden.

    Args:
        name: The parameter's name.
        option: What it is.

    Yields:
        Parameters as typer reads them; None where nothing was given.
    """

    def declared(key: str, kind: Any, spelled: str, metavar: str, hidden: bool) -> Any:
        info = typer.Option(
            flag(spelled),
            metavar=metavar,
            help=_help(option),
            rich_help_panel=option.group,
            show_default=False,
            hidden=hidden,
        )
        return parameter(key, kind, None, info)

    if option.kinds != (bool,):
        yield declared(name, str | None, option.name, _metavar(option), False)
        return
    on, off = option.name, f"no_{option.name}"
    yield declared(name, bool | None, on, "", option.default is True)
    yield declared(_OFF + name, bool | None, off, "", option.default is not True)


def _value(option: Option, value: str | bool, owner: str) -> Any:
    if isinstance(value, bool):
        return value
    if tuple in option.kinds and float in option.kinds and "," in value:
        return _numbers(option.name, value, owner)
    return option.parse(value, owner)


def _numbers(name: str, text: str, owner: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        rule = "a number, or numbers with commas between"
        raise InputError(message(owner, name, rule, repr(text))) from None


_METAVARS = {int: "N", float: "X", str: "TEXT", tuple: "A,B,…", dict: "JSON"}
_METAVARS |= {tuple[float, ...]: "X,Y,…"}


def _metavar(option: Option) -> str:
    """Put what an option takes in a word, such as "lstm|gru|rnn" or "N|none"."""
    choices = "|".join(option.choices or ())
    names = [_METAVARS[kind] for kind in option.kinds if kind in _METAVARS]
    if 0 < len(choices) <= _WIDEST_CHOICES:
        names = [choices if name == "TEXT" else name for name in names]
    if option.optional and option.default is not None:
        names.append("none")
    return "|".join(names)


def _help(option: Option) -> str:
    """Put together what `--help` says: the text, the values allowed, the default."""
    text = escape(option.help)
    if option.kinds == (bool,):
        return f"Turn off: {text[0].lower()}{text[1:]}" if option.default is True else text
    notes = [*_limits(option)]
    if option.default not in (None, ()):
        notes.append(f"default {_shown(option.default)}")
    return f"{text} [dim]({escape('; '.join(notes))})[/dim]" if notes else text


def _limits(option: Option) -> list[str]:
    choices = option.choices or ()
    if len("|".join(choices)) > _WIDEST_CHOICES:
        return [f"one of {', '.join(choices)}"]
    low, high = option.minimum, option.maximum
    if low is not None and high is not None:
        return [f"{_shown(low)} to {_shown(high)}"]
    if low is not None:
        return [f"at least {_shown(low)}"]
    return [] if high is None else [f"at most {_shown(high)}"]


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_shown, value))
    return f"{value:.12g}" if isinstance(value, float) else str(value)
