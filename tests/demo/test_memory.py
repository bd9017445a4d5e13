"""The memory demo: its table, its chart and its verdict say how the nets did."""

from __future__ import annotations

import pytest

from tidegate.demo import memory
from tidegate.demo.recall import LOOK, Recollection, Variant

SHORT = (Variant("RNN", "rnn"), Variant("LSTM, layer norm", "lstm", {"layer_norm": True}))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small nets on a problem that one of them solves at once."""
    for name, value in {"VARIANTS": SHORT, "STEPS": 8, "UPDATES": 8 * LOOK, "UNITS": 16}.items():
        monkeypatch.setattr(memory, name, value)


def test_it_trains_every_net_and_draws(short, tmp_path, capsys):
    outcome = memory.compare_memories(tmp_path / "out", True)
    picture = tmp_path / "out" / "memory.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in outcome.summary
    assert [row["net"] for row in outcome.figures] == ["RNN", "LSTM, layer norm"]
    assert "updates" in outcome.figures[1]["solved after"]
    assert float(outcome.figures[1]["mean squared error"]) < 1 / 60 * 1.5
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["RNN", "LSTM, layer norm"]


def test_quiet_is_quiet_and_a_second_run_finds_the_same(short, tmp_path, capsys):
    first, second = (memory.compare_memories(tmp_path / name, False) for name in ("one", "two"))
    assert first.figures == second.figures
    assert capsys.readouterr() == ("", "")


def test_the_table_and_the_verdict_name_who_has_not_solved_it():
    found = {
        "RNN": Recollection([0.17, 0.16], 0.165, None, 1.0),
        "LSTM": Recollection([0.17, 0.01], 0.0123, None, 1.0),
    }
    rows = [memory._row(name, result, 1 / 60) for name, result in found.items()]
    assert rows[0] == {"net": "RNN", "solved after": "not", "mean squared error": "0.1650"}
    assert rows[1]["solved after"] == f"{2 * LOOK} updates"
    told = memory._verdict(found, 1 / 6)
    assert told.startswith("Who always answers 1 has 0.1667; solved is a tenth of that.")
    assert told.endswith("updates: RNN.")
    assert memory._verdict({"LSTM": found["LSTM"]}, 1 / 6).endswith("updates: none.")
