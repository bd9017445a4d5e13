"""What a saved model shows to people."""

from __future__ import annotations

import io

import matplotlib.image
import pytest
from matplotlib.figure import Figure

from tidegate import card
from tidegate.card import learning_curve

HISTORY = [
    {"epoch": 1, "train_loss": 0.1 + 0.2, "train_accuracy": 0.5, "validation_loss": 1e-7},
    {"epoch": 2, "train_loss": 0.25, "train_accuracy": 1.0, "validation_loss": 3e22},
]
METRICS = {"train": {"loss": 0.25, "accuracy": 1.0}, "validation": {"loss": 0.5}}


def test_the_history_comes_back_to_the_bit():
    assert card.read_history(card.history_csv(HISTORY)) == HISTORY


def test_a_history_that_is_no_table_of_numbers_is_refused():
    with pytest.raises(ValueError, match="could not convert"):
        card.read_history("epoch,train_loss\n1,low\n")


def test_the_card_tells_scores_settings_and_how_to_load():
    text = card.model_card("TextClassifier", {"hidden_size": 64}, METRICS, 2, 12345)
    assert text.startswith("# TextClassifier\n")
    assert "in 2 epochs; 12,345 parameters" in text
    assert "| data | loss | accuracy |" in text
    assert "| train | 0.2500 | 1.0000 |" in text
    assert "| validation | 0.5000 |  |" in text
    assert "tidegate.load(" in text
    assert "- hidden_size: `64`" in text
    assert "knows" not in text
    facts = {"column of label": "stars", "classes": "a`b\nc"}
    told = card.model_card("TextClassifier", {}, METRICS, 2, 1, facts=facts)
    assert "## What it knows\n\n- column of label: `stars`\n- classes: `a'b\\nc`\n" in told


@pytest.mark.parametrize("history", [HISTORY, HISTORY[:1], [{"epoch": 1, "train_loss": 2.0}]])
def test_the_learning_curve_is_a_picture_with_lines_in_it(history):
    picture = matplotlib.image.imread(io.BytesIO(learning_curve(history)))
    height, width, _ = picture.shape
    assert width > height > 200
    assert picture[..., :3].std() > 0.05


@pytest.mark.parametrize("epochs", [1, 2, 12])
def test_epochs_are_whole_numbers_on_the_axis(epochs, monkeypatch):
    drawn = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda own, *a, **k: (drawn.append(own), save(own, *a, **k))
    )
    learning_curve([HISTORY[0] | {"epoch": epoch + 1} for epoch in range(epochs)])
    for axes in drawn[0].axes:
        first, last = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if first <= tick <= last]
        assert ticks
        assert all(tick == int(tick) for tick in ticks)


def test_the_files_for_reading_are_made_together():
    files = card.describe("TextClassifier", {}, METRICS, HISTORY, 1)
    assert set(files) == {"README.md", "history.csv", "learning_curve.png"}
    assert files["learning_curve.png"].startswith(b"\x89PNG")


def test_the_axis_of_a_share_ends_at_one(monkeypatch):
    drawn = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda own, *a, **k: (drawn.append(own), save(own, *a, **k))
    )
    learning_curve(HISTORY)
    loss, accuracy = drawn[0].axes
    assert accuracy.get_ylim()[1] == 1.0
    assert loss.get_ylim()[1] > 1


@pytest.mark.parametrize("error", [ImportError("no\nlibrary"), MemoryError(), ValueError("x")])
def test_a_model_is_not_lost_to_its_picture(monkeypatch, error):
    def fail(history):
        raise error

    monkeypatch.setattr(card, "learning_curve", fail)
    with pytest.warns(
        UserWarning, match=r"^learning_curve\.png cannot be drawn \(\w+Error: ?"
    ) as told:
        files = card.describe("Toy", {}, {}, [{"epoch": 1, "train_loss": 0.5}], 7)
    assert set(files) == {"README.md", "history.csv"}
    assert "\n" not in str(told[0].message)


def test_names_out_of_data_stay_in_their_line_of_the_card():
    facts = {"classes": "two\nlines, `x`\x1b[31m"}
    settings = {"class_weight": {"a  b": 1}}
    lines = card.model_card("T", settings, {}, 1, 2, facts=facts).splitlines()
    assert r"- classes: `two\nlines, 'x'\x1b[31m`" in lines
    assert "- class_weight: `{'a  b': 1}`" in lines
