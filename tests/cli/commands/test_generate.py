"""`tidegate generate`: what is printed, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tidegate
from tests.cli.conftest import one_line
from tidegate.tasks.language.model import LanguageModel

SONG = "abba cab\n" * 60


@pytest.fixture(scope="module")
def writer(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("writer") / "model"
    model = LanguageModel(hidden_size=8, num_layers=1, epochs=3, bptt=16, batch_size=2)
    model.set_params(verbose=False).fit(SONG, validation=None).save(folder)
    return folder


def test_the_prompt_and_what_follows_are_printed(run, writer):
    done = run("generate", writer, "ab", "--length", 40, "--seed", 3)
    assert done.exit_code == 0, done.output
    text = tidegate.load(writer).generate("ab", length=40, seed=3)
    assert done.stdout.removesuffix("\n") == ("ab" + text).removesuffix("\n")
    assert done.stdout.endswith("\n")


def test_a_seed_repeats_and_several_texts_differ(run, writer):
    two = run("generate", writer, "ab", "--length", 30, "--seed", 3, "--num", 2).stdout
    first, second = (text.strip("\n") for text in two.split("---\n"))
    for seed, text in ((3, first), (4, second)):
        assert (
            run("generate", writer, "ab", "--length", 30, "--seed", seed).stdout.strip("\n") == text
        )
    assert first != second


def test_writing_options_are_those_of_the_model(run, writer):
    words = ("--temperature", 0.7, "--top-k", 3, "--top-p", 0.9, "--min-p", 0.05, "--seed", 1)
    done = run("generate", writer, "ab", "--length", 50, *words)
    options = {"temperature": 0.7, "top_k": 3, "top_p": 0.9, "min_p": 0.05, "seed": 1}
    text = tidegate.load(writer).generate("ab", length=50, **options)
    assert done.stdout.rstrip("\n") == ("ab" + text).rstrip("\n")


def test_a_search_prints_what_it_found(run, writer):
    done = run("generate", writer, "ab", "--length", 9, "--beam", 3)
    text = tidegate.load(writer).generate("ab", length=9, beam=3)
    assert done.stdout.rstrip("\n") == ("ab" + text).rstrip("\n")


def test_a_stop_may_be_a_line_end(run, writer):
    done = run("generate", writer, "ab", "--length", 400, "--stop", r"\n", "--seed", 0)
    assert done.stdout.count("\n") == 1


def test_a_prompt_comes_by_standard_input_or_not_at_all(run, writer):
    by_pipe = run("generate", writer, "-", "--length", 9, "--seed", 0, stdin="ab\nba")
    named = run("generate", writer, "ab\nba", "--length", 9, "--seed", 0)
    assert by_pipe.stdout == named.stdout
    assert by_pipe.stdout.startswith("ab\nba")
    typed = run("generate", writer, r"ab\nba", "--length", 9, "--seed", 0)
    assert typed.stdout == named.stdout
    assert run("generate", writer, "--length", 9).exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("Zeit",),
            "LanguageModel: `prompt` must be made of characters that the model has seen; got",
        ),
        (("ab", "--temperature", "-1"), "generate: `temperature` must be a number from 0 to 100"),
        (("ab", "--top-p", "2"), "generate: `top_p` must be a number from 0 to 1; got 2.0"),
        (("ab", "--length", "0"), "generate: `length` must be an integer >= 1; got 0"),
        (("ab", "--beam", "2", "--seed", "1"), "generate: `beam` must be left out with"),
        (("ab", "--beam", "2", "--num", "3"), "generate: `--num` must be 1 with --beam; got 3"),
        (("ab", "--stop", ""), "generate: `stop` must be texts with a character; got ''"),
        (
            ("ab", "--length", "x"),
            "`--length` must be a valid integer. See tidegate generate --help",
        ),
        (("ab", "--num", "0"), "`--num` must be greater than or equal to 1. See"),
        (("ab", "--tempreture", "1"), "Did you mean '--temperature'?"),
    ],
)
def test_wrong_use_is_told_in_one_line(run, writer, words, said):
    assert said in one_line(run("generate", writer, *words))


def test_bytes_that_are_no_text_are_named(run, writer):
    told = one_line(run("generate", writer, "-", stdin=b"ab\n\xff"))
    assert "generate: `standard input` must be UTF-8 text; got 0xff at byte 3" in told
    assert "`PROMPT` must be UTF-8 text; got 0xe9 at byte 1" in one_line(
        run("generate", writer, b"a\xe9".decode(errors="surrogateescape"))
    )


def test_another_model_does_not_write(run, model):
    told = one_line(run("generate", model, "ab"))
    assert "`MODEL` must be a saved language-model; got a text-classifier" in told


def test_a_reader_that_leaves_is_no_failure(run, writer):
    words = f"generate {writer} ab --seed 1 --length"
    program = f"{sys.executable} -m tidegate {words} 200000 | head -c 20"
    done = subprocess.run(program, shell=True, capture_output=True, timeout=120, check=False)
    assert done.stderr == b""
    assert done.stdout.decode() == run(*words.split(), 30).stdout[:20]


def test_a_prompt_that_does_not_end_is_refused(run, writer, monkeypatch):
    monkeypatch.setattr("tidegate.cli.commands.generate._MOST_BYTES", 50)
    told = one_line(run("generate", writer, "-", stdin="ab" * 26))
    assert "`standard input` must be a prompt of at most 50 bytes; got more" in told


@pytest.mark.parametrize("stop", [r"\n\n", "\n\n", r"\r\n\r\n", "\r\n\r\n"])
def test_an_empty_line_is_a_stop(run, tmp_path, stop):
    model = LanguageModel(hidden_size=8, num_layers=1, epochs=8, bptt=16, batch_size=2)
    model.set_params(verbose=False, learning_rate=0.02)
    model.fit("ab\r\n\r\n" * 60, validation=None).save(tmp_path / "model")
    words = ("--length", 200, "--stop", stop, "--seed", 0)
    for prompt, stdin in (("a", None), ("-", "ab\r\n\r\na"), (r"ab\r\n\r\na", None)):
        done = run("generate", tmp_path / "model", prompt, *words, stdin=stdin)
        assert done.exit_code == 0, done.output
        assert done.stdout.replace("\r", "").count("\n\n") == 1 + (prompt != "a")
        assert done.stdout.endswith("\n\n")
