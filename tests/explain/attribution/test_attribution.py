"""An attribution as a table, as a picture, and put together from batches."""

from __future__ import annotations

import pytest
import torch

from tests.explain.nets import ragged, text_net
from tidegate.errors import InputError
from tidegate.explain.attribution.attribution import Attribution, at_target, join, read_target
from tidegate.explain.attribution.integrated import integrated_gradients
from tidegate.explain.network import take_rows

HOSTILE = ("$x^2$", "</script>", "line\nbreak", "ein_sehr_" + "langes_" * 20, "ü")


def small(labels=None, names=None):
    return Attribution(
        method="occlusion",
        scores=torch.tensor([[0.5, -1.0, 0.25], [2.0, 0.0, 0.0]]),
        target=torch.tensor([1, 0]),
        output=torch.tensor([1.5, 2.0]),
        baseline=torch.tensor([1.0, 0.5]),
        lengths=torch.tensor([3, 1]),
        asked=torch.tensor([5, 3]),
        labels=labels,
        names=names,
    )


def test_the_gap_is_what_is_left():
    assert small().gap.tolist() == [0.75, -0.5]
    assert repr(small()) == "Attribution(occlusion, B 2, T 3)"


def test_the_table_has_a_line_for_each_valid_step():
    frame = small((("a", "b", "c"), ("d",)), ("no", "yes")).to_frame()
    assert frame["label"].tolist() == ["a", "b", "c", "d"]
    assert frame["target"].tolist() == ["yes", "yes", "yes", "no"]
    assert frame["score"].tolist() == [0.5, -1.0, 0.25, 2.0]
    assert frame[["row", "step"]].values.tolist() == [[0, 0], [0, 1], [0, 2], [1, 0]]
    assert "label" not in small().to_frame()
    assert small().to_frame()["target"].tolist()[-1] == "output 0"


def test_the_picture_shows_every_token_on_the_colour_of_its_score():
    figure = small((("good", "bad", "so"), ("d",)), ("no", "yes")).plot()
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["good", "bad", "so"]
    red, _, blue, _ = zip(*(patch.get_facecolor() for patch in axes.patches), strict=True)
    assert blue[0] > red[0]  # for
    assert red[1] > blue[1]  # against
    assert "yes from 1.00 to 1.50" in figure.texts[0].get_text()


def test_tokens_of_any_kind_are_drawn():
    found = Attribution(
        "gates", torch.zeros(1, 5), *[torch.tensor([n]) for n in (0, 0.0, 0.0, 5, 1)], (HOSTILE,)
    )
    assert found._repr_png_().startswith(b"\x89PNG")
    texts = [text.get_text() for text in found.plot().axes[0].texts]
    assert texts[0] == "$x^2$"
    assert texts[2] == "line⏎break"
    assert len(texts[3]) == 100


def test_long_texts_wrap():
    tokens = ("word",) * 100
    found = Attribution(
        "gates", torch.randn(1, 100), *[torch.tensor([n]) for n in (0, 0.0, 0.0, 100, 1)], (tokens,)
    )
    axes = found.plot().axes[0]
    assert max(text.get_position()[0] for text in axes.texts) <= 96
    assert len({text.get_position()[1] for text in axes.texts}) == 5


def test_steps_without_labels_are_bars():
    axes = small().plot(1).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [2.0]
    assert axes.get_xlabel() == "step"


def test_a_row_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="`row` must be from 0 to 1; got 2"):
        small().plot(2)


def test_targets_are_read():
    outputs = torch.tensor([[1.0, 3.0, 2.0], [5.0, 0.0, 0.0]])
    assert read_target(None, outputs).tolist() == [1, 0]
    assert read_target(2, outputs).tolist() == [2, 2]
    assert read_target([2, 1], outputs).tolist() == [2, 1]
    assert at_target(outputs, torch.tensor([2, 0])).tolist() == [2.0, 5.0]
    cube = torch.arange(12.0).view(2, 2, 3)
    assert at_target(cube, torch.tensor([1, 2])).tolist() == [[1.0, 4.0], [8.0, 11.0]]


def test_batches_are_put_together_in_the_order_of_the_rows():
    network, batch = text_net(wide=True), ragged()
    whole = integrated_gradients(network, batch)
    order = [2, 1, 3, 0]
    parts = []
    for rows in ([2, 1], [3, 0]):
        part = take_rows(batch, torch.tensor(rows))
        longest = max(1, int(part.lengths.max()))
        parts.append(
            integrated_gradients(network, type(part)(part.values[:, :longest], part.lengths))
        )
    joined = join(parts, order)
    for name in ("scores", "target", "output", "baseline", "lengths", "asked"):
        torch.testing.assert_close(getattr(joined, name), getattr(whole, name))
