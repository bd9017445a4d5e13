"""Accelerated modules against their twins in torch.nn: same results, same objects, and back."""

from __future__ import annotations

import copy
import io
import pickle
import types
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize, prune
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import tidegate
from tests.helpers import (
    BOUNDS,
    PLAIN,
    assert_close,
    difference,
    inputs_of,
    results,
)
from tests.nn.torch_modules import B, D, H, T, module, pair
from tidegate import accelerate, restore
from tidegate.errors import BackendError, InputError
from tidegate.kernels import library

# ------------------------------------------------------------------ a model that somebody has


class Tagger(nn.Module):
    """As people write it: embedding, packed BiLSTM with dropout, linear."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 6, padding_idx=0)
        self.encoder = nn.LSTM(6, 8, 2, batch_first=True, bidirectional=True, dropout=0.3)
        self.decoder = nn.GRU(16, 5, batch_first=True)
        self.head = nn.Linear(5, 4)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(
            self.embed(ids), lengths, batch_first=True, enforce_sorted=False
        )
        self.encoder.flatten_parameters()
        features, _ = pad_packed_sequence(self.encoder(packed)[0], batch_first=True)
        return self.head(self.decoder(features)[0])


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> list[float]:
    generator = torch.Generator().manual_seed(5)
    losses = []
    for step in range(steps):
        ids = torch.randint(1, 20, (6, 9), generator=generator)
        lengths = torch.tensor([9, 2, 5, 1, 7, 7])
        torch.manual_seed(step)
        scores = model(ids, lengths)
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), ids.flatten() % 4)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_a_model_trains_as_its_twin_does_with_an_optimizer_made_before():
    theirs = Tagger()
    ours = copy.deepcopy(theirs)
    optimizers = [torch.optim.Adam(model.parameters(), lr=0.05) for model in (theirs, ours)]
    train(theirs, optimizers[0], 2)
    train(ours, optimizers[1], 2)  # the optimizer has state already
    before = dict(ours.named_parameters())
    assert accelerate(ours).changed == ("encoder", "decoder")
    assert all(weight is before[name] for name, weight in ours.named_parameters())
    expected, actual = (
        train(model, optimizer, 12)
        for model, optimizer in zip((theirs, ours), optimizers, strict=True)
    )
    assert expected[-1] < expected[0]
    assert actual == pytest.approx(expected, abs=1e-4)
    for name, weight in theirs.state_dict().items():
        assert difference(ours.state_dict()[name], weight) <= 1e-3, name
    assert list(ours.state_dict()) == list(theirs.state_dict())
    restored = Tagger()
    restored.load_state_dict(ours.state_dict(), strict=True)
    restore(ours)
    ids, lengths = torch.randint(1, 20, (2, 4)), torch.tensor([4, 3])
    assert torch.equal(ours.eval()(ids, lengths), restored.eval()(ids, lengths))


def test_hooks_of_all_kinds_go_on_firing():
    model = Tagger()
    fired: list[str] = []
    model.encoder.register_forward_pre_hook(lambda *_: fired.append("pre"))
    model.encoder.register_forward_hook(lambda *_: fired.append("forward"))
    model.decoder.register_full_backward_hook(lambda *_: fired.append("backward"))
    model.encoder.weight_hh_l1.register_hook(lambda grad: fired.append("grad"))
    accelerate(model)
    train(model, torch.optim.SGD(model.parameters(), lr=0.1), 1)
    assert sorted(fired) == ["backward", "forward", "grad", "pre"]


def test_references_held_elsewhere_and_shared_modules():
    shared = nn.GRU(D, H)
    model = nn.ModuleDict({"a": shared, "b": nn.ModuleList([shared])})
    report = accelerate(model)
    assert report.changed == ("a",)
    assert model["a"] is model["b"][0] is shared
    assert isinstance(shared, nn.GRU)
    restore(model["b"])
    assert type(shared) is nn.GRU


# ------------------------------------------------------------------ there and back


@pytest.mark.parametrize("case", PLAIN)
def test_restore_undoes_it_exactly(case):
    layer = module(case, num_layers=2, dropout=0.1)
    before, text = dict(vars(layer)), repr(layer)
    accelerate(layer)
    assert repr(layer) == f"Accelerated{text}"
    layer(torch.randn(T, B, D))[0].sum().backward()
    report = restore(layer)
    assert report.changed == ("",)
    assert type(layer) is getattr(nn, PLAIN[case][0])
    assert repr(layer) == text
    assert vars(layer).keys() == before.keys()
    assert all(vars(layer)[name] is value for name, value in before.items())
    assert restore(layer).modules == ()


def test_a_second_time_changes_nothing():
    model = nn.Sequential(nn.LSTM(D, H))
    accelerate(model)
    cls = type(model[0])
    report = accelerate(model)
    assert report.changed == ()
    assert report.left == {"0": "it is accelerated already"}
    assert type(model[0]) is cls


@pytest.mark.parametrize("copied", ["deepcopy", "copy", "pickle", "torch.save"])
@pytest.mark.parametrize("case", PLAIN)
def test_copies_and_files(case, copied):
    _, layer = pair(case, num_layers=2, bidirectional=True)
    x = torch.randn(T, B, D)
    if copied == "torch.save":
        file = io.BytesIO()
        torch.save(nn.Sequential(layer), file)
        file.seek(0)
        (twin,) = torch.load(file, weights_only=False)
    else:
        ways = {"pickle": lambda m: pickle.loads(pickle.dumps(m))}
        twin = ways.get(copied, getattr(copy, copied, None))(layer)
    assert type(twin) is type(layer)
    assert torch.equal(twin(x)[0], layer(x)[0])
    shares = twin.weight_hh_l0 is layer.weight_hh_l0
    assert shares == (copied == "copy")
    restore(twin)
    assert type(twin) is getattr(nn, PLAIN[case][0])
    assert type(layer) is not type(twin)
    assert difference(twin(x)[0], layer(x)[0]) <= 1e-5


# ------------------------------------------------------------------ weights, read at every call


def test_flatten_parameters_data_and_moves_do_no_harm():
    theirs, ours = pair("lstm", num_layers=2)
    x = torch.randn(T, B, D)
    for layer in (theirs, ours):
        layer(x)
        layer.flatten_parameters()
        layer.weight_hh_l0.data.mul_(2)
        layer.bias_ih_l1.data = layer.bias_ih_l1.data + 1
        layer.double().float()
        layer.weight_ih_l0 = nn.Parameter(2 * layer.weight_ih_l0.detach())
    assert difference(ours(x)[0], theirs(x)[0]) <= 1e-5


def test_functional_call():
    theirs, ours = pair("gru", bidirectional=True)
    x = torch.randn(T, B, D)
    weights = {name: 2 * weight.detach() for name, weight in ours.named_parameters()}
    expected = functional_call(theirs, weights, (x,))[0]
    assert difference(functional_call(ours, weights, (x,))[0], expected) <= 1e-5


def test_pruning_and_weight_drop():
    theirs, ours = pair("lstm")
    x = torch.randn(T, B, D)
    for layer in (theirs, ours):
        prune.l1_unstructured(layer, "weight_hh_l0", amount=0.5)
        raw = layer.weight_ih_l0
        del layer._parameters["weight_ih_l0"]
        layer.weight_ih_l0 = raw.detach() * 2
    assert difference(ours(x)[0], theirs(x)[0]) <= 1e-5


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm])
def test_weight_norm_before_and_after(norm):
    x = torch.randn(T, B, D)
    for first in ("norm", "accelerate"):
        theirs = nn.LSTM(D, H, 2)
        ours = copy.deepcopy(theirs)
        norm(theirs, "weight_hh_l0")
        for action in (first, "accelerate" if first == "norm" else "norm"):
            if action == "norm":
                norm(ours, "weight_hh_l0")
            else:
                assert accelerate(ours).changed == ("",)
        for layer in (theirs, ours):
            with torch.no_grad():
                for name, weight in layer.named_parameters():
                    if name.endswith(("_g", "original0")):
                        weight.mul_(3)
            layer(x)[0].sum().backward()
        assert difference(ours(x)[0], theirs(x)[0]) <= 1e-5
        for (name, weight), other in zip(theirs.named_parameters(), ours.parameters(), strict=True):
            assert difference(other.grad, weight.grad) <= 1e-4, name


class Double(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight


def test_parametrisations_come_and_go():
    theirs = nn.GRU(D, H)
    parametrize.register_parametrization(theirs, "weight_hh_l0", Double())
    ours = copy.deepcopy(theirs)
    x = torch.randn(T, B, D)
    accelerate(ours)
    assert type(theirs).__mro__[1] is nn.GRU, "a copy shares its class; it must stay as it was"
    assert difference(ours(x)[0], theirs(x)[0]) <= 1e-5
    for layer in (theirs, ours):
        parametrize.register_parametrization(layer, "weight_ih_l0", Double())
    assert difference(ours(x)[0], theirs(x)[0]) <= 1e-5
    assert difference(copy.deepcopy(ours)(x)[0], theirs(x)[0]) <= 1e-5
    for name in ("weight_hh_l0", "weight_ih_l0"):
        parametrize.remove_parametrizations(ours, name)
    assert difference(ours(x)[0], theirs(x)[0]) <= 1e-5
    assert restore(ours).changed == ("",)
    assert type(ours) is nn.GRU


def test_a_parametrised_module_is_restored():
    layer = nn.LSTM(D, H)
    accelerate(layer)
    parametrize.register_parametrization(layer, "weight_hh_l0", Double())
    x = torch.randn(T, B, D)
    expected = layer(x)[0]
    restore(layer)
    assert type(layer).__name__ == "ParametrizedLSTM"
    assert difference(layer(x)[0], expected) <= 1e-5
    parametrize.remove_parametrizations(layer, "weight_hh_l0", leave_parametrized=False)
    assert type(layer) is nn.LSTM


# ------------------------------------------------------------------ what is left, and why


class Named(nn.LSTM):
    """A subclass that only adds a constructor."""

    def __init__(self, size: int) -> None:
        super().__init__(size, size, batch_first=True)
        self.cell = "a name of its own"


class Doubled(nn.LSTM):
    def forward(self, input, hx=None):
        return super().forward(2 * input, hx)


class Lenient(nn.GRU):
    def check_input(self, input, batch_sizes):
        pass


def test_a_subclass_without_a_forward_of_its_own_is_accelerated():
    layer = Named(D)
    x = torch.randn(B, T, D)
    expected = layer(x)[0]
    assert accelerate(layer).changed == ("",)
    assert isinstance(layer, Named)
    assert layer.cell == "a name of its own"
    for twin in (layer, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert difference(twin(x)[0], expected) <= 1e-5
    restore(layer)
    assert type(layer) is Named


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:torch.quantize_per_tensor")
def test_the_rest_is_left_with_a_reason():
    replaced = nn.LSTM(D, H)
    replaced.forward = types.MethodType(lambda self, x: (x, None), replaced)
    model = nn.ModuleDict(
        {
            "own": Doubled(D, H),
            "lenient": Lenient(D, H),
            "replaced": replaced,
            "cell": nn.LSTMCell(D, H),
            "scripted": torch.jit.script(nn.Sequential(nn.GRU(D, H))),
            "linear": nn.Linear(D, H),
            "tidegate": tidegate.nn.LSTM(D, H),
        }
    )
    quantized = nn.Sequential(nn.LSTM(D, H))
    model["quantized"] = torch.ao.quantization.quantize_dynamic(quantized, {nn.LSTM})
    classes = {name: type(part) for name, part in model.named_modules()}
    report = accelerate(model)
    assert report.changed == ()
    assert {name: type(part) for name, part in model.named_modules()} == classes
    reasons = {
        "own": "Doubled has a method `forward` of its own, which would not be called",
        "lenient": "Lenient has a method `check_input` of its own, which would not be called",
        "replaced": "its forward was replaced on the module itself",
        "cell": "it takes one step a call, and leaves no sequence to run faster",
        "scripted.0": "it is compiled by TorchScript; accelerate the model it was made from",
        "quantized.0": "it is quantized; accelerate the model it was made from",
    }
    assert report.left == reasons


def test_a_report_is_a_table():
    model = nn.ModuleDict({"rnn": nn.RNN(D, H, dtype=torch.float64), "own": Doubled(D, H)})
    first, second, last = str(accelerate(model)).splitlines()
    assert first.split()[:3] == ["rnn", "RNN", "accelerated"]
    assert "aten runs it" in first
    assert second.split()[:3] == ["own", "Doubled", "left"]
    assert first.index("accelerated") == second.index("left")
    assert last == "1 of 2 recurrent modules accelerated"
    assert str(restore(model)).splitlines()[0].startswith("rnn  RNN  restored")
    assert str(accelerate(nn.LSTM(D, H))).startswith("(the model)  LSTM  accelerated")
    assert str(accelerate(nn.Linear(1, 1))) == "0 of 0 recurrent modules accelerated"


@pytest.mark.skipif(library.LIBRARY is None, reason=library.PROBLEM)
def test_a_report_names_the_backend():
    assert accelerate(nn.GRU(D, H)).modules[0].note == "native runs it."


@pytest.mark.parametrize("function", [accelerate, restore])
def test_what_is_no_module_is_refused(function):
    with pytest.raises(InputError, match=r"`model` must be a torch\.nn\.Module; got dict"):
        function({})
    with pytest.raises(InputError, match="got type"):
        function(nn.LSTM)


# ------------------------------------------------------------------ torch's own transforms


@pytest.mark.parametrize("case", ["lstm", "gru"])
def test_a_model_around_an_accelerated_module_compiles(case):
    """Into a graph before it and one behind it, as around a recurrent module of torch.nn."""

    class Model(nn.Module):
        def __init__(self, rnn: nn.RNNBase) -> None:
            super().__init__()
            self.rnn, self.head = rnn, nn.Linear(2 * H, 2)

        def forward(self, x: Tensor) -> tuple[Tensor, Any]:
            output, state = self.rnn(x.tanh())
            return self.head(output).tanh(), state

    theirs = Model(module(case, num_layers=2, bidirectional=True))
    ours = copy.deepcopy(theirs)
    accelerate(ours)
    torch._dynamo.reset()
    x = torch.randn(T, B, D, requires_grad=True)
    actual = results(*torch.compile(ours, backend="aot_eager")(x), inputs_of(ours, x, ()))
    expected = results(*theirs(x), inputs_of(theirs, x, ()))
    assert_close(actual, expected, *BOUNDS[torch.float32])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_is_refused_with_the_way_to_do_it():
    model = nn.Sequential(nn.LSTM(D, H, 2, bidirectional=True))
    accelerate(model)
    with pytest.raises(BackendError, match=r"tidegate\.restore\(model\)"):
        torch.jit.script(model)
    restore(model)
    scripted = torch.jit.script(model)
    accelerate(model)
    x = torch.randn(T, B, D)
    assert difference(model(x)[0], scripted(x)[0]) <= 1e-5
