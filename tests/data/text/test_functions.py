"""Functions that a model names: nothing is called, imported or looked up that nobody trusts."""

import functools
import importlib
import os
import sys
import threading

import pytest

from tidegate import TextEncoder
from tidegate.data.text import functions
from tidegate.data.text.functions import import_name, resolve, trusting
from tidegate.errors import ArtifactError, InputError


def own_module(folder, monkeypatch, source="def cut(text):\n    return text.split('|')\n"):
    """Put the module `cutting` where it can be imported, and forget it at the end of the test."""
    monkeypatch.setitem(sys.modules, "cutting", None)
    del sys.modules["cutting"]
    (folder / "cutting.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)


@pytest.mark.parametrize(
    "function",
    [lambda text: text.split(), functools.partial(str.split, sep=","), " ".split,
     functools.lru_cache(lambda text: text)],
    ids=["lambda", "partial", "bound", "cached"],
)  # fmt: skip
def test_a_function_without_an_import_name_is_not_saved(function):
    with pytest.raises(InputError, match="`tokenizer` must be a function that can be imported by"):
        import_name(function)


def test_a_local_function_is_refused_when_saved_not_when_used():
    def local(text):
        return text.split()

    encoder = TextEncoder(tokenizer=local).fit(["a b"])
    assert encoder.encode(["b"]).ids.tolist() == [3]
    with pytest.raises(InputError, match="Define it with def at the top of a module"):
        encoder.to_files()


@pytest.mark.parametrize("name", functions.SAFE)
def test_what_is_safe_cuts_a_text_and_needs_no_trust(name):
    assert resolve(name)("to be") in (["to", "be"], ["to be"])
    assert import_name(resolve(name)) == name


def test_a_function_of_a_module_is_saved_and_called_only_where_it_is_trusted(tmp_path, monkeypatch):
    own_module(tmp_path, monkeypatch)
    cutting = importlib.import_module("cutting")
    files = TextEncoder(tokenizer=cutting.cut).fit(["a|b c"]).to_files()
    assert files["encoder.json"]["tokenizer"] == "cutting:cut"
    with pytest.raises(ArtifactError, match=r'trust=\["cutting:cut"\]\), or --trust cutting:cut'):
        TextEncoder.from_files(files)  # that the program has imported it says nothing
    monkeypatch.delitem(sys.modules, "cutting")
    with pytest.raises(ArtifactError, match="safe or that you trust; got 'cutting:cut'"):
        TextEncoder.from_files(files)
    assert "cutting" not in sys.modules
    with trusting(["cutting:cut"]):
        assert TextEncoder.from_files(files).tokens("b c|x") == ["b c", "x"]


@pytest.mark.parametrize(
    "name",
    ["os:system", "builtins:eval", "builtins:str.format", "numpy:os.system", "subprocess:run",
     "pandas:read_pickle", "tidegate:load", "tidegate.training.checkpoint:remove", "pip:main",
     "importlib:import_module", "__main__:anything", "numpy:nothing", "numpy", "", ":", "numpy:",
     ":eval", "builtins:str.split ", "builtins: str.split", "BUILTINS:str.split",
     "builtins:str.split\n", ["builtins:str.split"], 1.5, None, True],
)  # fmt: skip
def test_whatever_else_is_named_is_refused_before_it_is_looked_up(name, monkeypatch):
    monkeypatch.setattr(importlib, "import_module", None)
    monkeypatch.setattr(functions, "_attribute", None)
    with pytest.raises(ArtifactError, match=r"^encoder\.json: `tokenizer` must be"):
        resolve(name)
    with trusting(["os:getcwd"]), pytest.raises(ArtifactError):
        resolve(name)


def test_trust_ends_with_its_block_and_is_no_other_threads():
    heard = []

    def ask():
        with pytest.raises(ArtifactError):
            resolve("os:fspath")
        heard.append(True)

    with trusting("os:fspath"):  # one name by itself is a list of one
        assert resolve("os:fspath") is os.fspath
        other = threading.Thread(target=ask)
        other.start()
        other.join()
    ask()
    assert heard == [True, True]


@pytest.mark.parametrize("names", [["split"], [""], ["os:"], [3], ["a b:c"], ["os:system;rm"]])
def test_a_name_to_trust_must_be_one(names):
    said = r"`trust` must be a list of names; .*module:function"
    with pytest.raises(InputError, match=said), trusting(names):
        pass


def test_a_trusted_name_that_leads_nowhere_is_the_users_error(tmp_path, monkeypatch):
    own_module(tmp_path, monkeypatch, "raise RuntimeError('no\\nway')\n")
    with trusting(["cutting:cut", "nowhere.at:all", "os:nothing", "os:sep"]):
        for name, said in [
            ("cutting:cut", "`trust` must be importable; got cutting:cut .RuntimeError"),
            ("nowhere.at:all", "Install nowhere, or add its folder to PYTHONPATH"),
            ("os:nothing", "the name of a function; got 'os:nothing'"),
            ("os:sep", "the name of a function; got 'os:sep'"),
        ]:
            with pytest.raises(InputError, match=said) as caught:
                resolve(name)
            assert not isinstance(caught.value, ArtifactError)
