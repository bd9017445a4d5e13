"""What every registered part must hold to.

A plug-in proves itself by the same functions: `check_cell(MyCell)`. Each raises an AssertionError
that says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from types import ModuleType

import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch.func import functional_call

import tidegate.nn as tn
from tests.helpers import as_hx, difference, results, saved_bytes, states_of
from tidegate import cells
from tidegate.cells import Cell
from tidegate.kernels import Request, run_sequence

B, T, D, H = 3, 5, 2, 4
LENGTHS = [5, 0, 3]
RESETS = torch.tensor([[0, 0, 1, 0, 0], [1, 1, 0, 0, 0], [0, 1, 0, 1, 0]], dtype=torch.bool)
CITATION = re.compile(r"[A-Z]\w+.*\b(?:19|20)\d\d\b")
KEBAB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def random(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


def configurations(kind: type[Cell]) -> Iterator[Cell]:
    """The cell as it is by default, with every switch turned over, and with all of them."""
    switches = {f.name: not f.default for f in fields(kind) if isinstance(f.default, bool)}
    yield kind(hidden_size=H)
    for name, value in switches.items():
        yield kind(hidden_size=H, **{name: value})
    yield kind(hidden_size=H, **switches)


def check_cell(kind: type[Cell]) -> None:
    """Check a cell: what it says of itself, its step, and the layers that are made of it."""
    check_description(kind)
    for cell in configurations(kind):
        check_shapes(cell)
        check_step(cell)
        check_layer(cell)
        check_ragged_rows(cell)
        check_segments_and_chunks(cell)
        check_cost(cell)


def check_description(kind: type[Cell]) -> None:
    assert cells.get(kind.name) is kind, "register the class: @register"
    assert kind.name in cells.names()
    assert KEBAB.fullmatch(kind.name), f"{kind.name!r} is not kebab case"
    text = kind.__doc__ or ""
    assert CITATION.search(text), "cite the paper, author and year, in the docstring"
    assert "=" in text, "write the equations in the docstring"
    assert kind.states, "the first state is the output"
    assert kind(hidden_size=H) == kind(hidden_size=H), "make it a frozen dataclass"
    assert hash(kind(hidden_size=H)) == hash(kind(hidden_size=H))
    cell = kind(hidden_size=H)
    for gate in (kind.keep_gate, kind.write_gate):
        assert gate is None or gate in cell.blocks, f"{gate!r} has no rows"


def check_shapes(cell: Cell) -> None:
    shapes = cell.shapes(D)
    rows = len(cell.blocks) * H
    assert shapes["weight_ih"] == (rows, D)
    assert shapes["weight_hh"] == (rows, cell.output_size)
    assert {"bias_ih", "bias_hh"} <= shapes.keys() if cell.bias else "bias_ih" not in shapes
    assert len(set(cell.blocks)) == len(cell.blocks)
    assert len({*cell.gates, *cell.states}) == len(cell.gates) + len(cell.states)
    assert len(cell.state_sizes) == len(cell.states)
    assert cell.state_sizes[0] == cell.output_size


def check_step(cell: Cell) -> None:
    """What a step returns has the shapes it should, and derivatives that are right."""
    shapes = cell.shapes(D)
    state = tuple(random(B, size) for size in cell.state_sizes)
    drawn = tuple(random(*shape) for shape in shapes.values())

    def step(x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        before, weights = rest[: len(state)], dict(zip(shapes, rest[len(state) :], strict=True))
        after, gates = cell.step(cell.inputs(x, weights), before[0], before, weights)
        assert [list(part.shape) for part in after] == [[B, size] for size in cell.state_sizes]
        assert [list(gate.shape) for gate in gates] == [[B, H]] * len(cell.gates)
        return (*after, *gates)

    assert gradcheck(step, (random(B, D), *state, *drawn), fast_mode=True)


def layer_of(cell: Cell, **options: object) -> tn.Recurrent:
    return tn.Recurrent(cell, D, batch_first=True, dtype=torch.float64, **options)


def states_for(layer: tn.Recurrent, rows: int = B) -> tuple[Tensor, ...]:
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    return tuple(random(count, rows, size) for size in layer.cell.state_sizes)


def check_layer(cell: Cell) -> None:
    """The cell makes a layer under its name, with its weights, that can be differentiated."""
    options = {key: value for key, value in asdict(cell).items() if key != "hidden_size"}
    given = {"num_layers": 2, "bidirectional": True, "batch_first": True, "dtype": torch.float64}
    layer = tn.recurrent_layer(cell.name, D, H, **given, **options)
    assert layer.cell == cell
    assert set(options) - {"bias"} <= tn.layer_options(cell.name)
    keys = {f"{name}_l1_reverse" for name in cell.shapes(layer.output_size)}
    assert keys == {key for key in layer.state_dict() if key.endswith("_l1_reverse")}
    twin = layer_of(cell, num_layers=2, bidirectional=True)
    twin.load_state_dict(layer.state_dict(), strict=True)
    x, hx = random(B, T, D), states_for(layer)
    call = {"lengths": LENGTHS, "reset_mask": RESETS}
    assert difference(twin(x, as_hx(hx), **call)[0], layer(x, as_hx(hx), **call)[0]) <= 1e-12
    names = [name for name, _ in layer.named_parameters()]

    def run(x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        weights = dict(zip(names, rest[len(hx) :], strict=True))
        output, state = functional_call(layer, weights, (x, as_hx(rest[: len(hx)])), call)
        return (output, *states_of(state))

    assert gradcheck(run, (x, *hx, *layer.parameters()), fast_mode=True)


def check_ragged_rows(cell: Cell) -> None:
    """Each row is what it is alone; gates have the shapes that are promised and end with it."""
    layer = layer_of(cell, num_layers=2, bidirectional=True)
    x, hx = random(B, T, D), states_for(layer)
    output, state, trace = layer(x, as_hx(hx), lengths=LENGTHS, return_gates=True)
    assert list(trace) == [*cell.gates, *cell.states]
    sizes = dict(zip(cell.states, cell.state_sizes, strict=True))
    for name, values in trace.items():
        assert list(values.shape) == [4, B, T, sizes.get(name, H)]
    for row, length in enumerate(LENGTHS):
        assert not output[row, length:].any()
        assert not any(values[:, row, length:].any() for values in trace.values())
        begin = tuple(part[:, row] for part in hx)
        alone, end = layer(x[row, :length], as_hx(begin)) if length else (output[row, :0], begin)
        assert difference(output[row, :length], alone) <= 1e-12
        for part, expected in zip(states_of(state), states_of(end), strict=True):
            assert difference(part[:, row], expected) <= 1e-12


def check_segments_and_chunks(cell: Cell) -> None:
    """A reset starts from zero, a state handed on goes on, a step by hand is the layer's."""
    layer = layer_of(cell)
    x, hx = random(B, T, D), states_for(layer)
    mask = torch.zeros(B, T, dtype=torch.bool)
    mask[:, 2] = True
    output, _ = layer(x, as_hx(hx), reset_mask=mask)
    assert difference(output[:, 2:], layer(x[:, 2:])[0]) <= 1e-12
    first, state = layer(x[:, :2], as_hx(hx))
    assert difference(output[:, :2], first) <= 1e-12
    whole, _ = layer(x, as_hx(hx))
    rest, _ = layer(x[:, 2:], state)
    assert difference(torch.cat([first, rest], 1), whole) <= 1e-12
    single = tn.StepCell(cell, D, dtype=torch.float64)
    single.load_state_dict({key.removesuffix("_l0"): w for key, w in layer.state_dict().items()})
    after = single(x[:, 0], as_hx(tuple(part[0] for part in hx)))
    assert difference(states_of(after)[0], whole[:, 0]) <= 1e-12


def check_cost(cell: Cell) -> None:
    """The summary agrees with the parameters, and with what the reference keeps for backward."""
    steps, size = (
        40,
        7,
    )  # so long and wide that what is kept once, or beside the units, counts little
    given = {"num_layers": 2, "bidirectional": True, "batch_first": True, "backend": "reference"}
    layer = tn.Recurrent(replace(cell, hidden_size=4 * H), size, **given)
    cost = layer.summary(steps, B)
    assert cost.parameters == sum(weight.numel() for weight in layer.parameters())
    kept = saved_bytes(layer, torch.randn(B, steps, size))
    assert abs(cost.activation_bytes / kept - 1) < 0.2, (
        f"saved_per_step is off: {kept} kept, {cost.activation_bytes} told"
    )


def check_backend(module: ModuleType, kind: type[Cell]) -> None:
    """A backend refuses a cell with a reason, or computes what the reference does."""
    for cell in configurations(kind):
        weights = {name: random(*shape) for name, shape in cell.shapes(D).items()}
        state = tuple(random(B, size) for size in cell.state_sizes)
        for lengths in (None, torch.tensor(LENGTHS)):
            for reverse in (False, True):
                x = random(B, T, D)
                request = Request(
                    cell=cell, x=x, state=state, weights=weights, lengths=lengths, reverse=reverse
                )
                reason = module.refuses(request)
                if reason is not None:
                    assert reason[0].isupper()
                    assert not reason.endswith("."), "the sentence around it ends it"
                    continue
                expected = run_sequence(request, backend="reference")
                actual = module.run(request)
                wanted = {"x": x} | weights | {f"h{i}": part for i, part in enumerate(state)}
                theirs = results(expected.output, expected.state, wanted)
                for name, value in results(actual.output, actual.state, wanted).items():
                    assert difference(value, theirs[name]) <= 1e-10, name
