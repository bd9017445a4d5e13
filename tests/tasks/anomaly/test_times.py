"""The clock of the fit decides how a detector reads times: in tables, streams and lines."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import tidegate
from tests.tasks.series import QUICK, wave
from tidegate import AnomalyDetector
from tidegate.data.series.steps import as_steps
from tidegate.errors import InputError

LEARNED, COUNT = 300, 20
INDEX = pd.date_range("2024-03-20", periods=LEARNED + COUNT, freq="h", tz="Asia/Tokyo")
VALUES = wave(LEARNED + COUNT)


def texts(index: pd.DatetimeIndex) -> list[str]:
    return [time.isoformat() for time in index]


def fit(times, **more) -> AnomalyDetector:
    model = AnomalyDetector(**{**QUICK, "epochs": 1})
    learned = pd.Series(VALUES[:LEARNED], index=pd.Index(times[:LEARNED]), name="load")
    return model.fit(learned, **more)


@pytest.fixture(scope="module")
def offset(tmp_path_factory) -> AnomalyDetector:
    """Learned with +09:00, saved and loaded."""
    path = tmp_path_factory.mktemp("offset") / "model"
    fit(texts(INDEX)).save(path)
    return tidegate.load(path)


def scores(model: AnomalyDetector, times) -> list[list[float]]:
    """By a table, by a stream, by lines, by a file's columns, and by what evaluate reads."""
    values, live = VALUES[LEARNED:], list(times[LEARNED:])
    table = model.score_samples(pd.Series(values, index=pd.Index(live), name="load"))
    stream = model.stream()
    steps = [stream.update(value, time).score for value, time in zip(values, live, strict=True)]
    lines = [
        f"{time},{value!r}".encode() for time, value in zip(live, values.tolist(), strict=True)
    ]
    watched = [found.score for _, found in model.watch().scan(lines)]
    panel, _ = model.inputs(pd.DataFrame({"time": live, "load": values}), {"time": "time"})
    return [list(found) for found in (table, steps, watched, model.score_samples(panel))]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "UTC", "America/New_York", "+05:30"])
def test_a_zone_is_turned_into_that_of_the_fit(offset, zone):
    wanted = scores(offset, texts(INDEX))[0]
    for times in (INDEX.tz_convert(zone), texts(INDEX.tz_convert(zone))):
        for found in scores(offset, times):
            np.testing.assert_array_equal(found, wanted)


def test_seconds_since_1970_are_utc_where_the_fit_had_a_zone(offset):
    wanted = scores(offset, texts(INDEX))[0]
    seconds = INDEX.as_unit("s").asi8.tolist()
    for found in (*scores(offset, seconds), *scores(offset, [1000 * number for number in seconds])):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("learned", "live"),
    [(texts(INDEX), texts(INDEX.tz_localize(None))), (INDEX.tz_localize(None), INDEX)],
)
def test_with_a_zone_and_without_are_never_mixed(offset, learned, live):
    model = offset if isinstance(learned, list) else fit(learned)
    told = "AnomalyDetector: `time` must be as in training, dates "
    with pytest.raises(InputError, match=told):
        model.score_samples(
            pd.Series(VALUES[LEARNED:], index=pd.Index(live[LEARNED:]), name="load")
        )
    with pytest.raises(InputError, match="as in training"):
        model.stream().update(1.0, live[LEARNED])
    line = f"{live[LEARNED]},1.5".encode()
    with pytest.raises(InputError, match="as in training"):
        list(model.watch().scan([line]))
    watch = model.watch()  # one such line among others is a time that cannot be read
    assert len(list(watch.scan([f"{learned[LEARNED]},1.5".encode(), line]))) == 2
    assert watch.unreadable == 1


def test_offsets_that_change_are_utc_in_all_readers():
    paris = INDEX.tz_convert("Europe/Paris") + pd.Timedelta(days=4)  # the clock is set forward
    model = fit(texts(paris))
    assert model.encoder_.clock.zone == "UTC"
    wanted = scores(model, texts(paris.tz_convert("UTC")))[0]
    for found in scores(model, texts(paris)):
        np.testing.assert_array_equal(found, wanted)


def test_a_fold_is_no_step_back_for_a_zone():
    berlin = pd.date_range("2024-10-15", periods=LEARNED + COUNT, freq="h", tz="Europe/Berlin")
    found = scores(fit(berlin), berlin)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


@pytest.mark.parametrize("kind", [int, float, str])
def test_dates_written_as_numbers_are_dates_in_all_readers(kind):
    plain = INDEX.tz_localize(None)
    numbers = [kind(text) for text in plain.strftime("%Y%m%d%H")]
    wanted = scores(fit(plain), plain)[0]
    for found in scores(fit(numbers), numbers):
        np.testing.assert_array_equal(found, wanted)


def test_days_before_months_are_remembered(tmp_path):
    plain = INDEX.tz_localize(None)
    fit(plain.strftime("%d/%m/%Y %H:%M").tolist()).save(tmp_path / "model")
    model = tidegate.load(tmp_path / "model")
    assert model.encoder_.clock.dayfirst
    wanted = scores(model, plain)[0]
    late = plain[:LEARNED].append(pd.date_range("2024-04-01 12:00", periods=COUNT, freq="h"))
    assert scores(model, late)[0] == scores(model, late.strftime("%d/%m/%Y %H:%M"))[1]
    for found in scores(model, plain.strftime("%d/%m/%Y %H:%M").tolist()):
        np.testing.assert_array_equal(found, wanted)


def test_a_detector_of_a_version_that_kept_no_clock_reads_times_as_they_are_written(tmp_path):
    fit(INDEX.tz_localize(None)).save(tmp_path / "model")
    path = tmp_path / "model" / "scale.json"
    found = json.loads(path.read_text())
    assert found.pop("clock")["zone"] is None
    path.write_text(json.dumps(found))
    model = tidegate.load(tmp_path / "model")
    for times in (texts(INDEX), texts(INDEX.tz_localize(None))):
        for told in scores(model, times):
            assert told == scores(model, INDEX.tz_localize(None))[0]


def test_what_is_validated_on_and_a_panel_are_read_by_the_clock_of_the_fit(offset):
    held = pd.Series(VALUES[:100], index=INDEX[:100].tz_convert("UTC"), name="load")
    model = fit(INDEX, validation=(held, None))
    other = fit(INDEX, validation=(held.tz_convert("Asia/Tokyo"), None))
    assert model.metrics_ == other.metrics_
    np.testing.assert_array_equal(
        offset.score_samples(as_steps(held)), offset.score_samples(held.tz_convert("+09:00"))
    )


def test_a_cold_stream_goes_by_the_zone_of_its_first_time():
    model = AnomalyDetector(warmup=30, hidden_size=4)
    found = []
    for times in (texts(INDEX), [texts(INDEX)[0], *texts(INDEX.tz_convert("UTC"))[1:]]):
        stream = model.stream(["load"])
        found.append([stream.update(v, t) for v, t in zip(VALUES, times, strict=True)])
    assert str(found[0]) == str(found[1])
    assert found[0][-1].time == INDEX[-1].tz_localize(None).timestamp()
