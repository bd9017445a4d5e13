"""The options of `fit`: one for every setting and layer option, back to checked values."""

from __future__ import annotations

import inspect
import typing

import pytest

from tidegate import tasks
from tidegate.cli import options
from tidegate.cli.parameters import flag
from tidegate.errors import InputError
from tidegate.tasks.core.settings.settings import layer_options

TASK = tasks.get("text-classifier")
DECLARED = {found.name: found for found in options.setting_parameters(TASK)}


def spelled(parameter: inspect.Parameter) -> str:
    """The option's name on the command line, such as "--hidden-size"."""
    info = typing.get_args(parameter.annotation)[1]
    return str(info.default)


def info(name: str) -> typing.Any:
    return typing.get_args(DECLARED[name].annotation)[1]


def given(**values: object) -> dict[str, object]:
    return options.given_settings(TASK, values)


def test_every_setting_and_every_layer_option_is_offered():
    names = {spelled(parameter) for parameter in DECLARED.values()}
    settings = TASK.settings_class.options()
    said_otherwise = {"verbose", "layer_options", *(n for n, o in settings.items() if not o.cli)}
    wanted = set(settings) - said_otherwise
    wanted |= {name for cell in ("lstm", "gru", "rnn") for name in layer_options(cell)}
    assert {flag(name) for name in wanted} <= names
    assert not {flag(name) for name in said_otherwise} & names


def test_no_option_is_offered_twice():
    names = [spelled(parameter) for parameter in DECLARED.values()]
    assert len(set(names)) == len(names)


def test_help_tells_default_range_and_choices():
    assert "1 to 65536; default 64" in info("hidden_size").help
    assert info("keep").metavar == "head|tail|both"
    assert "one of last, mean, max, mean+max, attention; default" in info("pooling").help
    assert info("patience").metavar == "N|none"
    assert "at least 1; default 3" in info("patience").help
    assert info("class_weight").metavar == "JSON|balanced"
    assert "html,urls" in info("clean").help


def test_a_flag_shows_the_answer_that_is_not_the_default():
    assert info("lowercase").hidden
    assert not info("off__lowercase").hidden
    assert info("off__lowercase").help.startswith("Turn off: read capitals")
    assert not info("layer__peephole").hidden
    assert info("off__layer__peephole").hidden


def test_help_of_layer_options_comes_from_their_docstrings():
    shown = info("layer__recurrent_dropout").help
    assert "Gal & Ghahramani 2016" in shown
    assert "default 0)" in shown
    assert "(lstm only)" in info("layer__peephole").help
    assert "(gru only)" in info("off__layer__reset_after").help
    assert "only)" not in info("layer__merge").help
    assert all(info(name).help for name in DECLARED), "an option without help teaches nothing"


def test_texts_become_checked_values():
    assert given(hidden_size="7", dropout="0.25", clean="html", patience="none", cell=None) == {
        "hidden_size": 7,
        "dropout": 0.25,
        "clean": ("html",),
        "patience": None,
    }
    assert given(class_weight='{"spam": 2}') == {"class_weight": {"spam": 2}}
    assert given(class_weight="balanced") == {"class_weight": "balanced"}


def test_flags_become_true_and_false():
    assert given(off__lowercase=True, bidirectional=True) == {
        "lowercase": False,
        "bidirectional": True,
    }


def test_layer_options_are_collected():
    found = given(layer__peephole=True, layer__zoneout="0.1,0.05", layer__max_lag="30")
    assert found == {"layer_options": {"peephole": True, "zoneout": [0.1, 0.05], "max_lag": 30}}
    assert given(layer__zoneout="0.1") == {"layer_options": {"zoneout": 0.1}}


def test_what_is_no_setting_is_not_taken():
    assert given(data="x.csv", out="model", quiet=True) == {}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"hidden_size": "x"}, "`hidden_size` must be an integer >= 1 and <= 65536; got 'x'"),
        ({"hidden_size": "0"}, "`hidden_size` must be an integer >= 1"),
        ({"hidden_size": "1.5"}, "`hidden_size` must be an integer"),
        ({"dropout": "nan"}, "`dropout` must be a number"),
        ({"pooling": "meen"}, "Did you mean 'mean'"),
        ({"layer__recurrent_dropout": "much"}, "`recurrent_dropout` must be a number"),
        ({"layer__zoneout": "0.1,x"}, "`zoneout` must be a number, or numbers with commas"),
        ({"class_weight": "[1]"}, "`class_weight` must be"),
    ],
)
def test_a_text_that_is_no_value_is_refused(values, expected):
    with pytest.raises(InputError, match="TextClassifier: ") as caught:
        given(**values)
    assert expected in str(caught.value)
