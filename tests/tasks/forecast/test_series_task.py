"""SeriesTask: how tables become series, which steps are forecast, and what is too short."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import tidegate
from tidegate import Forecaster
from tidegate.data.series.inputs import as_panel
from tidegate.data.series.panel import Panel
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.forecast.examples import SeriesExamples

SMALL = {"lookback": 8, "horizon": 2, "segment": 2, "hidden_size": 4, "epochs": 1, "verbose": False}


@pytest.fixture
def table() -> pd.DataFrame:
    """Two shops in a long table, with a column of every role."""
    days = pd.date_range("2024-01-01", periods=60, freq="D").astype(str)
    sales = 10 + np.sin(np.arange(60.0))
    parts = [
        pd.DataFrame({"time": days, "id": shop, "sales": size * sales, "price": np.arange(60.0),
                      "visits": sales**2, "kind": kind, "\0row": np.arange(60)})
        for shop, size, kind in (("a", 1.0, "big"), ("b", 5.0, "small"))
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def dated(start: str, days: int) -> Panel:
    return as_panel(pd.Series(np.arange(float(days)), pd.date_range(start, periods=days, freq="D")))


def test_a_table_is_read_by_its_roles(table):
    roles = {"target": "sales", "known": "price", "past": "visits", "static": "kind"}
    panel, targets = Forecaster(**SMALL).inputs(table, roles)
    assert targets is None
    assert panel.names == ("a", "b")  # the columns called `time` and `id` need no telling
    assert (panel.targets, panel.past, panel.known) == (("sales",), ("visits",), ("price",))
    assert panel.static == {"kind": ("big", "small")}
    assert panel.clock.name == "1 day"


def test_without_a_target_it_takes_all_numbers_but_the_programs_own_columns(table):
    panel, _ = Forecaster(**SMALL).inputs(table.drop(columns="kind"), {})
    assert panel.targets == ("sales", "price", "visits")


def test_columns_are_read_that_are_named_and_all_where_the_target_is_not():
    model = Forecaster(**SMALL)
    roles = {"target": "y, z", "known": "heat", "time": "when"}
    assert model.read_columns(roles) == (["y", "z", "heat", "when"], ["when", "id"])
    assert model.read_columns({"known": "heat"}) == (None, ["time", "id"])


def test_the_validation_share_comes_last_and_is_not_learned_from():
    model = Forecaster(**SMALL, max_windows=7)
    settings = model._settings()
    train, held = model._split(SeriesExamples(dated("2024-01-01", 60)), 0.25, settings)
    assert (train.first.tolist(), train.last.tolist(), train.most) == ([0], [45], 7)
    assert (held.first.tolist(), held.last.tolist(), held.most) == ([45], [60], 7)
    assert model.recent_.lengths.tolist() == [8]


def test_a_validation_part_of_its_own_goes_on_where_training_ends():
    model = Forecaster(**SMALL)
    examples = SeriesExamples(dated("2024-01-01", 60))
    later = pd.Series(np.arange(9.0), pd.date_range("2024-03-01", periods=9, freq="D"))
    train, held = model._split(examples, (later, None), model._settings())
    assert train.last.tolist() == [60]
    assert held.first.tolist() == [60]  # what was learned from is only read
    assert held.panel.lengths.tolist() == [69]
    assert model._split(examples, None, model._settings())[1] is None


def test_windows_hold_scaled_values_of_the_steps_to_forecast():
    model = Forecaster(**SMALL).fit(dated("2024-01-01", 60).values)
    windows = model._windows(SeriesExamples(model.recent_).within(8, most=None), horizon=2)
    assert len(windows) == 0  # nothing comes after
    ahead = model._windows(SeriesExamples(model.recent_), horizon=2)
    assert ahead.ahead
    scale = model.encoder_.scale[0, 0]
    found = ahead.batch(np.array([0])).values[0, :, 0].numpy() * scale + model.encoder_.shift[0, 0]
    np.testing.assert_allclose(found, np.arange(52.0, 60.0), rtol=1e-5)


def test_only_what_comes_after_training_is_fresh():
    model = Forecaster(**SMALL).fit(dated("2024-01-01", 60))
    whole = SeriesExamples(dated("2024-01-01", 80)).panel
    assert model._fresh(whole, most=None).first.tolist() == [60]
    stranger = SeriesExamples(as_panel({"new": whole.values[:, 0]})).panel
    assert model._fresh(stranger, most=None).first.tolist() == [0]
    assert model._fresh(stranger, most=None, others=False).first.tolist() == [80]


def test_examples_are_series_and_are_taken_with_their_steps():
    panel = Panel.from_arrays([np.arange(9.0), np.arange(20.0)])
    examples = SeriesExamples(panel).within(np.array([3, 15]), most=4)
    assert len(examples) == 2
    taken = examples.take(np.array([1]))
    assert (taken.first.tolist(), taken.last.tolist(), taken.most) == ([15], [20], 4)
    assert taken.panel.lengths.tolist() == [20]
    assert taken.normalised() is taken


def test_too_short_series_are_refused():
    panel = Panel.from_arrays([np.arange(30.0)])
    examples = SeriesExamples(panel).within(0, np.array([25]), most=None)
    examples.check_enough(20, 5, "Forecaster", part="training", held=False)
    with pytest.raises(InputError, match=r"lookback \+ horizon = 20 \+ 6 steps long for training; "
                       r"got 25 steps\. Lower lookback or horizon, or hold out less"):  # fmt: skip
        examples.check_enough(20, 6, "Forecaster", part="training", held=True)


def test_series_that_end_too_early_are_named():
    model = Forecaster(**SMALL).fit({"a": np.arange(60.0) % 7, "b": np.arange(50.0) % 5})
    short = {"a": np.arange(9.0), "c": np.arange(5.0)}
    with pytest.raises(InputError, match=r"at least 8 steps, the lookback; got 5 in series c"):
        model.predict(short)


@pytest.mark.parametrize("strategy", ["segment", "direct", "recursive", "encoder-decoder"])
@pytest.mark.parametrize("channels", ["independent", "joint"])
def test_every_strategy_can_be_traced_and_examined(strategy, channels):
    rows = np.random.default_rng(0).normal(size=(120, 2)).cumsum(0)
    options = {"lookback": 12, "horizon": 4, "segment": 4, "hidden_size": 3, "epochs": 1}
    model = Forecaster(strategy=strategy, channels=channels, verbose=False, **options).fit(rows)
    trace = model.trace(rows)
    assert len(trace.lengths) == (2 if channels == "independent" else 1)
    window = model._loader(model._examples(rows), training=False).batch(np.zeros(1, int))
    read = model.network_.stack_inputs(window)["recurrent"]
    expected, _ = model.network_.recurrent(read.values, lengths=read.lengths)
    torch.testing.assert_close(trace.hidden[0], expected, rtol=1e-4, atol=1e-6)
    told = model.doctor(rows)
    assert told.skipped["padding that leaks"] == "its rows are all of one length"
    assert "needs data" not in told.skipped.values()
    assert {"dead units", "exploding state"} <= {
        *told.passed, *(found.name for found in told.findings)
    }  # fmt: skip


def test_a_series_too_short_for_a_window_is_refused_by_the_doctor():
    model = Forecaster(lookback=12, horizon=4, segment=4, hidden_size=3, epochs=1, verbose=False)
    model.fit(np.arange(99.0))
    with pytest.raises(InputError, match=r"at least lookback \+ horizon = 12 \+ 4 steps long"):
        model.doctor(np.arange(15.0) + 1e6)


def sold(days: int = 60) -> pd.DataFrame:
    steps = np.arange(float(days))
    return pd.DataFrame(
        {"sales": 10 + np.sin(steps), "heat": np.cos(steps / 3), "promo": steps % 7},
        pd.date_range("2024-01-01", periods=days, freq="D"),
    )


def test_columns_are_found_by_their_names_in_tables_files_and_validation():
    table = sold()
    other = table[["promo", "heat", "sales"]].assign(more=1.0, who="x")
    model = Forecaster(**SMALL).fit(table[:40], validation=(other[40:], None))
    same = Forecaster(**SMALL).fit(table[:40], validation=(table[40:], None))
    assert model.metrics_ == same.metrics_
    told = model.predict(table).mean
    np.testing.assert_array_equal(model.predict(other).mean, told)
    nameless = pd.DataFrame(table.to_numpy(), index=table.index)  # goes by position
    np.testing.assert_array_equal(model.predict(nameless).mean, told)
    file = other.reset_index(names="time")
    panel, _ = model.inputs(file, {"time": "time"})
    np.testing.assert_array_equal(model.predict(panel).mean, told)
    for call in (model.predict, lambda frame: model.inputs(frame, {})):
        with pytest.raises(InputError, match=r"got no 'heat'. Did you mean 'Heat'"):
            call(table.rename(columns={"heat": "Heat"}))


def test_a_table_may_hold_what_is_known_of_the_future():
    roles = {"time": "time", "target": "sales,heat", "known": "promo"}
    table = sold()
    model = Forecaster(**SMALL)
    model.fit(model.inputs(table.reset_index(names="time"), roles)[0])
    table.iloc[-2:, :2] = np.nan
    panel, _ = model.inputs(table.reset_index(names="time"), roles)
    told = model.predict(panel)
    assert told.times(0)[0] == table.index[-2]
    swapped, _ = model.inputs(table.reset_index(names="time"), roles | {"target": "heat,sales"})
    for other in (table, table[["promo", "heat", "sales"]], swapped):
        np.testing.assert_array_equal(model.predict(other).mean, told.mean)


def test_series_of_a_dictionary_have_the_columns_of_the_first():
    table = sold()[["sales", "heat"]]
    both = {"a": table, "b": table[["heat", "sales"]]}
    model = Forecaster(**SMALL).fit(both)
    found = model.predict(both).mean
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize(("unit", "offset"), [(2.0**-40, 0), (1, 2.0**30)])
@pytest.mark.parametrize("scaling", ["window", "robust"])
def test_forecasts_move_with_the_unit_and_the_offset_of_the_data(unit, offset, scaling):
    values = np.round(1024 * np.sin(np.arange(120.0) / 3))  # exact beside the offset
    one, two = (
        Forecaster(**SMALL, scaling=scaling).fit(given).predict()
        for given in (values, values * unit + offset)
    )
    for name in ("mean", "lower", "upper"):
        moved = getattr(one, name) * unit + offset
        np.testing.assert_allclose(getattr(two, name), moved, rtol=0, atol=unit)


def test_the_held_out_part_ends_with_the_last_target():
    values = np.sin(np.arange(120.0) / 3)
    values[105:] = np.nan
    model = Forecaster(**SMALL | {"lookback": 20}).fit(values)
    whole = Forecaster(**SMALL | {"lookback": 20}).fit(values[:105])
    assert model.metrics_["train"] == whole.metrics_["train"]
    assert model.predict().mean.shape == (1, 2, 1)
    with pytest.raises(InputError, match="`target` must be known in some of the steps that are"):
        whole.backtest(values)
    nothing = np.full(60, np.nan)
    with (
        pytest.warns(DataWarning, match="are not forecast until more is known: 1"),
        pytest.raises(InputError, match="`target` must be known in some of the steps that are"),
    ):
        model.fit(values[:100], validation=(nothing, None))


def test_series_that_cannot_be_forecast_are_named_at_the_fit():
    values = np.sin(np.arange(60.0) / 3)
    gone = np.where(np.arange(60) < 45, values, np.nan)
    with pytest.warns(DataWarning, match=r"2 of 3 series have fewer than 8 steps.*: b, c\."):
        model = Forecaster(**SMALL).fit({"a": values, "b": values[:5], "c": gone})
    with pytest.warns(DataWarning, match=r"2 of 3 series .*: b, c\."):
        forecast = model.predict()
    assert forecast.names == ("a",)
    with pytest.raises(InputError, match=r"at least 8 steps, the lookback; got 5 in series b"):
        model.predict({"a": values, "b": values[:5]})
    with pytest.raises(InputError, match=r"known in some of the last 8 steps.* in series c"):
        model.predict({"c": gone})
    assert model.predict({"b": values[:20]}).mean.shape == (1, 2, 1)


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [
        ({"log": True}, 0, np.inf),
        ({"log": True, "differencing": 1}, 0, np.inf),
        ({"output": "negative-binomial"}, 0, np.inf),
        ({"lower": 0.0, "upper": 9.0}, 0, 9),
        ({"lower": 0.0, "output": "normal", "levels": (0.5, 0.99)}, 0, np.inf),
    ],
)
def test_forecasts_and_intervals_stay_where_values_can_be(options, low, high, tmp_path):
    values = np.random.default_rng(0).integers(1, 10, 120).astype(float)
    values[-8:] = 1.0  # close to what nothing is below
    model = Forecaster(**SMALL, **options).fit(values)
    model.save(tmp_path / "model")
    for task in (model, tidegate.load(tmp_path / "model")):
        found = task.predict()
        for part in (found.mean, found.lower, found.upper):
            assert ((part >= low) & (part <= high)).all()
    assert (model.backtest_.lower[~np.isnan(model.backtest_.lower)] >= low).all()


def test_negative_values_keep_their_place_under_the_logarithm(tmp_path):
    values = np.sin(np.arange(120.0) / 3) * 0.5
    model = Forecaster(**SMALL, log=True).fit(values)
    model.save(tmp_path / "model")
    for task in (model, tidegate.load(tmp_path / "model")):
        assert task._bounds.lower.tolist() == [-1]
    assert Forecaster(**SMALL, log=True).fit(np.abs(values))._bounds.lower.tolist() == [0]


def test_bounds_that_the_data_breaks_are_refused():
    values = np.sin(np.arange(120.0))
    with pytest.raises(InputError, match=r"`target` must be greater than -1 when log=True; got -1"):
        Forecaster(**SMALL, log=True).fit(2 * values)
    with pytest.raises(InputError, match=r"`target` must be counts, 0 or more.*; got -0.756802"):
        Forecaster(**SMALL, output="negative-binomial").fit(values)
    with pytest.raises(InputError, match=r"`lower` must be a bound of .* 'value'; got 0"):
        Forecaster(**SMALL, lower=0.0).fit(values)
    with pytest.raises(InputError, match=r"`upper` must be a bound of .*; got 0.5 beside"):
        Forecaster(**SMALL, upper=0.5).fit(values)
    with pytest.raises(InputError, match=r"`upper` must be greater than lower, 1; got 1"):
        Forecaster(**SMALL, lower=1.0, upper=1.0).fit(values)


def test_hours_of_trade_go_on_where_they_end(tmp_path):
    hours = pd.date_range("2024-01-01", periods=24 * 28, freq="h")
    hours = hours[(hours.hour >= 9) & (hours.hour < 17) & (hours.day_of_week < 5)]
    sales = pd.Series(10 + np.sin(np.arange(len(hours)) * np.pi / 4), index=hours, name="sales")
    Forecaster(**SMALL, calendar=True).fit(sales[:-4]).save(tmp_path / "model")
    model = tidegate.load(tmp_path / "model")
    assert model.facts()["frequency"] == "1 hour, 40 of 168 a week"
    told = model.predict(sales[-12:]).to_frame()
    assert told["time"].astype(str).tolist() == ["2024-01-29 09:00:00", "2024-01-29 10:00:00"]
    again = model.predict(as_panel(sales)).to_frame()
    np.testing.assert_array_equal(again["prediction"], told["prediction"])
    pd.testing.assert_frame_equal(model.predict(sales[-4:]).to_frame(), told)
