"""Settings: one frozen dataclass that checks itself, for Python, the command line and the docs."""

from __future__ import annotations

import dataclasses
import json
import typing

import pytest
import torch

from tidegate import tasks
from tidegate.errors import ArtifactError, InputError
from tidegate.tasks.core.settings.option import setting
from tidegate.tasks.core.settings.settings import Settings, build_layer, layer_options

CLASSES = [tasks.get(name).settings_class for name in tasks.names()]


def every_setting():
    return [
        pytest.param(cls, option, id=f"{cls.owner}.{name}")
        for cls in CLASSES
        for name, option in cls.options().items()
    ]


@pytest.mark.parametrize(("cls", "option"), every_setting())
def test_every_setting_is_documented_and_has_a_default_that_passes(cls, option):
    assert len(option.help) > 10
    assert option.help.endswith(".")
    assert option.group
    assert option.check(option.default, cls.owner) == option.default


@pytest.mark.parametrize("cls", CLASSES)
def test_settings_are_frozen_and_come_back_from_json(cls):
    settings = cls()
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.epochs = 3
    assert cls.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_values_are_stored_in_their_own_type():
    settings = Settings(learning_rate=1, layer_options={"peephole": True})
    assert type(settings.learning_rate) is float
    assert settings.layer_options == {"peephole": True}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"hidden_size": 0}, r"Settings: `hidden_size` must be an integer >= 1 .*; got 0\."),
        ({"cell": "lsmt"}, r"`cell` must be one of .*'lstm'.* Did you mean 'lstm'"),
        ({"backend": "cuda"}, r"`backend` must be one of 'auto'"),
        ({"layer_options": {"peepole": 1}}, r"got 'peepole'. Did you mean 'peephole'"),
        ({"layer_options": {"backend": "aten"}}, r"`layer_options` must be made of options"),
        ({"cell": "gru", "layer_options": {"peephole": True}}, r"of the cell 'gru'"),
        ({"layer_options": ["peephole"]}, r"`layer_options` must be a dictionary or None"),
    ],
)
def test_wrong_values_are_refused_in_the_house_sentence(values, sentence):
    with pytest.raises(InputError, match=sentence):
        Settings(**values)


def test_unknown_names_get_did_you_mean():
    with pytest.raises(InputError, match=r"got 'hiden_size'. Did you mean 'hidden_size'"):
        Settings.from_dict({"hiden_size": 3})


def test_type_hints_are_evaluated_once_and_choices_each_time(monkeypatch):
    hints, evaluated = typing.get_type_hints, []
    monkeypatch.setattr(typing, "get_type_hints", lambda cls: evaluated.append(cls) or hints(cls))
    known = ["plain"]

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class BoatSettings(Settings):
        sail: str = setting("plain", help="Which sail.", choices=lambda: known)

    BoatSettings.from_dict({"sail": "plain", "epochs": 3})
    known.append("lateen")  # as a cell that a plug-in registers
    assert BoatSettings.from_dict({"sail": "lateen"}).sail == "lateen"
    assert evaluated == [BoatSettings]


def test_the_owner_of_a_message_is_the_task():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class EchoSettings(Settings):
        delay: int = setting(1, help="Steps to wait.", minimum=0)

    assert EchoSettings(delay=2).to_dict()["delay"] == 2
    with pytest.raises(InputError, match=r"^Echo: `delay`"):
        EchoSettings(delay=-1)


def test_functions_travel_by_name_and_never_to_where_a_model_must_not_lead():
    cls = tasks.get("text-classifier").settings_class
    settings = cls(tokenizer=str.split)
    told = settings.to_json()
    assert told["tokenizer"] == "builtins:str.split"
    assert cls.from_json(told) == settings
    with pytest.raises(InputError, match="imported by its name"):
        cls(tokenizer=lambda text: text.split()).to_json()
    with pytest.raises(ArtifactError):
        cls.from_json(told | {"tokenizer": "os:system"})


def test_layer_options_are_the_layers_own_without_those_that_are_settings():
    assert {"peephole", "zoneout", "merge", "forget_bias"} <= set(layer_options("lstm"))
    assert not {"backend", "state_batch_first"} & set(layer_options("lstm"))
    assert "peephole" not in layer_options("gru")


def test_the_layer_has_the_sizes_asked_for():
    settings = Settings(hidden_size=5, num_layers=2, bidirectional=True, dropout=0.3, cell="gru")
    layer = build_layer(settings, 3)
    output, _ = layer(torch.zeros(2, 4, 3))
    assert output.shape == (2, 4, 10)
    assert (layer.num_layers, layer.dropout) == (2, 0.3)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_recurrent_weights_start_orthogonal_and_memory_cells_remember(cell):
    layer = build_layer(Settings(hidden_size=4, cell=cell), 3)
    block = layer.weight_hh_l0[4:8] if cell == "lstm" else layer.weight_hh_l0[:4]
    torch.testing.assert_close(block @ block.T, torch.eye(4))
    if cell == "lstm":
        bias = layer.bias_ih_l0 + layer.bias_hh_l0
        assert bias.tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8


def test_a_start_that_was_asked_for_is_kept():
    layer = build_layer(Settings(hidden_size=4, layer_options={"init": "torch"}), 3)
    assert (layer.bias_ih_l0 + layer.bias_hh_l0).std() > 0


@pytest.mark.parametrize(
    "options", [{"recurrent_dropout": 2.0}, {"merge": "sum"}, {"init": "chrono"}, {"zoneout": "x"}]
)
def test_bad_values_of_layer_options_fail_before_any_data_is_read(options):
    cls = tasks.get("text-classifier")
    model = cls(bidirectional=False, layer_options=options)
    with pytest.raises(InputError):
        model.fit("this would be refused too", None)
