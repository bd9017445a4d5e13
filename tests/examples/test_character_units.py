"""The example of character models: a run writes its pictures, a wrong input costs one line."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

import tidegate

SCRIPT = Path(__file__).parents[2] / "examples" / "character_units.py"
TEXT = "KATE:\nno sir, i am not he.\n\nTRANIO:\ni will to padua, and then away.\n\n" * 60

# The archive of sources has the tests and not the examples.
pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="there are no examples here")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders of a model of characters, one of words, and a tagger."""
    folder = tmp_path_factory.mktemp("models")
    small = {"hidden_size": 4, "epochs": 1, "verbose": False, "random_state": 0}
    for level in ("char", "word"):
        model = tidegate.LanguageModel(num_layers=1, level=level, batch_size=2, **small)
        model.fit(TEXT).save(folder / level)
    words, tags = [["to", "be"], ["be", "to"]] * 5, [["A", "B"], ["B", "A"]] * 5
    tidegate.Tagger(**small).fit(words, tags).save(folder / "tagger")
    return folder


@pytest.fixture
def run(models, tmp_path, monkeypatch, capsys):
    """Run the script with arguments; return its exit code and what it says on both streams."""
    spec = importlib.util.spec_from_file_location("character_units", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT)

    def call(*arguments, model="char", text="text.txt"):
        chosen = ["--model", str(models / model)] if model else []
        given = [*chosen, "--text", text, "--out", "made/here", *arguments]
        monkeypatch.setattr(sys, "argv", ["character_units.py", *given])
        code = 0
        try:
            script.main()
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return call


def test_a_run_writes_two_pictures_for_each_pattern(run):
    code, out, err = run()
    assert (code, err) == (0, "")
    assert out.count("held_out_auc") == 2
    names = {f"characters_{name}.png" for name in ("line", "speaker")}
    names |= {name.replace(".png", "_contexts.png") for name in names}
    assert {path.name for path in Path("made/here").iterdir()} == names
    assert run("--pattern", "no", "--out", "other")[0] == 0
    assert len(list(Path("other").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (["--pattern", "never there"], {}, "got never true"),
        (["--pattern", ""], {}, "got never true"),
        (["--pattern", "("], {}, r"got '\(' \(missing \)"),
        # The first pattern occurs, the second one does not.
        ([], {"text": "short.txt"}, "got never true"),
        ([], {"text": "tiny.txt"}, "Pass more rows, or another pattern"),
        ([], {"text": "empty.txt"}, "must be a text with a symbol"),
        ([], {"text": "odd.txt"}, "characters that the model has seen; got '€'"),
        ([], {"text": "latin.txt"}, "must be UTF-8"),
        ([], {"text": "nowhere.txt"}, "nowhere.txt.*No such file"),
        ([], {"model": "tagger"}, "a LanguageModel of characters; got Tagger"),
        ([], {"model": "word"}, "a LanguageModel of characters; got LanguageModel of level 'word'"),
        ([], {"model": "nowhere"}, "must be a model's folder"),
        (["--out", "text.txt"], {}, "`out` must be a folder; got text.txt"),
    ],
)
def test_a_wrong_input_costs_one_line_and_nothing_is_written(run, arguments, options, words):
    texts = {"short": "no sir, i am he.\n" * 40, "tiny": "i am", "empty": "", "odd": "he €"}
    for name, text in texts.items():
        Path(f"{name}.txt").write_text(text, encoding="utf-8")
    Path("latin.txt").write_bytes(b"\xff")
    before = sorted(Path().rglob("*"))
    code, _, err = run(*arguments, **options)
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert re.search(words, err), err
    assert sorted(Path().rglob("*")) == before


def test_a_wrong_pattern_costs_no_training(run, monkeypatch):
    def fit(*_):
        pytest.fail("it trained")

    monkeypatch.setattr(tidegate.LanguageModel, "fit", fit)
    code, _, err = run("--pattern", "(", model=None)
    assert code == 2
    assert "`pattern` must be" in err
