"""A stream is the layer, one step at a time: outputs, states, bytes, and what it refuses."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune
from torch.utils._python_dispatch import TorchDispatchMode

import tidegate.nn as tn
from tests.helpers import VARIANTS, as_hx, make, random_states, states_of
from tidegate.errors import BackendError, InputError
from tidegate.kernels import library

T, D, H = 6, 3, 4

needs_library = pytest.mark.skipif(library.LIBRARY is None, reason=library.PROBLEM)


def native(case: str, **options: Any) -> tn.Recurrent:
    """A layer that the native library streams; skips if it has no such variant."""
    layer = make(case, **{"dtype": torch.float32, **options})
    reason = layer.stream().explain_backend()
    if reason != "native runs it.":
        pytest.skip(reason)
    return layer


def whole(layer: tn.Recurrent, x: torch.Tensor, hx: object = None) -> tuple[Any, tuple[Any, ...]]:
    """Output and states of the layer over `[T, B, D]` in evaluation, in NumPy."""
    training = layer.training
    with torch.no_grad():
        output, state = layer.eval()(x, hx)
    layer.train(training)
    return output.numpy(), tuple(part.numpy() for part in states_of(state))


def stepped(stream: tn.Stream, x: torch.Tensor) -> np.ndarray:
    """Output of a stream over `[T, B, D]`."""
    return np.stack([stream.step(step) for step in x.numpy()])


def assert_same(stream: tn.Stream, state: tuple[Any, ...]) -> None:
    """The state of a stream is this one, to the bit."""
    own = stream.state if isinstance(stream.state, tuple) else (stream.state,)
    assert len(own) == len(state)
    for part, expected in zip(own, state, strict=True):
        assert part.dtype == expected.dtype
        assert np.array_equal(part, expected)


# ------------------------------------------------------------------ equal to the layer

STACKS = {
    "one": {},
    "two": {"num_layers": 2, "dropout": 0.5},
    "residual": {"num_layers": 3, "residual": True, "input_size": 4},
    "zoneout": {"num_layers": 2, "zoneout": 0.3},
    "all": {"num_layers": 2, "residual": True, "zoneout": 0.1, "weight_dropout": 0.5},
}


@needs_library
@pytest.mark.parametrize("options", STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("case", VARIANTS)
def test_a_native_stream_is_the_batch_to_the_bit(case, options):
    """In training mode, too: a stream takes steps of evaluation."""
    layer = native(case, **options)
    for rows in (1, 3):
        x = torch.randn(T, rows, layer.input_size)
        stream = layer.stream(rows)
        output, state = whole(layer, x)
        assert np.array_equal(stepped(stream, x), output)
        assert_same(stream, state)


@needs_library
@pytest.mark.parametrize("options", ["one", "two", "zoneout"])
@pytest.mark.parametrize("case", ["lstm", "lstm-peephole", "gru", "rnn"])
def test_a_native_stream_in_bfloat16_is_the_batch_to_the_bit(case, options):
    layer = native(case, precision="bfloat16", **STACKS[options])
    for rows in (1, 3):
        x = torch.randn(T, rows, layer.input_size)
        stream = layer.stream(rows)
        output, state = whole(layer, x)
        assert np.array_equal(stepped(stream, x), output)
        assert_same(stream, state)
        twin = stream.fork()
        assert np.array_equal(twin.step(x[0].numpy()), stream.step(x[0].numpy()))


@pytest.mark.parametrize("case", ["lstm", "gru-norm"])
def test_a_bfloat16_stream_of_any_backend_is_the_batch_within_rounding(case):
    layer = make(case, dtype=torch.float32, precision="bfloat16", num_layers=3, residual=True)
    x = torch.randn(T, 2, layer.input_size)
    output, _ = whole(layer, x)
    assert np.abs(stepped(layer.stream(2), x) - output).max() <= 2**-6


@needs_library
@given(st.data())
def test_of_any_size_from_any_state(data):
    draw = data.draw
    name, own = draw(st.sampled_from([VARIANTS[c] for c in ("lstm", "gru", "rnn", "gru-norm")]))
    size, hidden = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    layers, rows, steps = (draw(st.integers(1, top)) for top in (3, 5, 4))
    torch.manual_seed(draw(st.integers(0, 99)))
    layer = getattr(tn, name)(size, hidden, layers, **own)
    stream = layer.stream(rows)
    if stream.backend != "native":
        return
    states = tuple(part.detach() for part in random_states(layer, rows, torch.float32))
    stream.state = as_hx(states)
    x = torch.randn(steps, rows, size)
    output, state = whole(layer, x, as_hx(states))
    assert np.array_equal(stepped(stream, x), output)
    assert_same(stream, state)


@needs_library
@pytest.mark.parametrize("rows", [1, 9])
@pytest.mark.parametrize("case", ["lstm", "gru", "rnn"])
def test_of_sizes_that_a_batch_cuts_among_threads(case, rows):
    layer = native(case, input_size=70, hidden_size=261, num_layers=2)
    x = torch.randn(20, rows, 70)
    stream = layer.stream(rows)
    output, state = whole(layer, x)
    assert np.array_equal(stepped(stream, x), output)
    assert_same(stream, state)


@needs_library
def test_a_row_does_not_depend_on_the_others():
    layer = native("lstm", input_size=17, hidden_size=33, num_layers=2)
    x = torch.randn(T, 5, 17)
    together = stepped(layer.stream(5), x)
    for row in range(5):
        assert np.array_equal(stepped(layer.stream(), x[:, row]), together[:, row])


@pytest.mark.parametrize("options", STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("case", VARIANTS)
def test_a_stream_in_torch_is_the_batch_within_rounding(case, options):
    layer = make(case, **options)
    for rows in (1, 3):
        x = torch.randn(T, rows, layer.input_size, dtype=torch.float64)
        stream = layer.stream(rows)
        assert stream.backend in ("aten", "reference")
        output, state = whole(layer, x)
        assert np.abs(stepped(stream, x) - output).max() <= 1e-12
        for part, expected in zip(states_of(stream.state), state, strict=True):
            assert np.abs(part - expected).max() <= 1e-12


def test_a_cell_of_one_s_own_streams_in_torch(mgu):
    layer = tn.Recurrent(mgu(hidden_size=H), D, 2, residual=True)
    stream, x = layer.stream(2), torch.randn(T, 2, D)
    assert stream.backend == "reference"
    assert stream.explain_backend().startswith("reference runs it in torch; native does not: ")
    output, state = whole(layer, x)
    assert np.abs(stepped(stream, x) - output).max() <= 1e-6
    assert np.abs(stream.state - state[0]).max() <= 1e-6


def test_half_precision_streams_in_torch():
    layer = tn.GRU(D, H).half()
    x = torch.randn(T, 1, D, dtype=torch.float16)
    output, _ = whole(layer, x)
    assert np.abs(stepped(layer.stream(), x) - output).max() <= 2**-9


# ------------------------------------------------------------------ one step


@pytest.fixture(params=["auto", "reference"])
def layer(request) -> tn.Recurrent:
    """A stack of two, on the fastest backend and in torch."""
    return tn.LSTM(D, H, 2, backend=request.param)


def test_shapes_of_a_step(layer):
    row = np.random.default_rng(0).standard_normal((1, D), dtype=np.float32)
    one, two, three = layer.stream(), layer.stream(), layer.stream(3)
    assert one.step(row[0]).shape == (H,)
    assert two.step(row).shape == (1, H)
    assert np.array_equal(one.step(row[0]), two.step(row)[0])
    assert three.step(np.repeat(row, 3, 0)).shape == (3, H)
    assert (three.batch_size, three.input_size, three.output_size) == (3, D, H)


def test_an_output_belongs_to_the_caller_and_an_input_stays_as_it_is(layer):
    stream = layer.stream()
    x = np.ones(D, np.float32)
    x.flags.writeable = False
    first = stream.step(x)
    kept = first.copy()
    stream.step(x)
    assert np.array_equal(first, kept)
    fork = stream.fork()
    stream.step(x)[...] = np.nan
    fork.step(x)
    assert np.array_equal(stream.step(x), fork.step(x))


def test_strided_input_and_foreign_dtype_objects(layer):
    wide = np.random.default_rng(0).standard_normal((2 * D, 5), dtype=np.float32)
    for x in (wide[::2, 1], wide[::-2, 1], wide[:D, 0]):
        assert np.array_equal(layer.stream().step(x), layer.stream().step(x.copy()))
    loaded = pickle.loads(pickle.dumps(np.ones(D, np.dtype(np.float32, metadata={"unit": "m"}))))
    assert np.array_equal(layer.stream().step(loaded), layer.stream().step(np.ones(D, np.float32)))


@needs_library
def test_no_torch_is_on_the_way():
    class Nothing(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            raise AssertionError(f"{function} was called")

    stream = native("lstm", hidden_size=3, num_layers=2, residual=True).stream()
    with Nothing():
        stream.step(np.ones(D, np.float32))
        stream.restore(stream.snapshot())
        stream.fork().state = stream.state
        stream.reset()


def test_a_stream_draws_no_random_numbers(layer):
    layer = tn.LSTM(D, H, 2, dropout=0.5, zoneout=0.5, recurrent_dropout=0.5)
    before = torch.get_rng_state()
    layer.stream().step(np.ones(D, np.float32))
    assert torch.equal(torch.get_rng_state(), before)
    assert layer.training


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ([0.0] * D, "a NumPy array; got list"),
        (torch.zeros(D), r"\.numpy\(\)"),
        (np.zeros(D), r"of float32; got float64.*astype\('float32'\)"),
        (np.zeros(D, ">f4"), "of float32; got >f4"),
        (np.zeros(D + 1, np.float32), r"of shape \[D\] or \[1, D\].*got \[4\]"),
        (np.zeros((2, D), np.float32), r"got \[2, 3\]"),
        (np.zeros((), np.float32), r"got \[\]"),
    ],
)
def test_a_wrong_input_is_refused_and_the_state_stays(layer, x, words):
    stream = layer.stream()
    before = stream.snapshot()
    with pytest.raises(InputError, match=words):
        stream.step(x)
    assert stream.snapshot() == before
    with pytest.raises(InputError, match=r"\[B, D\], with B 2"):
        layer.stream(2).step(np.zeros(D, np.float32))


# ------------------------------------------------------------------ weights


def test_a_stream_keeps_the_weights_it_was_made_with(layer):
    x = np.ones(D, np.float32)
    stream = layer.stream()
    expected = layer.stream().step(x)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
    assert np.array_equal(stream.step(x), expected)
    assert not layer.stream().step(x).any()
    del layer
    assert stream.step(x).any()


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
def test_weights_that_hooks_compute_are_those_of_the_next_pass():
    layer, x = tn.LSTM(D, H, 2, dropout=0.5), torch.randn(T, 1, D)
    nn.utils.weight_norm(layer, "weight_hh_l1")
    prune.random_unstructured(layer, "weight_ih_l0", 0.5)
    with torch.no_grad():
        layer.weight_hh_l1_g.mul_(3)
        layer.weight_ih_l0_orig.mul_(3)
    stream = layer.stream()
    assert layer.training
    assert np.abs(stepped(stream, x) - whole(layer, x)[0]).max() <= 1e-6


def test_parametrised_weights():
    layer, x = tn.GRU(D, H), torch.randn(T, 1, D)
    nn.utils.parametrizations.weight_norm(layer, "weight_hh_l0")
    with torch.no_grad():
        layer.parametrizations.weight_hh_l0.original0.mul_(3)
    assert np.abs(stepped(layer.stream(), x) - whole(layer, x)[0]).max() <= 1e-6


# ------------------------------------------------------------------ state


def walked(layer: tn.Recurrent, rows: int = 2) -> tn.Stream:
    """A stream that is not at zero."""
    stream = layer.stream(rows)
    for _ in range(3):
        stream.step(torch.randn(rows, D).numpy() if rows > 1 else torch.randn(D).numpy())
    return stream


def test_a_state_is_that_of_the_layer_and_goes_back_into_it(layer):
    x = torch.randn(T, 2, D)
    with torch.no_grad():
        _, state = layer(x[:3])
        after, _ = layer(x[3:], state)
    stream = layer.stream(2)
    stream.state = state  # tensors
    assert np.abs(stepped(stream, x[3:]) - after.numpy()).max() <= 1e-6
    h, c = stream.state
    assert h.shape == c.shape == (2, 2, H)
    h[...] = c[...] = np.nan  # copies
    assert np.isfinite(stream.state[0]).all()
    on = layer(x[:1], tuple(map(torch.from_numpy, stream.state)))[0]
    assert np.abs(stream.step(x[0].numpy()) - on[0].detach().numpy()).max() <= 1e-6


def test_a_layer_of_one_state_has_an_array_and_unbatched_states_fit_one_row():
    layer, x = tn.GRU(D, H, 2), torch.randn(T, D)
    _, state = layer(x)
    stream = layer.stream()
    assert stream.state.shape == (2, 1, H)
    stream.state = state  # unbatched, and with a graph behind it
    assert np.array_equal(stream.state[:, 0], state.detach().numpy())


def test_states_may_be_batch_first():
    layer = tn.LSTM(D, H, 3, proj_size=2, state_batch_first=True)
    x = torch.randn(T, 2, D)
    stream = layer.stream(2)
    output, state = whole(layer, x)
    assert np.abs(stepped(stream, x) - output).max() <= 1e-6
    h, c = stream.state
    assert (h.shape, c.shape) == ((2, 3, 2), (2, 3, H))
    assert np.abs(c - state[1]).max() <= 1e-6
    stream.state = (h, c)
    assert np.array_equal(stream.state[0], h)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros((2, 2, H), np.float32), r"2 array\(s\): hidden, cell; got 1"),
        ((np.zeros((2, 2, H)),) * 2, r"state \(hidden\)` must be of float32"),
        ((np.zeros((2, 2, H), np.float32), np.zeros((1, 2, H), np.float32)), r"state \(cell\)"),
        ((np.zeros((2, H), np.float32),) * 2, r"\[layers, B, size\] = \[2, 2, 4\]; got \[2, 4\]"),
    ],
)
def test_a_wrong_state_is_refused_and_the_old_one_stays(layer, value, words):
    stream = walked(layer)
    before = stream.snapshot()
    with pytest.raises(InputError, match=words):
        stream.state = value
    assert stream.snapshot() == before


@pytest.mark.parametrize(
    ("rows", "cleared"),
    [
        (None, [0, 1, 2]),
        (1, [1]),
        ([0, 2], [0, 2]),
        (np.array([False, True, True]), [1, 2]),
        (-1, [2]),
        ([], []),
    ],
)
def test_a_reset_puts_rows_to_zero(layer, rows, cleared):
    stream = walked(layer, 3)
    before = stream.state
    stream.reset(rows)
    for part, old in zip(stream.state, before, strict=True):
        for row in range(3):
            assert np.array_equal(part[:, row], old[:, row] * (row not in cleared))


@pytest.mark.parametrize("rows", [3, [0, 5], np.array([True, False]), [0.5]])
def test_a_reset_of_rows_that_are_not_there_is_refused(layer, rows):
    with pytest.raises(InputError, match="`rows` must be rows from 0 to 2"):
        walked(layer, 3).reset(rows)


@pytest.mark.parametrize("copied", [tn.Stream.fork, copy.copy, copy.deepcopy])
def test_a_fork_goes_its_own_way_from_the_same_state(layer, copied):
    stream = walked(layer)
    fork = copied(stream)
    x, y = torch.randn(2, 2, D).numpy()
    start = stream.snapshot()
    first = fork.step(x)
    assert stream.snapshot() == start
    assert np.array_equal(stream.step(x), first)
    stream.step(y)
    assert fork.snapshot() != stream.snapshot()
    del stream
    assert fork.step(y).shape == (2, H)


# ------------------------------------------------------------------ bytes


def test_a_snapshot_goes_back_to_the_bit_and_into_another_stream(layer):
    stream = walked(layer)
    snapshot, x = stream.snapshot(), torch.randn(2, D).numpy()
    assert isinstance(snapshot, bytes)
    expected = stream.step(x)
    stream.restore(snapshot)
    assert np.array_equal(stream.step(x), expected)
    for data in (snapshot, bytearray(snapshot), memoryview(snapshot)):
        other = layer.stream(2)
        other.restore(data)
        assert np.array_equal(other.step(x), expected)


def test_sizes_may_be_of_numpy():
    size, rows = np.int64(D), np.int32(2)
    stream = tn.GRU(size, size, np.int64(2)).stream(rows)
    stream.step(np.ones((2, D), np.float32))
    stream.restore(stream.snapshot())


def test_a_snapshot_goes_from_one_backend_to_another():
    fast, slow = (tn.GRU(D, H, backend=name) for name in ("auto", "reference"))
    stream, other = walked(fast, 1), slow.stream()
    other.restore(stream.snapshot())
    assert np.array_equal(other.state, stream.state)


def test_a_stream_is_not_pickled(layer):
    with pytest.raises(TypeError, match=r"snapshot\(\)"):
        pickle.dumps(layer.stream())


# ------------------------------------------------------------------ which backend, and refusals


def test_the_backend_that_is_asked_for(monkeypatch):
    assert tn.LSTM(D, H, backend="reference").stream().backend == "reference"
    assert tn.LSTM(D, H, backend="aten").stream().backend == "aten"
    text = tn.LSTM(D, H, backend="aten").stream().explain_backend()
    assert text == "aten runs it in torch; native does not: The backend 'aten' was asked for."
    monkeypatch.setenv("TIDEGATE_BACKEND", "reference")
    assert tn.LSTM(D, H).stream().backend == "reference"


@needs_library
def test_native_is_the_fastest_and_strict():
    stream = tn.LSTM(D, H, backend="native").stream()
    assert stream.backend == "native"
    assert stream.explain_backend() == "native runs it."
    with pytest.raises(BackendError, match=r"torch\.float32, not torch\.float64; use backend="):
        tn.LSTM(D, H, backend="native", dtype=torch.float64).stream()


@needs_library
def test_what_has_no_bfloat16_code_streams_in_torch():
    stream = tn.LSTM(D, H, layer_norm=True, precision="bfloat16").stream()
    text = stream.explain_backend()
    assert "runs it in torch; native does not: The native library has no bfloat16 code" in text


def test_without_the_library_streams_run_in_torch(monkeypatch):
    monkeypatch.setattr(library, "LIBRARY", None)
    monkeypatch.setattr(library, "PROBLEM", "It is not there")
    stream = tn.LSTM(D, H).stream()
    assert stream.backend == "aten"
    assert "native does not: It is not there." in stream.explain_backend()
    with pytest.raises(BackendError, match="It is not there"):
        tn.LSTM(D, H, backend="native").stream()


def test_what_cannot_stream_says_why():
    with pytest.raises(InputError, match="LSTM: `bidirectional` must be False for a stream"):
        tn.LSTM(D, H, bidirectional=True).stream()
    with pytest.raises(InputError, match=r"bfloat16.*\.float\(\)"):
        tn.GRU(D, H, dtype=torch.bfloat16).stream()
    for rows in (0, 1.0, True):
        with pytest.raises(InputError, match="`batch_size` must be an integer >= 1"):
            tn.GRU(D, H).stream(rows)


def test_a_printed_stream_says_what_it_is(layer):
    stream = layer.stream(3)
    expected = "Stream(cell='lstm', layers=2, batch_size=3, dtype='float32', backend="
    assert repr(stream) == f"{expected}{stream.backend!r})"
