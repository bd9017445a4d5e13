"""The groups that compare whole layers: training, inference, GRU and RNN, ragged, bfloat16."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.peers import TITLES
from benchmarks.suite.case import INFERENCE, TRAINING, Case
from benchmarks.suite.measure import Row, Session
from benchmarks.suite.target import Group, Target, at_least, at_most, smallest

BASE = Case("LSTM", 64, 200, 128, 128)
SMALL = Case("LSTM", 32, 60, 1, 50)
STREAM = Case("LSTM", 1, 1000, 64, 64)
WIDE = Case("LSTM", 64, 200, 100, 256)
LARGE = Case("LSTM", 20, 35, 650, 656)

# Each with how many times as fast as torch.nn it should train.
LSTMS = {
    BASE: 1.9,
    replace(BASE, bidirectional=True): 3.0,
    WIDE: 1.8,
    SMALL: 2.0,
    Case("LSTM", 32, 336, 7, 64, layers=2): 2.0,
    STREAM: 2.0,
    Case("LSTM", 256, 50, 32, 64): 1.5,
    Case("LSTM", 1, 1000, 256, 256): 1.4,
    LARGE: 1.0,
}
OTHERS = {BASE: 3.0, WIDE: 3.0, SMALL: 10.0, STREAM: 10.0, LARGE: 2.0}
RAGGED = {
    Case("LSTM", 64, 400, 128, 128, bidirectional=True, shortest=60): 20.0,
    Case("LSTM", 64, 400, 100, 256, layers=2, bidirectional=True, shortest=60): 40.0,
}
# Keras compiles for seconds and computes what the JAX scan computes: some shapes are enough.
KERAS = (BASE, SMALL, STREAM)


def _with_keras(case: Case, peers: tuple[str, ...]) -> tuple[str, ...]:
    return (*peers, "keras") if case in KERAS else peers


def _named(row: Row) -> str:
    return f"{row.case.name} {row.case.shape}, {row.phase}"


def training(session: Session) -> Group:
    """LSTM, padded, training, against torch.nn and JAX."""
    rows, targets = [], []
    for case, bound in LSTMS.items():
        rows.append(session.measure(case, TRAINING, _with_keras(case, ("torch", "jax"))))
        targets.append(at_least(f"{_named(rows[-1])}: torch", bound, rows[-1].ratio("torch")))
    slowest = smallest(row.ratio("torch") for row in rows)
    targets.append(at_least("the slowest of these against torch", 1.0, slowest))
    return Group("training", "training, padded", rows, targets)


def others(session: Session) -> Group:
    """GRU and RNN, padded, training, against torch.nn and JAX."""
    rows, targets = [], []
    for kind in ("GRU", "RNN"):
        for base, bound in OTHERS.items():
            case = replace(base, kind=kind)
            rows.append(session.measure(case, TRAINING, ("torch", "jax")))
            targets.append(at_least(f"{_named(rows[-1])}: torch", bound, rows[-1].ratio("torch")))
    return Group("gru-rnn", "training GRU and RNN, padded", rows, targets)


def inference(session: Session) -> Group:
    """Everything padded, inference, against the fastest of four."""
    peers = ("torch", "onnxruntime", "openvino", "jax")
    cases = [*LSTMS]
    cases += [replace(case, kind=kind) for kind in ("GRU", "RNN") for case in (BASE, SMALL, STREAM)]
    rows, targets = [], []
    for case in cases:
        row = session.measure(case, INFERENCE, _with_keras(case, peers))
        rows.append(row)
        found = {peer: ratio for peer in peers if (ratio := row.ratio(peer)) is not None}
        fastest = min(found, key=found.__getitem__, default=None)
        bound = 1.4 if case.H <= 64 and case.B >= 32 else 1.1 if case.B == 1 else 1.0
        who = TITLES[fastest] if fastest else "nobody"
        what = f"{_named(row)}: {who}, the fastest of {len(found)}"
        targets.append(at_least(what, bound, found[fastest] if fastest else None))
    return Group("inference", "inference, padded", rows, targets)


def ragged(session: Session) -> Group:
    """Rows of 60 to 400 steps, against torch's packed sequences and against equal lengths."""
    rows, targets = [], []
    for case, bound in RAGGED.items():
        for phase in (TRAINING, INFERENCE):
            row = session.measure(case, phase, ("packed", "equal"))
            rows.append(row)
            if phase == TRAINING:
                targets.append(at_least(f"{_named(row)}: torch packed", bound, row.ratio("packed")))
            what = f"{_named(row)}: time of a useful step, against rows of equal length"
            targets.append(at_most(what, 1.1, _per_step(row)))
    return Group("ragged", "rows of 60 to 400 steps", rows, targets)


def _per_step(row: Row) -> float | None:
    """Time of a useful step of ragged rows, as a multiple of that of rows of equal length."""
    ratio, case = row.ratio("tidegate", to="equal"), row.case
    steps = case.B * -(-case.useful_steps // case.B)
    return None if ratio is None else ratio * steps / case.useful_steps


def bfloat16(session: Session) -> Group:
    """Training in bfloat16 against our own float32."""
    rows, targets = [], []
    for case in (WIDE, LARGE):
        row = session.measure(replace(case, dtype="bfloat16"), TRAINING, ("float32", "torch"))
        rows.append(row)
        what = f"{_named(row)} in bfloat16: our float32"
        targets.append(at_least(what, 1.4, row.ratio("float32")))
    return Group("bfloat16", "training in bfloat16", rows, targets)


def shares(group: Group) -> list[Target]:
    """The targets for the share of the peak, of a group whose peak has been measured."""
    bound = {"training": 80.0, "inference": 85.0}.get(group.name)
    if bound is None:
        return []
    return [
        at_least(f"{_named(row)}: share of the peak", bound, _percent(group.share(row)), " %")
        for row in group.rows
        if row.case.kind == "LSTM" and row.case.H >= 128 and row.case.B >= 32
    ]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
