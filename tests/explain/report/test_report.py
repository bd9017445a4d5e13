"""A report: what `Task.explain` puts in it, and how it is written."""

from __future__ import annotations

import html
import json
import warnings

import numpy as np
import pytest
from PIL import Image
from sklearn.exceptions import NotFittedError

from tests.explain.reports import report
from tests.plugins.adder import Adder
from tests.tasks.texts import small, texts
from tidegate.errors import InputError
from tidegate.explain.report.report import check_output
from tidegate.nn import recurrent_layer
from tidegate.tasks.core.examples import DataWarning

TEXT = "the wild tide was not mild and very loud"


@pytest.fixture(scope="module")
def model():
    with pytest.warns(DataWarning):
        return small(epochs=2, max_length=6, keep="both", bidirectional=True).fit(*texts(80))


def test_the_page_is_what_html_holds(tmp_path):
    made = report()
    made.save(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == made.to_html()
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_json_holds_everything_as_numbers(tmp_path):
    made = report()
    made.save(tmp_path / "r.json")
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    for name, part in made.trace.gates.items():
        assert np.abs(np.array(found["gates"][name]) - part[:, 0].numpy()).max() < 1e-6
    assert np.array(found["cell"]) == pytest.approx(made.trace.cell[:, 0].numpy(), abs=1e-6)
    assert np.array(found["hidden"]).shape == (2, 6, 4)
    assert found["tokens"] == list(made.tokens)
    assert found["attributions"][0]["scores"] == made.attributions[0].scores[0].tolist()
    assert found["attributions"][1]["method"] == "gates"
    assert found["memory"]["half_life"] == made.memory.half_life.tolist()
    assert set(found["memory"]["open"]) == {"input", "forget", "output"}
    assert (found["target"], found["probabilities"]) == ("yes", {"no": 0.25, "yes": 0.75})


def test_json_of_a_net_without_gates(tmp_path):
    made = report(layer=recurrent_layer("rnn", 2, 3))
    made.save(tmp_path / "r.json")
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert (found["gates"], found["cell"], found["memory"]) == ({}, None, None)


def test_png_is_a_picture(tmp_path):
    report().save(tmp_path / "r.picture", "png")
    with Image.open(tmp_path / "r.picture") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 500


def test_a_notebook_shows_the_page_in_a_frame():
    made = report(("</iframe>", '"'))
    frame = made._repr_html_()
    assert frame.count("<") == 2
    assert html.unescape(frame.split('srcdoc="')[1].split('" style')[0]) == made.to_html()


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        ("r.htm", None, "must be one of html, png, json; got 'r.htm'"),
        ("r", None, "Name one with --format"),
        ("r.html", "pdf", "must be one of html, png, json; got 'pdf'"),
        ("gone/r.html", None, "in a folder that exists; got a path in no folder"),
        ("", "html", "got a folder"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_work(tmp_path, name, form, said):
    with pytest.raises(InputError, match=r"^explain: ") as caught:
        check_output(tmp_path / name, form)
    assert said in str(caught.value)


def test_a_file_that_cannot_be_made_is_one_line_and_nothing_is_left(tmp_path):
    # The name itself is allowed; that of the file written first, beside it, is too long.
    path = tmp_path / ("r" * 249 + ".json")
    with pytest.raises(InputError, match=r"must be a file that can be written.*name too long"):
        report().save(path)
    assert list(tmp_path.iterdir()) == []


def test_a_task_explains_what_it_answers(model):
    with pytest.warns(DataWarning, match="read 6 of the 9 tokens") as told:
        made = model.explain(TEXT)
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        (shares,) = model.predict_proba([TEXT])
        assert made.prediction == model.predict([TEXT])[0]
        whole = model.trace([TEXT])
    assert list(made.probabilities.values()) == pytest.approx(shares.tolist())
    assert made.target == made.prediction
    assert made.tokens == ("the", "wild", "tide", "and", "very", "loud")
    assert (made.excerpt.skipped, made.excerpt.skipped_after) == (3, 3)
    assert (made.trace.hidden == whole.hidden).all()
    first, occluded, gates = made.attributions
    assert occluded.method == "occlusion"
    batch = model.encoder_.encode([TEXT]).batch([0])
    score = float(model.network_(batch).detach().max())
    assert float(first.output[0]) == pytest.approx(score, abs=1e-5)
    assert float(gates.output[0]) == pytest.approx(score, abs=1e-5)
    assert abs(float(first.gap[0])) < 1e-3
    assert made.model == "TextClassifier, LSTM, 8 units, 2 directions"


def test_another_class_layers_units_and_methods_can_be_asked_for(model):
    other = model.explain("wild tide", target="calm", methods=["occlusion"], units=[5, 2], layers=0)
    assert other.target == "calm"
    assert [found.method for found in other.attributions] == ["occlusion"]
    assert other.trace.units == (5, 2)
    assert other.memory.half_life.shape == (2, 2)


def test_a_text_of_many_tokens_is_spared_the_occlusion():
    model = small(epochs=1, max_length=600).fit(*texts(40))
    methods = [found.method for found in model.explain("wild tide " * 251).attributions]
    assert methods == ["integrated gradients", "gates"]


def test_a_net_without_gates_is_explained_without_them():
    made = small(cell="rnn", epochs=1).fit(*texts(40)).explain("wild tide")
    methods = [found.method for found in made.attributions]
    assert methods == ["integrated gradients", "occlusion"]
    assert made.memory is None
    assert "gates are left out" in made.excerpt.notes[0]
    assert "memory" in made.to_html()


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("", {}, "`input` must be a text with a token; got ''"),
        ("<br/>", {}, "`input` must be a text with a token"),
        (["wild"], {}, "`X` must be made of texts"),
        ("wild", {"target": "fog"}, "`target` must be an answer of this model; got 'fog'"),
        ("wild", {"layers": [1]}, "`layers` must be 0, the only one; got 1"),
        ("wild", {"units": [8]}, "`units` must be from 0 to 7; got 8"),
        ("wild", {"methods": ["magic"]}, "`method` must be one of 'integrated gradients'"),
    ],
)
def test_what_cannot_be_explained_is_said(model, text, options, said):
    with pytest.raises(InputError) as caught:
        model.explain(text, **options)
    assert said in str(caught.value)


def test_a_task_that_shows_nothing_of_its_inside_says_so():
    adder = Adder(hidden_size=2, epochs=1, verbose=False)
    adder.fit(["1 2*", "3* 4"] * 10, [2.0, 3.0] * 10)
    with pytest.raises(InputError, match=r"`model` must be of a task whose network .*; got Adder"):
        adder.explain("1 2*")


def test_an_unfitted_task_has_nothing_to_explain():
    with pytest.raises(NotFittedError):
        small().explain("wild")
