"""Forecasts from files to batches and back, against slices of the numbers that were written."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from rnncli.errors import DataError, RunError, UserError
from rnncli.inputs.features import Categories, Values
from rnncli.inputs.time_series.loader import TimeSeriesLoader
from rnncli.inputs.time_series.settings import TimeSeriesSettings

STEPS, CONTEXT, HORIZON = 60, 5, 3


def table(names=("a", "b"), steps=STEPS, seed=1, first="2020-01-01") -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    frames = []
    for position, name in enumerate(names):
        frames.append(
            pd.DataFrame(
                {
                    "name": name,
                    "day": pd.date_range(first, periods=steps, freq="D").strftime("%Y-%m-%d"),
                    "load": generator.normal(10 * position, 1 + position, steps).cumsum().round(3),
                    "heat": generator.normal(-5, 2, steps).round(3),
                    "kind": generator.choice(["work", "rest"], steps),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def loader_of(train, task="many-to-many", **changes) -> TimeSeriesLoader:
    options = {
        "loader": "time-series",
        "train": [train] if isinstance(train, Path) else train,
        "series": "name",
        "time": "day",
        "target": {"kind": "forecast", "columns": "load"},
        "covariates": ["heat"],
        "context": CONTEXT,
        "horizon": HORIZON,
        "split": {"valid": 10, "test": 12},
    }
    options["split"] = {part: steps for part, steps in options["split"].items() if part not in changes}
    options |= changes
    return TimeSeriesLoader(TimeSeriesSettings(**options), task)


@pytest.fixture
def file(tmp_path):
    table().to_csv(tmp_path / "data.csv", index=False)
    return tmp_path / "data.csv"


def everything(data):
    return data.batch(np.arange(len(data)))


def own_units(batch):
    return (batch.targets.double() * batch.scale.double() + batch.center.double()).numpy()


def same(left, right) -> None:
    assert list(left.inputs) == list(right.inputs)
    for name in left.inputs:
        assert torch.equal(left.inputs[name].values, right.inputs[name].values)
    for one, other in ((left.targets, right.targets), (left.center, right.center), (left.scale, right.scale)):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


def test_windows_of_each_part(file):
    loader = loader_of(file, categories=["kind"])
    parts = loader.load()
    numbers = table()
    stops = {"train": (0, 38), "valid": (38, 48), "test": (48, 60)}
    assert loader.features == {"values": Values(2, (0,)), "kind": Categories(4)}
    assert loader.target.names == ("load",) and (loader.target.horizon, loader.target.season) == (HORIZON, 7)
    assert loader.files == [file] and loader.notes == []
    training = numbers.groupby("name").head(38)[["load", "heat"]].to_numpy()
    center, scale = training.mean(axis=0), training.std(axis=0)
    for part, (first, stop) in stops.items():
        reads, forecasts, kinds = [], [], []
        for _, one in numbers.groupby("name"):
            values = one[["load", "heat"]].to_numpy()
            for ahead in range(first + CONTEXT if part == "train" else first, stop - HORIZON + 1):
                reads.append((values[ahead - CONTEXT : ahead] - center) / scale)
                forecasts.append(values[ahead : ahead + HORIZON, :1])
                kinds.append(one["kind"].tolist()[ahead - CONTEXT : ahead])
        batch = everything(parts[part])
        assert len(parts[part]) == len(reads)
        np.testing.assert_allclose(batch.inputs["values"].values.numpy(), reads, atol=1e-6)
        np.testing.assert_allclose(own_units(batch), forecasts, atol=1e-5)
        words = loader.state()["encoder"]["categories"]["kind"]
        assert [[words[step] for step in row] for row in batch.inputs["kind"].values.tolist()] == kinds


def test_naive_error_is_of_the_steps_before_the_part(file):
    loader = loader_of(file)
    parts = loader.load()
    load = table().query("name == 'b'")["load"].to_numpy()
    for part, stop in (("train", 38), ("valid", 38), ("test", 48)):
        wanted = np.abs(load[7:stop] - load[: stop - 7]).mean()
        assert everything(parts[part]).naive_error[-1].item() == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("missing", [None, "forward", "interpolate", "mask", "drop"])
@pytest.mark.parametrize("per_series", [False, True])
def test_later_parts_change_nothing_of_training(tmp_path, missing, per_series):
    seen = []
    for shift in (0, 1000):
        numbers = table()
        late = numbers.groupby("name").cumcount() >= 38
        numbers.loc[late, ["load", "heat"]] += shift
        numbers.loc[late, "kind"] = "work" if shift else "other"
        if missing:
            # The last training steps are missing, so that a line drawn to the next value would show.
            numbers.loc[numbers.groupby("name").cumcount().isin([3, 36, 37]), "load"] = np.nan
        numbers.to_csv(tmp_path / "data.csv", index=False)
        loader = loader_of(tmp_path / "data.csv", categories=["kind"], missing=missing, scaling_per_series=per_series)
        seen.append((everything(loader.load()["train"]), json.dumps(loader.state())))
    same(seen[0][0], seen[1][0])
    assert seen[0][1] == seen[1][1]


def test_a_limit_counts_windows(file):
    whole = loader_of(file)
    parts, few = whole.load(), loader_of(file)
    limited = few.load(limit=7)
    for part, data in limited.items():
        same(everything(data), parts[part].batch(np.arange(7)))
    assert few.state() == whole.state()


def test_stride_thins_training_windows_only(file):
    dense, thin = loader_of(file).load(), loader_of(file, stride=4).load()
    assert [len(thin[part]) for part in thin] == [2 * 8, len(dense["valid"]), len(dense["test"])]
    rows = np.r_[np.arange(0, 31, 4), np.arange(31, 62, 4)]
    assert torch.equal(everything(thin["train"]).targets, dense["train"].batch(rows).targets)


def test_refit_joins_train_and_valid(file):
    loader = loader_of(file, split={"valid": 10, "test": 12})
    parts = loader.load(refit=True)
    whole = loader_of(file, split={"valid": 0, "test": 12}).load()
    assert list(parts) == list(whole) == ["train", "test"]
    same(everything(parts["train"]), everything(whole["train"]))
    same(everything(parts["test"]), everything(whole["test"]))


@pytest.mark.parametrize("kind", ["standard", "minmax", "robust", "none"])
def test_each_series_by_its_own_scale(file, kind):
    loader = loader_of(file, scaling=kind, scaling_per_series=kind != "none")
    parts = loader.load()
    numbers = table()
    loads = [one["load"].to_numpy() for _, one in numbers.groupby("name")]
    batch = everything(parts["test"])
    wanted = [load[ahead : ahead + HORIZON, None] for load in loads for ahead in range(48, 58)]
    np.testing.assert_allclose(own_units(batch), wanted, rtol=1e-5, atol=1e-5)
    for row, load in ((0, loads[0][:38]), (-1, loads[1][:38])):
        center = {"standard": load.mean(), "minmax": load.min(), "robust": np.median(load), "none": 0}[kind]
        assert batch.center[row].item() == pytest.approx(center, rel=1e-6)


def test_masked_values_read_zero_and_targets_stay_unknown(tmp_path):
    numbers = table()
    gone = np.random.default_rng(4).random(len(numbers)) < 0.2
    numbers.loc[gone, "load"] = np.nan
    numbers.to_csv(tmp_path / "data.csv", index=False)
    loader = loader_of(tmp_path / "data.csv", missing="mask")
    batch = everything(loader.load()["test"])
    assert loader.features["values"] == Values(4, (0,))
    values = batch.inputs["values"].values
    there = np.array([~gone[start - CONTEXT : start] for name in (0, 60) for start in range(name + 48, name + 58)])
    np.testing.assert_array_equal(values[..., 2].numpy(), there)
    assert (values[..., 0].numpy()[~there] == 0).all() and (values[..., 3] == 1).all() and values.isfinite().all()
    ahead = np.array([gone[start : start + HORIZON] for name in (0, 60) for start in range(name + 48, name + 58)])
    np.testing.assert_array_equal(batch.targets[..., 0].isnan().numpy(), ahead)


@pytest.mark.parametrize("missing", ["forward", "interpolate"])
def test_a_value_that_was_made_up_is_read_and_is_no_truth(tmp_path, missing):
    numbers = table()
    for step in (20, 39, 50, 119):
        numbers.loc[step, "load"] = np.nan
    numbers.to_csv(tmp_path / "data.csv", index=False)
    parts = loader_of(tmp_path / "data.csv", missing=missing).load()
    for part, (begin, end) in {"train": (0, 38), "valid": (38, 48), "test": (48, 60)}.items():
        batch = everything(parts[part])
        load = numbers["load"].to_numpy()
        first = begin + CONTEXT if part == "train" else begin
        wanted = [load[one + at : one + at + HORIZON] for one in (0, 60) for at in range(first, end - HORIZON + 1)]
        np.testing.assert_allclose(own_units(batch)[..., 0], wanted, rtol=1e-5, atol=1e-5)
        assert batch.inputs["values"].values.isfinite().all()
    apart = np.abs(load[7:48] - load[:41])
    assert np.isnan(apart).sum() > 1
    assert batch.naive_error[0].item() == pytest.approx(np.nanmean(apart), rel=1e-6)


def test_missing_values_need_a_policy(tmp_path):
    numbers = table()
    numbers.loc[7, "load"] = np.nan
    numbers.to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(DataError, match=r"data.missing must say"):
        loader_of(tmp_path / "data.csv").load()


def test_too_short_for_one_window_shows_the_arithmetic(tmp_path):
    numbers = pd.concat([table(), table(["H7"], steps=29)])
    numbers.to_csv(tmp_path / "data.csv", index=False)
    told = r"the training part of series H7 has 7 rows; one training window needs context 5 \+ horizon 3 = 8"
    with pytest.raises(DataError, match=told):
        loader_of(tmp_path / "data.csv").load()
    loader = loader_of(tmp_path / "data.csv", skip_bad_rows=True)
    assert len(loader.load()["train"]) == 2 * 31
    assert "1 series left out because they are too short, the first: " in loader.notes[0]


def test_a_part_shorter_than_the_horizon(file):
    with pytest.raises(DataError, match="the validation part of series a has 2 rows; one validation window needs"):
        loader_of(file, split={"valid": 2, "test": 12}).load()


def test_files_go_on_where_the_training_file_ends(tmp_path, file):
    numbers = table()
    count = numbers.groupby("name").cumcount()
    numbers[count < 38].to_csv(tmp_path / "train.csv", index=False)
    numbers[(count >= 38) & (count < 48)].to_csv(tmp_path / "valid.csv", index=False)
    numbers[count >= 48].to_csv(tmp_path / "test.csv", index=False)
    files = {"valid": [tmp_path / "valid.csv"], "test": [tmp_path / "test.csv"]}
    apart = loader_of(tmp_path / "train.csv", **files)
    parts, whole = apart.load(), loader_of(file).load()
    for part in ("train", "valid", "test"):
        same(everything(parts[part]), everything(whole[part]))
    again = loader_of(tmp_path / "train.csv", **files)
    again.restore(json.loads(json.dumps(apart.state())))
    same(everything(again.labelled(tmp_path / "test.csv")), everything(parts["test"]))


def test_a_test_file_with_an_own_series_and_one_that_overlaps(tmp_path, file):
    table(["new"], first="2021-01-01").to_csv(tmp_path / "new.csv", index=False)
    loader = loader_of(file, test=[tmp_path / "new.csv"], scaling_per_series=True)
    test = loader.load()["test"]
    assert len(test) == STEPS - CONTEXT - HORIZON + 1
    assert "1 series not in the training part are scaled by their own steps" in loader.notes
    load = table(["new"])["load"].to_numpy()
    batch = everything(test)
    assert batch.center[0].item() == pytest.approx(load[:CONTEXT].mean(), rel=1e-5)
    np.testing.assert_allclose(own_units(batch)[-1, :, 0], load[-HORIZON:], rtol=1e-5)
    with pytest.raises(DataError, match=r"series a begins before its part in .* ends"):
        loader_of(file, test=[file]).load()


def test_a_test_file_of_another_time_zone(tmp_path):
    numbers = table(["a"])
    for name, zone, first in (("train", "+02:00", "2020-01-01"), ("test", "Z", "2020-03-01")):
        days = pd.date_range(first, periods=STEPS, freq="D").strftime("%Y-%m-%d 00:00:00")
        numbers.assign(day=days + zone).to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.raises(DataError, match=r"test.csv: series a has times in the zone Z, its part in .* the zone \+02"):
        loader_of(tmp_path / "train.csv", test=[tmp_path / "test.csv"]).load()


def test_labelled_takes_a_file_alone_where_training_is_gone(tmp_path, file):
    loader = loader_of(file)
    loader.load()
    state = json.loads(json.dumps(loader.state()))
    table(first="2021-01-01").to_csv(tmp_path / "later.csv", index=False)
    known = loader_of(file)
    known.restore(state)
    assert len(known.labelled(tmp_path / "later.csv")) == 2 * (STEPS - HORIZON + 1)
    assert known.notes == [f"2 series have a gap before {tmp_path / 'later.csv'}, the first: series a"]
    file.unlink()
    alone = loader_of(file)
    alone.restore(state)
    assert len(alone.labelled(tmp_path / "later.csv")) == 2 * (STEPS - CONTEXT - HORIZON + 1)


def test_columns_must_be_those_of_training(tmp_path):
    for name, width in (("train", 3), ("other", 2)):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(0).normal(size=(60, width)))
    options = {"series": None, "time": None, "covariates": [], "target": {"kind": "forecast"}}
    loader = loader_of(tmp_path / "train.npy", **options)
    loader.load()
    assert loader.target.names == ("feature_1", "feature_2", "feature_3")
    with pytest.raises(DataError, match="has the columns feature_1, feature_2; the training part has feature_1, "):
        loader.labelled(tmp_path / "other.npy")
    with pytest.raises(DataError, match="does not have the columns of the training part: feature_1, feature_2, fea"):
        list(loader.chunks(tmp_path / "other.npy", pytest.fail))


def test_prediction_reads_the_last_context(file):
    loader = loader_of(file, categories=["kind"])
    parts = loader.load()
    numbers = table()
    numbers.loc[numbers.index[-1], "kind"] = "never seen"
    restored = loader_of(file, categories=["kind"])
    restored.restore(json.loads(json.dumps(loader.state())))
    assert restored.features == loader.features and restored.target == loader.target
    buffer = io.BytesIO(numbers.to_csv(index=False).encode())
    (chunk,) = restored.chunks(buffer, pytest.fail)
    (other,) = loader.chunks(numbers, pytest.fail)
    batch = everything(chunk.dataset)
    same(batch, everything(other.dataset))
    assert batch.targets is None and len(chunk.dataset) == 2
    training = numbers.groupby("name").head(38)["load"].to_numpy()
    expected = (numbers["load"].to_numpy()[55:60] - training.mean()) / training.std()
    np.testing.assert_allclose(batch.inputs["values"].values[0, :, 0].numpy(), expected, atol=1e-6)
    assert batch.inputs["kind"].values[1, -1] == 1 and (batch.inputs["kind"].values[0] > 1).all()
    assert len(parts["train"]) == 62
    predictions = [{"load": float(step), "load_q0.1": -float(step)} for step in range(6)]
    rows = list(loader.written(chunk, predictions))
    assert rows[0] == {"name": "a", "day": "2020-03-01", "load": 0.0, "load_q0.1": -0.0}
    assert rows[5] == {"name": "b", "day": "2020-03-03", "load": 5.0, "load_q0.1": -5.0}
    with pytest.raises(ValueError, match="zip"):
        list(loader.written(chunk, predictions[:-1]))


def test_series_too_short_to_predict_are_reported(file):
    loader = loader_of(file)
    loader.load()
    numbers = pd.concat([table(["a"]), table(["tiny"], steps=4)])
    bad: list[DataError] = []
    (chunk,) = loader.chunks(numbers, bad.append)
    assert len(chunk.dataset) == 1
    assert [str(error) for error in bad] == ["the frame: series tiny has 4 rows; a forecast reads context 5"]


def test_an_unseen_series_is_predicted_in_its_own_scale(file):
    loader = loader_of(file, scaling_per_series=True)
    loader.load()
    new = table(["new"])
    (chunk,) = loader.chunks(new, pytest.fail)
    assert loader.notes == ["1 series not in the training part are scaled by their own steps"]
    assert everything(chunk.dataset).center.item() == pytest.approx(new["load"].to_numpy()[-CONTEXT:].mean(), rel=1e-6)


def test_without_times_steps_are_counted(tmp_path):
    table(["a"])[["load", "heat"]].to_csv(tmp_path / "data.csv", index=False)
    loader = loader_of(tmp_path / "data.csv", series=None, time=None)
    loader.load()
    assert loader.target.season == 1
    (chunk,) = loader.chunks(tmp_path / "data.csv", pytest.fail)
    assert list(loader.written(chunk, [{"load": 1.0}] * 3)) == [{"step": step, "load": 1.0} for step in (1, 2, 3)]


@pytest.mark.parametrize(
    ("task", "changes", "told"),
    [
        ("many-to-many", {"context": None}, "data.context must say"),
        ("many-to-many", {"horizon": None}, "data.horizon must say"),
        ("many-to-one", {}, "data.horizon: task many-to-one forecasts 1 step, not 3"),
        ("one-to-one", {"horizon": 1}, "data.context: task one-to-one reads 1 step, not 5"),
        ("many-to-many", {"categories": ["values"]}, "'values' would take the name"),
    ],
)
def test_settings_that_do_not_go_together(file, task, changes, told):
    with pytest.raises(UserError, match=told):
        loader_of(file, task, **changes)


def test_one_step_from_one_step(file):
    parts = loader_of(file, "one-to-one", context=1, horizon=1).load()
    batch = everything(parts["test"])
    assert batch.inputs["values"].values.shape == (24, 1, 2) and batch.targets.shape == (24, 1, 1)
    assert torch.equal(batch.inputs["values"].values[1:12, 0, 0], batch.targets[:11, 0, 0])


def test_texts_and_damaged_states_are_refused(file):
    loader = loader_of(file)
    loader.load()
    with pytest.raises(UserError, match="not from texts"):
        loader.chunks(["1,2,3"], pytest.fail)
    for damage in ({}, {**loader.state(), "encoder": {"columns": []}}, {**loader.state(), "target": {"kind": 1}}):
        with pytest.raises(RunError, match="damaged"):
            loader_of(file).restore(damage)


def test_equal_names_need_no_telling_apart_unless_they_matter(tmp_path, file):
    table(["a"], seed=2).to_csv(tmp_path / "more.csv", index=False)
    assert len(loader_of([file, tmp_path / "more.csv"]).load()["train"]) == 3 * 31
    with pytest.raises(DataError, match="2 series named 'a'"):
        loader_of([file, tmp_path / "more.csv"], scaling_per_series=True).load()


DATA = os.environ.get("RNNCLI_DATA")
real = pytest.mark.skipif(not DATA, reason="RNNCLI_DATA names no folder of real files")


@real
def test_etth1_has_the_windows_and_the_baseline_of_the_papers():
    """Repeat-last on the standardised test part: MSE 1.222, MAE 0.671 (the files' README)."""
    columns = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
    loader = loader_of(
        Path(DATA) / "etth1/ETTh1.csv",
        series=None,
        time="date",
        covariates=[],
        target={"kind": "forecast", "columns": columns},
        context=96,
        horizon=24,
        season=1,
        split={"train": 8640, "valid": 2880, "test": 2880},
    )
    parts = loader.load()
    assert {part: len(data) for part, data in parts.items()} == {"train": 8521, "valid": 2857, "test": 2857}
    frame = pd.read_csv(Path(DATA) / "etth1/ETTh1.csv")[columns].to_numpy()
    mean, deviation = frame[:8640].mean(axis=0), frame[:8640].std(axis=0)
    last = everything(parts["test"])
    np.testing.assert_allclose(
        last.inputs["values"].values[-1].numpy(), ((frame - mean) / deviation)[14400 - 120 : 14400 - 24], atol=1e-5
    )
    naive = (parts["test"].naive(np.arange(2857)) - mean) / deviation
    apart = naive - last.targets.numpy()
    assert (apart**2).mean() == pytest.approx(1.222, abs=5e-4)
    assert np.abs(apart).mean() == pytest.approx(0.671, abs=5e-4)


@real
def test_m4_has_the_published_seasonal_naive():
    """sMAPE 13.912, MASE 1.193 with a season of 24 hours."""
    loader = loader_of(
        Path(DATA) / "m4/Hourly-train.csv",
        test=[Path(DATA) / "m4/Hourly-test.csv"],
        layout="wide",
        series=None,
        time=None,
        covariates=[],
        target={"kind": "forecast"},
        context=96,
        horizon=48,
        season=24,
        scaling_per_series=True,
        split={"valid": 48},
    )
    parts = loader.load()
    assert (len(parts["valid"]), len(parts["test"])) == (414, 414)
    batch, naive = everything(parts["test"]), parts["test"].naive(np.arange(414))
    truth = own_units(batch)
    smape = (200 * np.abs(truth - naive) / (np.abs(truth) + np.abs(naive))).mean()
    mase = (np.abs(truth - naive).mean(axis=1) / batch.naive_error.numpy()).mean()
    assert smape == pytest.approx(13.912, abs=5e-4) and mase == pytest.approx(1.193, abs=5e-4)
    again = loader_of(**{**loader.settings.model_dump(exclude={"loader"}), "train": loader.settings.train})
    again.restore(json.loads(json.dumps(loader.state())))
    same(everything(again.labelled(loader.settings.test[0])), batch)
