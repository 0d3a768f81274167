"""Numbers that are written from a class or numbers: from the columns of a table and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from rnncli.errors import ConfigError, DataError
from rnncli.inputs.curves import Curves
from rnncli.inputs.pairs.loader import PairsLoader
from rnncli.inputs.pairs.settings import PairsSettings
from rnncli.tasks.baselines import baseline

HOURS = ["early", "noon", "late"]
WAYS: dict[str, dict[str, Any]] = {
    "values": {"kind": "values", "columns": ["wide", "deep"]},
    "class": {"kind": "class", "column": "kind"},
}


def table(rows: int = 40) -> pd.DataFrame:
    generator = np.random.default_rng(7)
    frame = pd.DataFrame(generator.normal(5, 3, (rows, 5)).round(3), columns=["late", "wide", "noon", "deep", "early"])
    return frame.assign(kind=generator.choice(["a", "b", "c"], rows), note=[f"n{row}" for row in range(rows)])


def loader_of(train: Path, way: str = "values", **changes: Any) -> PairsLoader:
    options = {"source": WAYS[way], "target": {"kind": "values", "columns": HOURS}, **changes}
    settings = PairsSettings.model_validate({"loader": "pairs", "train": train, **options})
    return PairsLoader(settings, "one-to-many")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    table().to_csv(tmp_path / "data.csv", index=False)
    return tmp_path / "data.csv"


@pytest.mark.parametrize("way", WAYS)
def test_curves_are_the_columns_in_the_order_of_the_settings(file: Path, way: str) -> None:
    loader = loader_of(file, way)
    parts, numbers = loader.load(), table()[HOURS].to_numpy()
    target = loader.target
    assert (target.kind, target.names, target.horizon, target.from_one) == ("forecast", ("value",), 3, True)
    seen, found = [], {}
    for part, data in parts.items():
        batch = data.batch(np.arange(len(data)))
        assert batch.targets is not None and batch.center is not None and batch.scale is not None
        own = (batch.targets * batch.scale + batch.center).squeeze(2).numpy()
        rows = [int(np.abs(numbers - each).sum(axis=1).argmin()) for each in own]
        np.testing.assert_allclose(own, numbers[rows], atol=1e-5)
        seen, found[part] = seen + rows, rows
        assert float(batch.center[0]) == pytest.approx(numbers[found["train"]].mean(), rel=1e-5)
        assert float(batch.scale[0]) == pytest.approx(numbers[found["train"]].std(), rel=1e-5)
    assert sorted(seen) == list(range(40)) and parts.keys() == {"train", "valid", "test"}


def test_predictions_stand_in_columns_of_the_same_names(file: Path) -> None:
    trained = loader_of(file)
    trained.load()
    loader = loader_of(file)
    loader.restore(json.loads(json.dumps(trained.state())))
    assert loader.target == trained.target and loader.features == trained.features
    whole, bare = table(), table().drop(columns=HOURS)
    for source in (whole, bare):
        (chunk,) = loader.chunks(source, pytest.fail)
        batch = chunk.dataset.batch(np.arange(40))
        assert batch.targets is None
        labelled = loader.labelled(file).batch(np.arange(40))
        torch.testing.assert_close(batch.inputs["values"].values, labelled.inputs["values"].values, rtol=0, atol=0)
        told = [{"value": float(step), "value_q0.9": step + 0.5} for step in range(120)]
        rows = list(loader.written(chunk, told))
        assert len(rows) == 40
        assert {name: rows[7][name] for name in HOURS} == {"early": 21.0, "noon": 22.0, "late": 23.0}
        assert rows[7]["late_q0.9"] == 23.5 and rows[7]["note"] == "n7"


def test_the_baseline_is_the_mean_of_each_column(file: Path) -> None:
    loader = loader_of(file)
    parts = loader.load()
    train, test = parts["train"], parts["test"]
    assert isinstance(train, Curves) and isinstance(test, Curves) and train.values is not None
    found = baseline(loader.target, train, test, 16)
    assert test.values is not None
    scale = float(test.batch(np.arange(1)).scale)  # type: ignore[arg-type]
    wanted = (train.values.mean(dim=0) - test.values).square().mean() * scale**2
    assert found.name == "mean" and found.scores["mse"] == pytest.approx(float(wanted), rel=1e-4)


def test_a_cell_that_is_no_number_is_told(file: Path) -> None:
    numbers = table().astype({"noon": object})
    numbers.loc[4, "noon"] = "much"
    numbers.to_csv(file, index=False)
    with pytest.raises(DataError, match=r"data.csv:6: column 'noon' holds 'much' where a finite number is needed"):
        loader_of(file).load()
    loader = loader_of(file, skip_bad_rows=True)
    assert sum(map(len, loader.load().values())) == 39


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"target": {"kind": "values"}}, "columns: is missing"),
    ({"target": {"kind": "values", "columns": ["a", "a"]}}, "columns: a name stands twice"),
    ({"target": {"kind": "values", "columns": HOURS, "column": "x"}}, "target.column: is for kind: text"),
    ({"target": {"kind": "values", "columns": HOURS, "units": "character"}}, "target.units: is for kind: text"),
    ({"target": {"kind": "values", "columns": HOURS, "max_length": 4}}, "target.max_length: is for kind: text"),
    ({"target": {"columns": HOURS}}, "target.columns: is for kind: values"),
    ({"target": {"kind": "values", "columns": ["wide"]}}, "target.columns: have a column of the source"),
    ({"source": {"column": "note"}}, "values are written from a class or values"),
    ({"several_references": True}, "several_references: is for targets of kind: text"),
    ({"train": {"source": "a", "target": "b"}, "source": WAYS["class"]}, "target.kind: values are columns of a table"),
    ({"format": "files", "source": WAYS["class"]}, "target.kind: values are columns of a table"),
]


@pytest.mark.parametrize(("changes", "told"), REFUSED)
def test_options_that_would_do_nothing_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        loader_of(**{"train": "a.csv", **changes})
    assert told in str(refused.value)


def test_folders_hold_no_numbers(tmp_path: Path) -> None:
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "german.txt").write_text("Otto\n")
    with pytest.raises(ConfigError, match=r"data.target.kind: values are columns of a table, and .*names is none"):
        loader_of(tmp_path / "names", "class").load()
