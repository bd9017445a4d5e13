"""LSTM, GRU and RNN to and from torch.nn."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

import tidegate.nn as tn
from tests.helpers import PLAIN, difference, states_of
from tidegate.errors import InputError

B, T, D, H = 3, 5, 3, 4
FLAGS = list(itertools.product((True, False), (True, False), (True, False)))


def common(bias: bool, batch_first: bool, bidirectional: bool) -> dict[str, object]:
    return {
        "num_layers": 2,
        "bias": bias,
        "batch_first": batch_first,
        "bidirectional": bidirectional,
        "dropout": 0.25,
        "dtype": torch.float64,
    }


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("case", PLAIN)
def test_state_dicts_load_both_ways(case, flags):
    name, own = PLAIN[case]
    theirs = getattr(nn, name)(D, H, **own, **common(*flags))
    ours = getattr(tn, name)(D, H, **own, **common(*flags))
    ours.load_state_dict(theirs.state_dict(), strict=True)
    back = getattr(nn, name)(D, H, **own, **common(*flags))
    back.load_state_dict(ours.state_dict(), strict=True)
    x = torch.randn(B, T, D, dtype=torch.float64)
    expected = theirs.eval()(x)[0]
    assert difference(ours.eval()(x)[0], expected) <= 1e-10
    assert torch.equal(back.eval()(x)[0], expected)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("case", PLAIN)
def test_a_layer_goes_from_torch_and_back(case, flags, training):
    name, own = PLAIN[case]
    theirs = getattr(nn, name)(D, H, **own, **common(*flags)).train(training)
    ours = getattr(tn, name).from_torch(theirs, backend="reference")
    assert ours.options.backend == "reference"
    back = ours.to_torch()
    assert type(back) is type(theirs)
    assert repr(back) == repr(theirs)
    assert back.training == ours.training == training
    for key, weight in theirs.state_dict().items():
        assert torch.equal(back.state_dict()[key], weight)
        assert ours.state_dict()[key].dtype == weight.dtype
    x = torch.randn(B, T, D, dtype=torch.float64)
    (expected, state), (output, end) = theirs.eval()(x), ours.eval()(x)
    assert difference(output, expected) <= 1e-10
    for part, other in zip(states_of(end), states_of(state), strict=True):
        assert difference(part, other) <= 1e-10


def test_converted_weights_are_copies():
    theirs = nn.LSTM(D, H)
    ours = tn.LSTM.from_torch(theirs)
    before = ours.weight_hh_l0.clone()
    with torch.no_grad():
        theirs.weight_hh_l0.zero_()
    assert torch.equal(ours.weight_hh_l0, before)
    back = ours.to_torch()
    with torch.no_grad():
        ours.weight_hh_l0.zero_()
    assert torch.equal(back.weight_hh_l0, before)


def test_what_is_not_there_in_torch_is_refused_by_name():
    stack = {"num_layers": 2, "bidirectional": True, "dropout": 0.5}
    foreign = {
        "merge": tn.LSTM(D, H, merge="mean", **stack),
        "residual": tn.LSTM(D, H, residual=True, **stack),
        "variational_dropout": tn.LSTM(D, H, variational_dropout=True, **stack),
        "recurrent_dropout": tn.LSTM(D, H, recurrent_dropout=0.1),
        "weight_dropout": tn.LSTM(D, H, weight_dropout=0.1),
        "zoneout": tn.LSTM(D, H, zoneout=0.1),
        "state_batch_first": tn.LSTM(D, H, state_batch_first=True),
    }
    for name, layer in foreign.items():
        with pytest.raises(InputError) as caught:
            layer.to_torch()
        assert str(caught.value) == (
            f"LSTM: `{name}` must be left out: torch.nn.LSTM has no equivalent; got it set."
        )


@pytest.mark.parametrize(
    "layer",
    [
        tn.LSTM(D, H, peephole=True),
        tn.LSTM(D, H, coupled=True),
        tn.LSTM(D, H, layer_norm=True),
        tn.LSTM(D, H, cell_clip=1),
        tn.GRU(D, H, reset_after=False),
        tn.GRU(D, H, layer_norm=True),
        tn.RNN(D, H, layer_norm=True),
    ],
    ids=lambda layer: str(layer.cell),
)
def test_variants_of_the_cell_are_refused(layer):
    name = type(layer).__name__
    with pytest.raises(InputError) as caught:
        layer.to_torch()
    assert str(caught.value) == (
        f"{name}: `a variant of the cell` must be left out: torch.nn.{name} has no equivalent; "
        "got it set."
    )


def test_options_that_leave_the_results_alone_go_along():
    layer = tn.LSTM(D, H, checkpoint_every=2, init="orthogonal", forget_bias=1, backend="aten")
    x = torch.randn(T, B, D)
    assert difference(layer.to_torch()(x)[0], layer(x)[0]) <= 1e-5


@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_a_module_of_another_class_is_refused(name):
    other = nn.GRU(D, H) if name == "LSTM" else nn.LSTM(D, H)
    for module, shown in ((other, type(other).__name__), (nn.Linear(D, H), "Linear")):
        with pytest.raises(InputError) as caught:
            getattr(tn, name).from_torch(module)
        assert str(caught.value) == f"{name}: `module` must be a torch.nn.{name}; got {shown}."


def test_a_swap_inside_a_model_keeps_its_answers():
    """The drop-in at work: a small tagger whose torch layer is replaced in place."""

    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(11, D)
            self.rnn = nn.LSTM(D, H, 2, batch_first=True, bidirectional=True)
            self.out = nn.Linear(2 * H, 5)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            features, (h, c) = self.rnn(self.embed(ids))
            assert h.shape == (4, len(ids), H)
            assert c.shape == h.shape
            return self.out(features)

    model, ids = Tagger(), torch.randint(0, 11, (B, T))
    expected = model(ids)
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    model.rnn = tn.LSTM.from_torch(model.rnn)
    assert difference(model(ids), expected) <= 1e-5
    model.load_state_dict(weights, strict=True)
    assert difference(model(ids), expected) <= 1e-5


@pytest.mark.parametrize(
    "theirs",
    [
        nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2),
        nn.GRU(3, 4, bias=False),
        nn.RNN(3, 4, 2),
        nn.RNN(3, 4, nonlinearity="relu"),
    ],
)
def test_what_programs_for_torch_read_of_a_layer(theirs):
    kind = {nn.LSTM: tn.LSTM, nn.GRU: tn.GRU, nn.RNN: tn.RNN}[type(theirs)]
    ours = kind.from_torch(theirs)
    for name in ("mode", "_all_weights", "_flat_weights_names", "proj_size", "bias"):
        assert getattr(ours, name) == getattr(theirs, name)
    for mine, given in zip(ours.all_weights, theirs.all_weights, strict=True):
        assert all(map(torch.equal, mine, given))
    assert list(map(id, ours._flat_weights)) == list(map(id, ours.parameters()))
    assert all(map(torch.equal, ours._flat_weights, theirs._flat_weights))
