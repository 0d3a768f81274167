"""Targets of every step."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from rnncli.errors import DataError
from rnncli.inputs.features import Values
from rnncli.inputs.time_series.loader import TimeSeriesLoader
from rnncli.inputs.time_series.settings import TimeSeriesSettings


def loader_of(train, kind="next", columns=None, **changes) -> TimeSeriesLoader:
    options = {
        "loader": "time-series",
        "train": [train],
        "series": "name",
        "target": {"kind": kind, "columns": columns},
        "split": {"valid": 0.2, "test": 0.2},
    }
    options |= changes
    return TimeSeriesLoader(TimeSeriesSettings(**options), "many-to-many")


def table(count=20, seed=1) -> pd.DataFrame:
    """The series number stands in x before the point, the step behind it."""
    generator = np.random.default_rng(seed)
    frames = []
    for number in range(count):
        steps = int(generator.integers(2, 7))
        x = number + np.arange(steps) / 100
        frames.append(
            pd.DataFrame(
                {
                    "name": f"s{number}",
                    "x": x,
                    "y": generator.normal(-40, 9, steps).round(3),
                    "kind": generator.choice(["work", "rest"], steps),
                    "mark": [f"m{step % 3}" for step in range(steps)],
                    "size": -5 * x,
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


def own_x(batch, loader) -> np.ndarray:
    """(batch, time) the column x of the inputs as it stands in the file."""
    scaler = loader.state()["encoder"]["scaler"]["common"]
    return batch.inputs["values"].values[..., 0].double().numpy() * scaler["scale"][0] + scaler["center"][0]


def test_a_class_for_each_step(file):
    loader = loader_of(file, "class", "mark", covariates=["x", "y"], categories=["kind"])
    parts = loader.load()
    assert loader.target.names == ("m0", "m1", "m2") and loader.target.per_step
    assert {part: len(data) for part, data in parts.items()} == {"train": 12, "valid": 4, "test": 4}
    counted = np.zeros(3, int)
    for part, data in parts.items():
        batch = everything(data)
        assert batch.targets.shape == batch.inputs["kind"].values.shape == (len(data), batch.sequences.time)
        steps = np.round(own_x(batch, loader) * 100).astype(int) % 100
        mask = batch.sequences.mask.numpy()
        np.testing.assert_array_equal(batch.targets.numpy()[mask], steps[mask] % 3)
        counted += np.bincount(batch.targets.numpy()[mask], minlength=3) if part == "train" else 0
    assert loader.target.counts == tuple(counted)


def test_numbers_for_each_step(file):
    loader = loader_of(file, "value", "size", covariates=["x", "y"])
    batch = everything(loader.load()["test"])
    assert batch.center.shape == (4, 1, 1) and batch.targets.shape == (4, batch.sequences.time, 1)
    mask = batch.sequences.mask.numpy()
    sizes = (batch.targets * batch.scale + batch.center)[..., 0].numpy()
    np.testing.assert_allclose(sizes[mask], -5 * own_x(batch, loader)[mask], atol=1e-3)


def test_predictions_stand_beside_the_rows(file):
    loader = loader_of(file, "class", "mark", covariates=["x", "y"])
    loader.load()
    restored = loader_of(file, "class", "mark", covariates=["x", "y"])
    restored.restore(json.loads(json.dumps(loader.state())))
    numbers = table(3, seed=5)
    (chunk,) = restored.chunks(numbers, pytest.fail)
    assert everything(chunk.dataset).targets is None and len(chunk.dataset) == 3
    rows = list(restored.written(chunk, [{"guess": step} for step in range(len(numbers))]))
    assert [row["name"] for row in rows] == numbers["name"].tolist()
    assert [float(row["x"]) for row in rows] == numbers["x"].tolist()
    assert [row["guess"] for row in rows] == list(range(len(numbers)))


def test_one_target_for_a_series_is_not_one_a_step(tmp_path):
    (tmp_path / "a.ts").write_text("@classLabel true u v\n@data\n1,2:u\n3,4,5:v\n6,7:u\n")
    with pytest.raises(DataError, match="series 1 has 2 steps and 1 target"):
        loader_of(tmp_path / "a.ts", "class", series=None).load()


def test_the_next_step(file):
    loader = loader_of(file, columns=["x"], covariates=["y"])
    parts = loader.load()
    assert loader.target.kind == "value" and loader.target.names == ("x",) and loader.target.per_step
    assert loader.features == {"values": Values(2, (0,))}
    lengths = table().groupby("name", sort=False).size().to_numpy()
    seen = []
    for data in parts.values():
        batch, naive = everything(data), data.naive(np.arange(len(data)))
        ahead = (batch.targets.double() * batch.scale + batch.center)[..., 0].numpy()
        for row, length in enumerate(batch.sequences.lengths.tolist()):
            number = round(ahead[row, 0])
            seen.append(number)
            assert length == lengths[number] - 1
            np.testing.assert_allclose(ahead[row, :length], number + np.arange(1, length + 1) / 100, atol=1e-4)
            np.testing.assert_allclose(naive[row, :length, 0], number + np.arange(length) / 100, atol=1e-4)
            np.testing.assert_allclose(
                batch.inputs["values"].values[row, 1:length, 0], batch.targets[row, : length - 1, 0]
            )
    assert sorted(seen) == list(range(20))


def test_a_next_step_that_was_made_up_is_no_truth(tmp_path):
    numbers = table()
    numbers.loc[numbers.groupby("name").cumcount() == 1, "x"] = np.nan
    numbers.to_csv(tmp_path / "data.csv", index=False)
    batch = everything(loader_of(tmp_path / "data.csv", columns=["x"], missing="forward").load()["train"])
    assert batch.inputs["values"].values.isfinite().all()
    steps = batch.sequences
    assert torch.equal(
        batch.targets[..., 0].isnan()[steps.mask], (torch.arange(steps.time) == 0).expand(steps.batch, -1)[steps.mask]
    )


def test_every_step_is_read_where_the_next_is_unknown(file):
    loader = loader_of(file, columns=["x", "y"])
    loader.load()
    numbers = table(3, seed=5)
    (chunk,) = loader.chunks(numbers, pytest.fail)
    batch = everything(chunk.dataset)
    assert batch.sequences.lengths.tolist() == numbers.groupby("name").size().tolist()
    assert batch.targets is None and batch.center.shape == (3, 1, 2) and len(chunk.rows) == len(numbers)


def test_a_series_of_one_step_has_no_next(tmp_path, file):
    numbers = pd.concat([table(), pd.DataFrame({"name": ["tiny"], "x": [1.0], "y": [2.0]})])
    numbers.to_csv(tmp_path / "short.csv", index=False)
    line = len(numbers) + 1
    with pytest.raises(DataError, match=rf"short.csv:{line}: series tiny has 1 step; target.kind next needs 2"):
        loader_of(tmp_path / "short.csv", columns=["x"]).load()
    loader = loader_of(tmp_path / "short.csv", columns=["x"], skip_bad_rows=True)
    assert sum(map(len, loader.load().values())) == 20
    bad: list[DataError] = []
    assert sum(len(chunk.dataset) for chunk in loader.chunks(numbers, bad.append)) == 20
    assert "series tiny has 1 step" in str(bad[0])


def frames_file(path: Path, content) -> Path:
    path.write_text(json.dumps(content))
    return path


def pieces(count: int, seed: int) -> list:
    generator = np.random.default_rng(seed)
    return [
        [sorted({int(pitch) for pitch in generator.integers(60, 64, 2)}) for _ in range(generator.integers(2, 6))]
        for _ in range(count)
    ]


def test_frames_with_ready_parts(tmp_path):
    content = {"train": pieces(5, 1), "valid": pieces(2, 2), "test": pieces(3, 3)}
    path = frames_file(tmp_path / "notes.json", content)
    loader = loader_of(path, series=None, pitches=(60, 63))
    parts = loader.load()
    assert {part: len(data) for part, data in parts.items()} == {"train": 5, "valid": 2, "test": 3}
    assert loader.target.kind == "frame" and loader.target.names == ("60", "61", "62", "63")
    for part, data in parts.items():
        batch = everything(data)
        assert batch.center is None and data.naive(np.arange(len(data))) is None
        for row, piece in enumerate(content[part]):
            for tensor, steps in ((batch.inputs["values"].values, piece[:-1]), (batch.targets, piece[1:])):
                wanted = [[float(pitch in step) for pitch in range(60, 64)] for step in steps]
                assert tensor[row, : len(steps)].tolist() == wanted
    counts = [sum(pitch in step for piece in content["train"] for step in piece[1:]) for pitch in range(60, 64)]
    assert loader.target.counts == tuple(counts)
    restored = loader_of(path, series=None, pitches=(60, 63))
    restored.restore(json.loads(json.dumps(loader.state())))
    assert torch.equal(everything(restored.labelled(path)).targets, everything(parts["test"]).targets)
    (chunk,) = restored.chunks(path, pytest.fail)
    assert len(chunk.dataset) == 10
    steps = sum(len(piece) for part in content.values() for piece in part)
    rows = list(restored.written(chunk, [{"60": 0.5}] * steps))
    assert rows[0] == {"series": "1", "step": 1, "60": 0.5} and rows[len(content["train"][0])]["series"] == "2"


def test_frames_without_parts_are_drawn(tmp_path):
    loader = loader_of(frames_file(tmp_path / "notes.json", pieces(20, 1)), series=None, pitches=(60, 63))
    assert {part: len(data) for part, data in loader.load().items()} == {"train": 12, "valid": 4, "test": 4}
    refit = loader_of(tmp_path / "notes.json", series=None, pitches=(60, 63)).load(refit=True)
    assert {part: len(data) for part, data in refit.items()} == {"train": 16, "test": 4}


DATA = os.environ.get("RNNCLI_DATA")


@pytest.mark.skipif(not DATA, reason="RNNCLI_DATA names no folder of real files")
def test_chorales():
    loader = loader_of(Path(DATA) / "jsb_chorales/jsb-chorales-quarter.json", series=None)
    parts = loader.load()
    assert {part: len(data) for part, data in parts.items()} == {"train": 229, "valid": 76, "test": 77}
    assert parts["train"].lengths.sum() == 13807 - 229 and len(loader.target.names) == 88
