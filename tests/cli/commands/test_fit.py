"""`tidegate fit`: what it learns, writes and says; and every bad input it can be given."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

import tidegate
from tests.cli.conftest import TINY, one_line, rows, write_csv
from tidegate.folders import held
from tidegate.tasks.text.network import TextNetwork

FIT = ("fit", "text-classifier")


def fit(run, data, *words, out):
    return run(*FIT, data, *TINY, "--out", out, *words)


def metrics(folder) -> dict[str, dict[str, float]]:
    return json.loads((folder / "metrics.json").read_text())


def test_a_model_comes_out_and_the_next_commands_are_told(run, table, tmp_path):
    out = tmp_path / "model"
    done = fit(run, table, out=out)
    assert done.exit_code == 0, done.output
    assert "validation" in done.stdout
    assert f"saved in {out}/" in done.stdout
    assert f"tidegate predict {out}/ {table} --out predictions.csv" in done.stdout
    assert done.stderr.count("epoch ") == 2
    assert {entry.name for entry in tmp_path.iterdir()} == {"model", "train.csv"}
    model = tidegate.load(out)
    assert model.hidden_size == 4
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.columns_ == {"text": "text", "label": "label"}
    assert set(metrics(out)) == {"train", "validation"}


def test_the_same_command_gives_the_same_weights(run, table, tmp_path):
    for name in ("one", "two"):
        assert fit(run, table, "--quiet", out=tmp_path / name).exit_code == 0
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]


def test_quiet_says_nothing(run, table, tmp_path):
    done = fit(run, table, "--quiet", out=tmp_path / "model")
    assert (done.exit_code, done.output) == (0, "")


def test_other_columns_and_a_test_file(run, tmp_path):
    train = write_csv(tmp_path / "train.csv", rows(40), "review,stars")
    test = write_csv(tmp_path / "test.csv", rows(9), "review,stars")
    words = ("--text", "review", "--label", "stars", "--test", test)
    done = fit(run, train, *words, out=tmp_path / "model")
    assert done.exit_code == 0, done.output
    assert f"tidegate evaluate {tmp_path / 'model'}/ {test}" in done.stdout
    kept = metrics(tmp_path / "model")["test"]
    again = run("evaluate", tmp_path / "model", test, "--json")
    assert {name: json.loads(again.stdout)[name] for name in kept} == kept


def test_validation_by_file_by_share_and_without(run, table, tmp_path):
    held = write_csv(tmp_path / "held.csv", rows(6))
    assert fit(run, table, "--validation", held, out=tmp_path / "a").exit_code == 0
    assert fit(run, table, "--validation", "0.5", out=tmp_path / "b").exit_code == 0
    assert fit(run, table, "--validation", "none", out=tmp_path / "c").exit_code == 0
    assert "validation" in metrics(tmp_path / "a")
    assert "validation" not in metrics(tmp_path / "c")


def test_a_column_can_name_the_parts(run, tmp_path):
    frame = pd.DataFrame(rows(40), columns=["text", "label"])
    frame["part"] = ["train", "Train ", "dev", "test"] * 10
    frame.to_json(tmp_path / "all.jsonl", orient="records", lines=True)
    done = fit(run, tmp_path / "all.jsonl", "--split", "part", out=tmp_path / "model")
    assert done.exit_code == 0, done.output
    assert set(metrics(tmp_path / "model")) == {"train", "validation", "test"}


def test_settings_and_layer_options_reach_the_model(run, table, tmp_path):
    words = "--cell lstm --peephole --recurrent-dropout 0.2 --no-bidirectional --pooling last"
    done = fit(run, table, *words.split(), "--quiet", out=tmp_path / "model")
    assert done.exit_code == 0, done.output
    model = tidegate.load(tmp_path / "model")
    assert model.layer_options == {"peephole": True, "recurrent_dropout": 0.2}
    assert not model.bidirectional
    assert model.network_.recurrent.cell.peephole


def test_going_on_with_a_model_says_what_is_new(run, model, tmp_path):
    new = write_csv(tmp_path / "new.csv", [(f"{text} zebra", label) for text, label in rows(30)])
    done = fit(run, new, "--from", model, "--learning-rate", "0.0001", out=tmp_path / "better")
    assert done.exit_code == 0, done.output
    assert "warning: " in done.stderr
    assert "'zebra'" in done.stderr
    assert "not in the vocabulary" in done.stderr
    before, after = tidegate.load(model), tidegate.load(tmp_path / "better")
    assert after.encoder_.vocabulary == before.encoder_.vocabulary
    assert after.learning_rate == 0.0001


def test_going_on_knows_the_classes_of_the_model(run, model, tmp_path):
    new = write_csv(tmp_path / "new.csv", [row for row in rows(30) if row[1] == "yes"])
    test = write_csv(tmp_path / "test.csv", rows(6))
    words = ("--from", model, "--test", test, "--validation", "none", "--quiet")
    done = fit(run, new, *words, out=tmp_path / "better")
    assert done.exit_code == 0, done.output
    other = write_csv(tmp_path / "other.csv", [*rows(4), ("fine", "maybe")])
    words = ("--from", model, "--validation", "none")
    shown = one_line(fit(run, other, *words, out=tmp_path / "worse"))
    assert "other.csv: `label` must be made of the labels seen in training" in shown


def test_going_on_keeps_what_the_network_is_built_of(run, model, table, tmp_path):
    done = fit(run, table, "--from", model, "--hidden-size", "5", out=tmp_path / "better")
    assert "`hidden_size` must be as it was fitted, 4" in one_line(done)
    assert not (tmp_path / "better").exists()


def test_rows_with_empty_cells_stop_it_or_are_left_out_and_counted(run, tmp_path):
    lines = rows(40)
    lines[3], lines[7], lines[9] = ("", "yes"), (lines[7][0], ""), ("  ", "no")
    data = write_csv(tmp_path / "holes.csv", lines)
    done = fit(run, data, out=tmp_path / "model")
    shown = one_line(done)
    assert "2 empty texts (rows 4, 10) and 1 empty labels (row 8)" in shown
    assert "--drop-missing" in shown
    assert not (tmp_path / "model").exists()
    done = fit(run, data, "--drop-missing", "--quiet", out=tmp_path / "model")
    assert done.exit_code == 0
    assert done.stderr == f"warning: {data}: 3 rows with an empty cell were left out.\n"


def test_a_text_of_a_million_tokens_is_cut_and_said(run, tmp_path):
    lines = [("tide " * 1_000_000, "yes"), *rows(39)]
    data = write_csv(tmp_path / "long.csv", lines)
    done = fit(run, data, "--quiet", "--validation", "none", out=tmp_path / "model")
    assert done.exit_code == 0, done.output
    assert "warning: 1 of 40 texts have more than max_length=400 tokens and were cut" in done.stderr


def bad_table(folder, kind):
    """A file that cannot be learned from, and what must be said about it."""
    data = folder / f"{kind}.csv"
    if kind == "missing":
        return data, ("missing.csv: `file` must be an existing one",)
    if kind == "empty":
        data.write_text("")
        return data, ("empty.csv", "an empty file")
    if kind == "header":
        data.write_text("text,label\n")
        return data, ("header.csv", "`rows` must be one or more")
    if kind == "one-class":
        write_csv(data, [(text, "yes") for text, _ in rows(12)])
        return data, ("one-class.csv: `label` must be labels of at least two classes", "'yes'")
    if kind == "latin-1":
        data.write_bytes("text,label\nfine,yes\nschön,no\n".encode("latin-1"))
        return data, ("latin-1.csv: `line 3` must be UTF-8 text", "Save the file as UTF-8")
    if kind == "quoting":
        data.write_text('text,label\n"fine",yes\n"good,no\nbad,no\n')
        return data, ("quoting.csv: `line 3`", "Close the quote")
    if kind == "fields":
        data.write_text("text,label\nfine, really,yes\n")
        return data, ("fields.csv: `line 2` must be 2 fields", "Put quotes around")
    if kind == "mixed-labels":
        data = data.with_suffix(".jsonl")
        lines = [json.dumps({"text": text, "label": label}) for text, label in rows(12)]
        data.write_text("\n".join([*lines, '{"text": "x", "label": [3]}']))
        return data, ("mixed-labels.jsonl: `label` must be a text, an integer", "got [3]")
    raise AssertionError(kind)


KINDS = "missing empty header one-class latin-1 quoting fields mixed-labels".split()


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_table_is_one_line_and_nothing_is_written(run, tmp_path, kind):
    data, expected = bad_table(tmp_path, kind)
    before = sorted(tmp_path.iterdir())
    shown = one_line(fit(run, data, out=tmp_path / "model"))
    assert all(part in shown for part in expected), shown
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--text", "txt"), "train.csv: `columns` must be there; got no column 'txt'. Did you"),
        (("--split", "prt"), "no column 'prt'"),
        (("--split", "label"), "`label` must be train, validation or test in each row; got 'yes'"),
        (("--validation", "1.5"), "`--validation` must be a file, or a share"),
        (("--validation", "nothing.csv"), "nothing.csv: `file` must be an existing one"),
        (("--test", "nothing.csv"), "nothing.csv: `file` must be an existing one"),
        (("--dropout", "2"), "`dropout` must be a number >= 0 and <= 0.95; got '2'"),
        (("--recurrent-dropout", "2"), "`recurrent_dropout` must be a probability"),
        (("--cell", "gru", "--peephole"), "options of the cell 'gru'; got 'peephole'"),
        (("--merge", "sum", "--no-bidirectional"), "`merge` must be 'concat' for one direction"),
        (("--max-lag", "9"), "`max_lag`"),
        (("--device", "cuda:99"), "`device`"),
        (("--from", "nothing"), "`nothing` must be a model's folder"),
    ],
)  # fmt: skip
def test_bad_words_are_one_line_and_nothing_is_written(run, table, tmp_path, words, expected):
    shown = one_line(fit(run, table, *words, out=tmp_path / "model"))
    assert expected in shown
    assert list(tmp_path.iterdir()) == [table]


@pytest.mark.parametrize("part", ["--test", "--validation"])
def test_a_label_never_seen_in_training_is_told_before_training(run, table, tmp_path, part):
    other = write_csv(tmp_path / "other.csv", [*rows(4), ("fine", "maybe"), ("odd", "perhaps")])
    done = fit(run, table, part, other, out=tmp_path / "model")
    shown = one_line(done)
    assert "other.csv: `label` must be made of the labels seen in training" in shown
    assert "got 'maybe' in row 5, and 1 more such rows" in shown
    assert not (tmp_path / "model").exists()


def test_the_row_of_an_unseen_label_is_that_of_the_file(run, table, tmp_path):
    other = write_csv(tmp_path / "other.csv", [("", "yes"), *rows(2), ("fine", "maybe")])
    done = fit(run, table, "--test", other, "--drop-missing", out=tmp_path / "model")
    assert done.exit_code == 2
    assert "got 'maybe' in row 4" in done.stderr


def test_a_part_cannot_be_named_twice(run, tmp_path):
    frame = pd.DataFrame(rows(20), columns=["text", "label"])
    frame["part"] = ["train", "test"] * 10
    frame.to_csv(tmp_path / "all.csv", index=False)
    words = ("--split", "part", "--test", tmp_path / "all.csv")
    shown = one_line(fit(run, tmp_path / "all.csv", *words, out=tmp_path / "model"))
    assert "`--test` must be the only one of its kind" in shown
    frame["part"] = ["train", "valid"] * 10
    frame.to_csv(tmp_path / "all.csv", index=False)
    words = ("--split", "part", "--validation", "0.2")
    shown = one_line(fit(run, tmp_path / "all.csv", *words, out=tmp_path / "model"))
    assert "`--validation` must be the only one of its kind" in shown
    frame["part"] = "test"
    frame.to_csv(tmp_path / "all.csv", index=False)
    shown = one_line(fit(run, tmp_path / "all.csv", "--split", "part", out=tmp_path / "model"))
    assert "`part` must be train in some rows" in shown


def test_an_output_folder_that_holds_something_else_is_left_alone(run, table, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    for out in ("thesis", "train.csv", "train.csv/model"):
        shown = one_line(fit(run, table, out=tmp_path / out))
        assert str(tmp_path / out.partition("/")[0]) in shown
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"
    assert {entry.name for entry in tmp_path.iterdir()} == {"thesis", "train.csv"}


def test_a_model_is_replaced_only_by_a_finished_one(run, table, tmp_path):
    out = tmp_path / "model"
    assert fit(run, table, "--quiet", out=out).exit_code == 0
    kept = (out / "model.safetensors").read_bytes()
    assert fit(run, tmp_path / "gone.csv", out=out).exit_code == 2
    assert (out / "model.safetensors").read_bytes() == kept
    assert fit(run, table, "--quiet", "--random-state", "3", out=out).exit_code == 0
    assert (out / "model.safetensors").read_bytes() != kept


@pytest.mark.parametrize("good_steps", [3, 7])
def test_a_broken_loss_ends_with_exit_code_1_and_the_last_good_epoch(
    run, table, tmp_path, monkeypatch, good_steps
):
    learn, calls = TextNetwork.learn, []

    def breaking(self, batch):
        calls.append(1)
        loss, scores = learn(self, batch)
        return loss * (1 if len(calls) <= good_steps else math.nan), scores

    monkeypatch.setattr(TextNetwork, "learn", breaking)
    done = fit(run, table, "--quiet", out=tmp_path / "model")
    assert done.exit_code == 1
    assert "error: The training loss became nan in epoch" in done.stderr
    assert "Lower `learning_rate`" in done.stderr
    saved = (tmp_path / "model").exists()
    assert saved == (good_steps > 5), "five steps are an epoch here"
    if saved:
        assert "model/ holds the model of epoch 1" in done.stderr
        assert tidegate.load(tmp_path / "model").best_epoch_ == 1


def test_resume_without_a_stopped_run(run, table, tmp_path):
    out = tmp_path / "model"
    done = fit(run, table, "--resume", "--quiet", out=out)
    assert done.exit_code == 0
    assert done.stderr.startswith(f"note: there is no stopped run of {out}/: starting anew")
    kept = (out / "model.safetensors").stat().st_mtime_ns
    done = fit(run, table, "--resume", out=out)
    assert done.exit_code == 0
    assert "is finished: there is nothing to resume" in done.stderr
    assert f"--from {out} in place of --resume" in done.stderr
    more = one_line(fit(run, table, "--resume", "--epochs", "50", out=out))
    assert f"{out}/ is finished, with epochs=2; got epochs=50. To train it further: --from" in more
    assert (out / "model.safetensors").stat().st_mtime_ns == kept


def test_a_model_that_will_be_replaced_is_told_of(run, table, tmp_path):
    out = tmp_path / "model"
    assert "note:" not in fit(run, table, out=out).stderr
    assert (
        f"note: {out}/ holds a model, which the end of this run" in fit(run, table, out=out).stderr
    )
    assert "note:" not in fit(run, table, "--from", out, out=out).stderr
    assert fit(run, table, "--quiet", out=out).stderr == ""


def test_a_second_run_in_the_same_place_is_refused_while_the_first_lives(run, table, tmp_path):
    kept = tmp_path / "model.checkpoint"
    kept.mkdir()
    (kept / "checkpoint.safetensors").write_bytes(b"of the run that lives")
    with held(kept):
        said = one_line(fit(run, table, "--quiet", out=tmp_path / "model"))
        assert "`--out` must be a folder that no other run writes to" in said
        assert kept.is_dir()
    assert not (tmp_path / "model").exists()
    assert (
        fit(run, table, "--quiet", out=tmp_path / "model").exit_code == 0
    )  # the dead hold nothing


def test_what_was_learned_outlives_a_full_disk(run, table, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("tidegate.artifact.write_tensors", full)
        done = fit(run, table, "--quiet", out=tmp_path / "model")
    kept = tmp_path / "model.checkpoint"
    assert done.exit_code == 2
    note, error = done.stderr.splitlines()
    assert note.startswith(f"note: {kept}/ keeps what was learned: add --resume")
    assert "No space left on device. Choose another place or make room." in error
    assert [entry.name for entry in tmp_path.iterdir() if entry != table] == [kept.name]
    assert fit(run, table, "--quiet", "--resume", out=tmp_path / "model").exit_code == 0
    assert len(tidegate.load(tmp_path / "model").history_) == 2
    assert not kept.exists()


def test_a_stopped_run_is_told_of_when_a_new_one_replaces_it(run, table, tmp_path):
    kept = tmp_path / "model.checkpoint"
    kept.mkdir()
    (kept / "checkpoint.safetensors").write_bytes(b"of a stopped run")
    done = fit(run, table, "--quiet", out=tmp_path / "model")
    assert done.exit_code == 0
    assert done.stderr.startswith(f"note: {kept}/ holds a stopped run")
    assert done.stderr.count("\n") == 1
    assert not kept.exists()


def test_a_run_that_was_killed_before_its_first_checkpoint_starts_anew(run, table, tmp_path):
    assert fit(run, table, "--quiet", out=tmp_path / "model").exit_code == 0
    (tmp_path / "model.checkpoint").mkdir()  # what such a run leaves, beside an older model
    done = fit(run, table, "--quiet", "--resume", "--epochs", "1", out=tmp_path / "model")
    assert done.exit_code == 0
    assert done.stderr.startswith("note: no checkpoint was written before the run stopped")
    assert len(tidegate.load(tmp_path / "model").history_) == 1
