"""Targets of whole series and of rows."""

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
from rnncli.inputs.targets import in_order
from rnncli.inputs.time_series.loader import TimeSeriesLoader
from rnncli.inputs.time_series.settings import TimeSeriesSettings


def loader_of(train, task="many-to-one", kind="class", columns="mark", **changes) -> TimeSeriesLoader:
    options = {
        "loader": "time-series",
        "train": [train] if isinstance(train, Path) else train,
        "series": "name" if task == "many-to-one" else None,
        "target": {"kind": kind, "columns": columns},
        "covariates": ["x", "y"],
        "split": {"valid": 0.2, "test": 0.2},
    }
    options["split"] = {part: share for part, share in options["split"].items() if part not in changes}
    options |= changes
    return TimeSeriesLoader(TimeSeriesSettings(**options), task)


def table(count=30, seed=1) -> pd.DataFrame:
    """Series s0, s1, ... of 1 to 5 steps; their class, labels and size follow from the number."""
    generator = np.random.default_rng(seed)
    frames = []
    for number in range(count):
        steps = int(generator.integers(1, 6))
        frames.append(
            pd.DataFrame(
                {
                    "name": f"s{number}",
                    "x": generator.normal(3, 2, steps).round(3),
                    "y": generator.normal(-40, 9, steps).round(3),
                    "kind": generator.choice(["work", "rest"], steps),
                    "mark": ["2", "10", "9"][number % 3],
                    "tags": ["b", "a c", ""][number % 3],
                    "size": number * 1.5,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def file(tmp_path):
    table().to_csv(tmp_path / "data.csv", index=False)
    return tmp_path / "data.csv"


def everything(data):
    return data.batch(np.arange(len(data)))


def back(values, loader):
    scaler = loader.state()["encoder"]["scaler"]["common"]
    return values.double().numpy() * scaler["scale"] + scaler["center"]


def test_each_series_has_its_own_steps_and_class(file):
    loader = loader_of(file, categories=["kind"])
    parts = loader.load()
    assert loader.target.names == ("2", "9", "10") and not loader.target.per_step
    assert loader.features == {"values": Values(2), "kind": Categories(4)}
    numbers = table()
    by_steps = {tuple(one[["x", "y"]].to_numpy().ravel()): (name, one) for name, one in numbers.groupby("name")}
    words, seen = loader.state()["encoder"]["categories"]["kind"], []
    for part, data in parts.items():
        batch = everything(data)
        lengths = batch.sequences.lengths.tolist()
        for row, length in enumerate(lengths):
            found = back(batch.inputs["values"].values[row, :length], loader).round(3)
            name, one = by_steps[tuple(found.ravel())]
            seen.append((name, part))
            assert loader.target.names[batch.targets[row]] == one["mark"].iloc[0]
            assert [words[step] for step in batch.inputs["kind"].values[row, :length]] == one["kind"].tolist()
    assert sorted(name for name, _ in seen) == sorted(numbers["name"].unique())
    assert {part: len(data) for part, data in parts.items()} == {"train": 18, "valid": 6, "test": 6}
    for data in parts.values():
        assert len(set(np.bincount(everything(data).targets.numpy(), minlength=3))) == 1  # stratified
    training = numbers[numbers["name"].isin([name for name, part in seen if part == "train"])][["x", "y"]]
    np.testing.assert_allclose(loader.state()["encoder"]["scaler"]["common"]["center"], training.mean())


def test_equal_series_fall_into_one_part(tmp_path):
    first = table()
    second = first.assign(name=first["name"] + "again")
    pd.concat([first, second]).to_csv(tmp_path / "data.csv", index=False)
    parts = loader_of(tmp_path / "data.csv").load()
    keys = {
        part: {(row[:length].numpy().tobytes()) for row, length in zip(v.values, v.lengths, strict=True)}
        for part, data in parts.items()
        for v in [everything(data).inputs["values"]]
    }
    assert sum(map(len, keys.values())) == len(set.union(*keys.values())) == 30


def test_label_sets(file):
    loader = loader_of(file, kind="labels", columns="tags")
    parts = loader.load()
    assert loader.target.names == ("a", "b", "c")
    sets = torch.cat([everything(data).targets for data in parts.values()])
    rows, counts = sets.unique(dim=0, return_counts=True)
    assert rows.tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 1]] and counts.tolist() == [10, 10, 10]
    assert loader.target.counts == tuple(everything(parts["train"]).targets.sum(dim=0).int().tolist())


def test_values_come_back_in_their_own_units(file):
    loader = loader_of(file, kind="value", columns=["size"], split={"valid": 5, "test": 5})
    parts = loader.load()
    assert {part: len(data) for part, data in parts.items()} == {"train": 20, "valid": 5, "test": 5}
    batches = [everything(data) for data in parts.values()]
    assert batches[0].center.shape == (20, 1)
    sizes = torch.cat([batch.targets * batch.scale + batch.center for batch in batches]).flatten()
    np.testing.assert_allclose(sorted(sizes.tolist()), np.arange(30) * 1.5, atol=1e-5)
    assert abs(batches[0].targets.mean().item()) < 1e-6
    assert batches[0].targets.std(correction=0).item() == pytest.approx(1, rel=1e-5)
    assert parts["test"].naive(np.arange(5)) is None


def test_parts_from_files(tmp_path, file):
    table(9, seed=2).to_csv(tmp_path / "test.csv", index=False)
    loader = loader_of(file, test=[tmp_path / "test.csv"])
    parts = loader.load()
    assert [len(parts[part]) for part in ("train", "valid", "test")] == [24, 6, 9]
    joined = loader_of(file, test=[tmp_path / "test.csv"])
    refit = joined.load(refit=True)
    assert {part: len(data) for part, data in refit.items()} == {"train": 30, "test": 9}
    again = loader_of(file)
    again.restore(json.loads(json.dumps(loader.state())))
    batch, other = everything(parts["test"]), everything(again.labelled(tmp_path / "test.csv"))
    assert torch.equal(batch.targets, other.targets)
    assert torch.equal(batch.inputs["values"].values, other.inputs["values"].values)
    assert again.target == loader.target and again.features == loader.features


def test_changed_test_values_change_nothing_of_training(tmp_path, file):
    states = []
    for shift in (0, 1000):
        other = table(9, seed=2).assign(x=lambda one, shift=shift: one["x"] + shift)
        other.to_csv(tmp_path / "test.csv", index=False)
        loader = loader_of(file, test=[tmp_path / "test.csv"])
        loader.load()
        states.append(json.dumps(loader.state()))
    assert states[0] == states[1]


def test_a_class_that_training_lacks_is_named_with_its_line(tmp_path, file):
    other = table(9, seed=2)
    other.loc[other["name"] == "s4", "mark"] = "11"
    other.to_csv(tmp_path / "test.csv", index=False)
    line = int((other["name"] == "s4").argmax()) + 2
    with pytest.raises(DataError, match=rf"test.csv:{line}: class '11' does not occur in the training part; it has 2,"):
        loader_of(file, test=[tmp_path / "test.csv"]).load()


def test_one_class_alone_teaches_nothing(tmp_path):
    table().assign(mark="2").to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(DataError, match="all 18 targets of the training part are '2'"):
        loader_of(tmp_path / "data.csv").load()


def test_targets_that_differ_within_a_series(tmp_path):
    numbers = table()
    line = int(numbers["name"].duplicated().argmax())
    numbers.loc[line, ["mark", "size"]] = ["10000", 99.0]
    numbers.to_csv(tmp_path / "data.csv", index=False)
    for kind, column in (("class", "mark"), ("value", "size")):
        with pytest.raises(DataError, match=rf"data.csv:{line + 2}: the target .* differs from"):
            loader_of(tmp_path / "data.csv", kind=kind, columns=column).load()
    loader = loader_of(tmp_path / "data.csv", skip_bad_rows=True)
    assert sum(len(data) for data in loader.load().values()) == 29 and "1 series left out" in loader.notes[0]


def test_a_kind_of_target_that_the_task_has_not(file):
    with pytest.raises(UserError, match="next goes with task many-to-many, not with many-to-one"):
        loader_of(file, target={"kind": "next", "columns": "x"}, covariates=[])


def test_more_held_out_than_there_is(file):
    with pytest.raises(UserError, match=r"data.split.valid: 30 of 30 examples"):
        loader_of(file, split={"valid": 30}).load()


def test_predictions_stand_beside_the_names(file):
    loader = loader_of(file, categories=["kind"])
    loader.load()
    numbers = table(5, seed=3).drop(columns=["mark", "size"]).assign(kind="never seen")
    restored = loader_of(file, categories=["kind"])
    restored.restore(json.loads(json.dumps(loader.state())))
    (chunk,) = restored.chunks(io.BytesIO(numbers.to_csv(index=False).encode()), pytest.fail)
    batch = everything(chunk.dataset)
    assert batch.targets is None and (batch.inputs["kind"].values == 1).all()
    first = numbers[numbers["name"] == "s0"][["x", "y"]].to_numpy()
    np.testing.assert_allclose(back(batch.inputs["values"].values[0, : len(first)], loader), first, atol=1e-4)
    rows = list(restored.written(chunk, [{"mark": str(number)} for number in range(5)]))
    assert rows == [{"name": f"s{number}", "mark": str(number)} for number in range(5)]


def test_chunks_are_bounded(file):
    loader = loader_of(file)
    loader.load()
    numbers = pd.DataFrame({"name": np.repeat(np.arange(3000), 4), "x": 1.0, "y": np.arange(12000.0)})
    sizes = [len(chunk.dataset) for chunk in loader.chunks(numbers, pytest.fail)]
    assert sum(sizes) == 3000 and max(sizes) <= 1000


def test_each_series_scaled_by_itself(file):
    loader = loader_of(file, scaling_per_series=True)
    batch = everything(loader.load()["train"])
    for row, length in zip(batch.inputs["values"].values, batch.sequences.lengths, strict=True):
        if length > 1:
            np.testing.assert_allclose(row[:length].mean(dim=0), 0, atol=1e-5)
            np.testing.assert_allclose(row[:length].std(dim=0, correction=0), 1, rtol=1e-4)
    (chunk,) = loader.chunks(table(4, seed=9), pytest.fail)
    assert abs(everything(chunk.dataset).inputs["values"].values).max() < 3


def test_a_limit_takes_examples_from_all_over(tmp_path):
    # In the order of the classes, as many files are.
    numbers = table().sort_values("mark", kind="stable")
    numbers.to_csv(tmp_path / "data.csv", index=False)
    loader = loader_of(tmp_path / "data.csv")
    assert sum(len(data) for data in loader.load(limit=15).values()) == 15
    assert sum(loader.target.counts) == 9 and min(loader.target.counts) > 1
    rows_table().sort_values("x").to_csv(tmp_path / "rows.csv", index=False)
    loader = loader_of(tmp_path / "rows.csv", "one-to-one")
    assert sum(len(data) for data in loader.load(limit=15).values()) == 15 and min(loader.target.counts) > 1


def test_a_damaged_state(file):
    with pytest.raises(RunError, match="damaged"):
        loader_of(file).restore({"encoder": {}, "target": {}, "answers": {}})


def test_classes_in_order():
    assert in_order(["10", "9", "-1", "9.5"]) == ("-1", "9", "9.5", "10")
    assert in_order(["10", "9", "x"]) == ("10", "9", "x")


# one-to-one: each row of a table


def rows_table(count=60) -> pd.DataFrame:
    generator = np.random.default_rng(8)
    numbers = pd.DataFrame({"x": generator.normal(3, 2, count).round(4), "y": generator.normal(0, 5, count).round(4)})
    return numbers.assign(mark=np.where(numbers["x"] > 3, "up", "down"), size=numbers["x"] * 10 + numbers["y"])


def test_each_row_is_an_example(tmp_path):
    numbers = rows_table()
    numbers.to_csv(tmp_path / "data.csv", index=False)
    loader = loader_of(tmp_path / "data.csv", "one-to-one")
    parts = loader.load()
    found = []
    for data in parts.values():
        batch = everything(data)
        assert data.unit == "rows" and batch.inputs["values"].values.shape == (len(data), 1, 2)
        for values, target in zip(back(batch.inputs["values"].values[:, 0], loader), batch.targets, strict=True):
            found.append((round(values[0], 4), round(values[1], 4), loader.target.names[target]))
    assert sorted(found) == sorted(numbers[["x", "y", "mark"]].itertuples(index=False, name=None))
    assert {part: len(data) for part, data in parts.items()} == {"train": 36, "valid": 12, "test": 12}


def test_rows_to_values_and_their_predictions(tmp_path):
    numbers = rows_table()
    numbers.to_csv(tmp_path / "data.csv", index=False)
    loader = loader_of(tmp_path / "data.csv", "one-to-one", "value", "size")
    batch = everything(loader.load()["test"])
    own = back(batch.inputs["values"].values[:, 0], loader)
    np.testing.assert_allclose(
        (batch.targets * batch.scale + batch.center)[:, 0], own[:, 0] * 10 + own[:, 1], atol=1e-3
    )
    (chunk,) = loader.chunks(tmp_path / "data.csv", pytest.fail)
    written = list(loader.written(chunk, [{"size (predicted)": number} for number in range(60)]))
    assert len(written) == 60 and written[7]["size (predicted)"] == 7
    assert float(written[7]["x"]) == numbers["x"][7] and float(written[7]["size"]) == pytest.approx(numbers["size"][7])


# .ts files


def ts_file(path: Path, cases: list[str]) -> Path:
    path.write_text("@problemName toy\n@classLabel true a b\n@data\n" + "\n".join(cases) + "\n")
    return path


def test_cases_of_a_ts_file(tmp_path):
    generator = np.random.default_rng(1)
    cases = [
        ":".join(",".join(f"{value:.3f}" for value in generator.normal(size=number % 4 + 1)) for _ in range(1))
        + (":a" if number % 2 else ":b")
        for number in range(20)
    ]
    train = ts_file(tmp_path / "toy_TRAIN.ts", cases)
    loader = loader_of(train, columns=None, series=None, covariates=[])
    parts = loader.load()
    assert {part: len(data) for part, data in parts.items()} == {"train": 12, "valid": 4, "test": 4}
    (chunk,) = loader.chunks(train, pytest.fail)
    assert list(loader.written(chunk, [{"class": "a"}] * 20))[3] == {"series": "4", "class": "a"}
    with pytest.raises(DataError, match=r"toy_EMPTY.ts:5: "):
        loader_of(ts_file(tmp_path / "toy_EMPTY.ts", ["1:a", ":b"]), columns=None, series=None, covariates=[]).load()


DATA = os.environ.get("RNNCLI_DATA")


@pytest.mark.skipif(not DATA, reason="RNNCLI_DATA names no folder of real files")
def test_japanese_vowels():
    folder = Path(DATA) / "ucr_uea/JapaneseVowels"
    loader = loader_of(
        folder / "JapaneseVowels_TRAIN.ts",
        test=[folder / "JapaneseVowels_TEST.ts"],
        columns=None,
        series=None,
        covariates=[],
        split={"valid": 0.1},
    )
    parts = loader.load()
    assert {part: len(data) for part, data in parts.items()} == {"train": 243, "test": 370, "valid": 27}
    assert loader.target.names == tuple("123456789") and loader.target.counts == (27,) * 9
    assert np.bincount(everything(parts["test"]).targets.numpy()).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    assert (parts["test"].lengths.min(), parts["test"].lengths.max()) == (7, 29)
