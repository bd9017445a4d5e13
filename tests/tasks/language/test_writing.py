"""What a language model writes, against its own network read in torch from the beginning."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from tidegate.data.language.encoder import END, UNKNOWN
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.language import pen as language_pen
from tidegate.tasks.language.model import LanguageModel

QUICK = {
    "hidden_size": 12,
    "num_layers": 1,
    "dropout": 0.0,
    "epochs": 10,
    "bptt": 16,
    "batch_size": 2,
    "learning_rate": 0.02,
    "verbose": False,
}
SONG = "abba cab\n" * 60


def learned(X, **settings):
    return LanguageModel(**QUICK, **settings).fit(X, validation=None)


@pytest.fixture(scope="module")
def model():
    return learned(SONG)


@pytest.fixture(scope="module")
def documents():
    return learned(["to be or not to be", "not to be", "to be"] * 20, level="word")


def logs_after(model, ids):
    """Log-probabilities of the next symbol, `[V]` float64, read in one go."""
    with torch.no_grad():
        features, _ = model.network_.read(torch.tensor([ids]))
        return model.network_.head.answer(features)[0, -1].double().numpy()


def test_the_likeliest_text_is_what_reading_everything_again_finds(model):
    ids = model.encoder_.ids("abb")
    for _ in range(30):
        logs = logs_after(model, ids)
        logs[[END, UNKNOWN]] = -np.inf
        ids.append(int(logs.argmax()))
    assert model.generate("abb", length=30, temperature=0) == model.encoder_.decode(ids)[3:]


@pytest.mark.parametrize("level", ["word", "space", "bpe"])
def test_words_and_pieces_of_them_are_spelled_like_what_was_read(level):
    size = 260 if level == "bpe" else None
    model = learned("a tide , a gate\n" * 40, level=level, max_vocabulary=size)
    ids = model.encoder_.ids("a tide")
    read = model.encoder_.decode(ids)
    for _ in range(12):
        logs = logs_after(model, ids)
        logs[[UNKNOWN] if level == "space" else [END, UNKNOWN]] = -np.inf
        ids.append(int(logs.argmax()))
    text = model.generate("a tide", length=12, temperature=0)
    assert read + text == model.encoder_.decode(ids)
    assert text == model.generate("a tide", length=12, beam=1)


def test_symbols_come_as_often_as_the_model_says(model):
    draws = 3000
    written = model.generate(["ab"] * draws, length=1, seed=5)
    logs = logs_after(model, model.encoder_.ids("ab"))
    shares = {s: np.exp(logs[i]) for i, s in enumerate(model.encoder_.vocabulary) if i > UNKNOWN}
    expected = np.array(list(shares.values())) / sum(shares.values())
    found = np.array([*map(written.count, shares)]) / draws
    assert found.sum() == pytest.approx(1)
    assert (abs(found - expected) < 4 * np.sqrt(expected / draws) + 1 / draws).all()


def test_a_seed_repeats_and_none_does_not(model):
    def write(seed=None):
        # So hot that no two texts come out alike by chance, however well the song was learned.
        return model.generate("ab", length=60, temperature=3.0, seed=seed)

    assert write(seed=1) == write(seed=1)
    assert write(seed=1) != write(seed=2)
    assert write() != write()


def test_pieces_together_are_the_text(model):
    options = {"length": 50, "temperature": 0.9, "top_k": 4, "top_p": 0.9, "min_p": 0.01}
    pieces = list(model.write("ab", seed=3, **options))
    assert len(pieces) == 50
    assert "".join(pieces) == model.generate("ab", seed=3, **options)


def test_a_batch_of_prompts_is_written_at_once(model):
    texts = model.generate(["ab", "", "abba cab\nabb"], length=20, seed=1)
    assert [len(text) for text in texts] == [20, 20, 20]
    assert texts[0] == model.generate("ab", length=20, seed=1)
    assert model.generate([]) == []
    greedy = model.generate(["b", "ca"], length=20, temperature=0)
    assert greedy == [model.generate(p, length=20, temperature=0) for p in ("b", "ca")]


def test_a_long_prompt_is_read_part_by_part(model, monkeypatch):
    text = model.generate(SONG[:300], length=20, temperature=0)
    logs = model.log_probabilities(SONG[:300])
    monkeypatch.setattr(language_pen, "STEPS", 7)
    assert model.generate(SONG[:300], length=20, temperature=0) == text
    np.testing.assert_allclose(
        model.log_probabilities(SONG[:300])["log_probability"], logs["log_probability"], atol=1e-5
    )


def test_writing_ends_at_a_stop(model):
    text = model.generate("ab", length=400, seed=1, stop=["\n"])
    assert text.endswith("\n")
    assert text.count("\n") == 1
    assert model.generate("ab", length=400, seed=1).startswith(text)
    several = model.generate(["ab", "c"], length=400, seed=1, stop=["\n", "cab"])
    assert all(text.endswith(("\n", "cab")) for text in several)


def test_a_beam_finds_what_trying_everything_finds(model):
    """All texts of three symbols, weighed by `log_probabilities`, which has its own test."""
    letters = sorted(set(SONG))
    texts = ["".join(three) for three in itertools.product(letters, repeat=3)]
    totals = {t: model.log_probabilities(t, prompt="ab")["log_probability"].sum() for t in texts}
    best = max(totals, key=totals.__getitem__)
    assert model.generate("ab", length=3, beam=200) == best
    many = model.generate(["ab", "ca"], length=12, beam=3)
    assert many[0] == model.generate("ab", length=12, beam=3)


def test_a_beam_ends_at_a_stop_too(model):
    text = model.generate("ab", length=30, beam=4, stop=["\n", "cab"])
    assert text.endswith(("\n", "cab"))
    assert text.count("\n") + text.count("cab") == 1


def test_log_probabilities_are_those_of_the_network(model):
    found = model.log_probabilities("abba", prompt="cab\n")
    assert found["token"].tolist() == list("abba")
    ids = model.encoder_.ids("cab\nabba")
    truth = [logs_after(model, ids[:n])[ids[n]] for n in range(4, 8)]
    np.testing.assert_allclose(found["log_probability"], truth, atol=1e-5)
    alone = model.log_probabilities("abba")["log_probability"]
    after_a_line = model.log_probabilities("abba", prompt="\n")["log_probability"]
    np.testing.assert_allclose(alone, after_a_line)


def test_log_probabilities_of_a_whole_text_are_the_loss_of_evaluate(model):
    loss = model.evaluate(SONG)["loss"]
    found = model.log_probabilities(SONG[1:], prompt=SONG[0])["log_probability"]
    assert -found.mean() == pytest.approx(loss, abs=1e-5)


def test_a_model_of_documents_begins_one_and_ends_it(documents):
    texts = documents.generate([""] * 20, length=40, seed=0, temperature=0.3)
    assert all(text.split()[0] in ("to", "not") for text in texts)
    assert any(len(text.split()) < 40 for text in texts)
    found = documents.log_probabilities("to be")["log_probability"]
    truth = logs_after(documents, [END])[documents.encoder_.ids("to")[0]]
    assert found[0] == pytest.approx(truth, abs=1e-5)


def test_words_stand_apart_and_unknown_ones_are_read_as_such(documents):
    with pytest.warns(DataWarning, match="never seen are read as <unk>: 'gate'"):
        texts = documents.generate(["to gate", "to gate or"], length=5, seed=0)
    assert all(text.startswith(" ") for text in texts if text)
    assert any(texts)
    assert "<unk>" not in "".join(documents.generate(["to"] * 50, length=9, temperature=5, seed=0))


def test_characters_never_seen_are_refused(model):
    rule = (
        "LanguageModel: `prompt` must be made of characters that the model has seen; got 'é', 'X'"
    )
    with pytest.raises(InputError, match=rule):
        model.generate("aéXé")
    with pytest.raises(InputError, match="`text` must be made of characters"):
        model.log_probabilities("aé")


@pytest.mark.parametrize(("text", "start"), [("ab\nra.", "\n"), ("abra. ", "."), ("abra", None)])
def test_an_empty_prompt_is_where_a_line_or_a_sentence_begins(text, start):
    model = learned(text * 40)
    empty = model.generate(length=4, temperature=0)
    assert len(empty) == 4
    if start:
        assert empty == model.generate(start, length=4, temperature=0)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"prompt": 3}, "prompt"),
        ({"prompt": ["a", None]}, "prompt"),
        ({"length": 0}, "length"),
        ({"temperature": -1}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"beam": 0}, "beam"),
        ({"beam": 2, "temperature": 0.5}, "beam"),
        ({"beam": 2, "seed": 1}, "beam"),
        ({"seed": -1}, "seed"),
        ({"stop": ""}, "stop"),
        ({"stop": [3]}, "stop"),
        ({"stop": 3}, "stop"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_written(model, options, wrong):
    with pytest.raises(InputError, match=f": `{wrong}` must be "):
        model.generate(**({"prompt": "a"} | options))
    if "beam" not in options and not isinstance(options.get("prompt"), list):
        with pytest.raises(InputError, match=f"`{wrong}`"):
            model.write(**({"prompt": "a"} | options))


@pytest.mark.parametrize("text", ["", 3])
def test_no_text_cannot_be_weighed(model, text):
    with pytest.raises(InputError, match="`text` must be a text"):
        model.log_probabilities(text)


def test_a_model_writes_the_same_after_it_was_saved(model, tmp_path):
    import tidegate

    model.save(tmp_path / "model")
    again = tidegate.load(tmp_path / "model")
    assert again.generate("ab", length=30, seed=4) == model.generate("ab", length=30, seed=4)


def test_questions_that_a_language_model_does_not_answer_are_refused(model):
    for ask in (
        lambda: model.explain("abba"),
        lambda: model.attribute(["abba"]),
        lambda: model.what_if("abba", "abbb"),
    ):
        told = (
            "of a task with one answer for each input; got a language model. Look with model.trace"
        )
        with pytest.raises(InputError, match=told):
            ask()


VERSES = "abba cab\n\ncab ab\n\n" * 30


@pytest.mark.parametrize(("level", "end"), [("char", "\n"), ("bpe", "\n"), ("space", "\n")])
@pytest.mark.parametrize("stop", ["\n\n", "\r\n\r\n", "\r\r"])
def test_an_empty_line_is_a_stop_however_it_is_written(level, end, stop):
    model = learned(VERSES.replace("\n", "\r\n"), level=level)
    found = [
        model.generate(prompt, length=60, seed=2, stop=stop)
        for prompt in (f"abba cab{end}{end}", "abba cab\r\n\r\n", "abba cab\r\r")
    ]
    assert found[0] == found[1] == found[2]
    assert found[0].endswith("\n\n")
    assert found[0].count("\n\n") == 1


@pytest.mark.parametrize(
    ("level", "stop"), [("char", "\n\n"), ("char", "x"), ("word", "\n\n"), ("space", "a\tb")]
)
def test_a_stop_that_is_never_written_is_told(level, stop):
    model = learned("abba cab ab " * 60, level=level)
    with pytest.warns(DataWarning, match="the model never writes the stop"):
        assert len(model.generate("ab", length=5, seed=0, stop=stop)) >= 5


def test_a_stop_is_found_in_the_case_that_is_written():
    model = learned(SONG, lowercase=True)
    assert model.generate("ab", length=400, seed=1, stop="CAB").endswith("cab")


@pytest.mark.parametrize("level", ["char", "word", "bpe", "space"])
def test_half_a_character_is_named_wherever_a_text_is_given(level):
    model = learned(SONG, level=level)
    told = r"`{}` must be valid Unicode; got the lone surrogate U\+D83D at character 2"
    for name, ask in {
        "prompt": lambda text: model.generate(text, length=2),
        "stop": lambda text: model.generate("abba", length=2, stop=["cab", text]),
        "text": model.log_probabilities,
        "X": model.trace,
    }.items():
        with pytest.raises(InputError, match=told.format(name)):
            ask("a\ud83db")
