"""Options that would do nothing, or would give the answer away."""

import numpy as np
import pytest
from pydantic import ValidationError

from rnncli.errors import UserError
from rnncli.inputs.time_series.loader import TimeSeriesLoader
from rnncli.inputs.time_series.settings import TimeSeriesSettings

OWN = {"valid": ["valid.csv"], "test": ["test.csv"]}


def refused(kind, told, **options):
    with pytest.raises(ValidationError, match=told):
        TimeSeriesSettings.model_validate(
            {"loader": "time-series", "train": ["train.csv"], "target": {"kind": kind, "columns": "y"}, **options}
        )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"context": 5}, "context: is for forecasts; target.kind is value"),
        ({"stride": 2}, "stride: is for forecasts"),
        ({"season": 7}, "season: is for forecasts"),
        ({"split": {"train": 0.5}}, "split.train: is for forecasts"),
        ({"split": {"valid": "2020-01-01"}}, "split.valid: only forecasts are cut at a date"),
        ({"target": {"kind": "value", "columns": "y", "separator": "|"}}, "target.separator: is for kind: labels"),
        ({"scaling": "none", "scaling_per_series": True}, "scaling_per_series: nothing is scaled"),
        ({"covariates": ["x", "y"]}, "covariates: y is the target, which the model can't be given to read"),
        ({"categories": ["y"]}, "categories: y is the target"),
        ({"time_format": "%Y"}, "time_format: says how the column `time` is written"),
        ({"layout": "wide", "time": "t"}, "time: a table of the layout wide has no"),
        ({**OWN, "split": {"test": 0.2}}, "split.test: data.test has files of its own"),
        ({**OWN, "split": {"seed": 2}}, "split.seed: nothing is drawn where"),
        ({"columns": ["a", "y", "a"]}, "columns: a name stands twice"),
    ],
)
def test_of_answers(options, told):
    refused("value", told, **options)


def test_of_steps_to_come():
    refused("forecast", "split.seed: nothing is drawn, as forecasts", split={"seed": 2})
    refused("forecast", "covariates: y is a target, which is read anyway", covariates=["y"])
    refused("next", "scaling_per_series: a series' own scale tells of the steps to come", scaling_per_series=True)


@pytest.mark.parametrize(
    ("name", "text", "options", "told"),
    [
        ("a.csv", "y,x\n1,2\n", {"pitches": [30, 60]}, "data.pitches: does nothing for files of the form csv"),
        ("a.csv", "y,x\n1,2\n", {"format": "csv", "array": "rgb"}, "data.array: does nothing"),
        ("a.tsv", "y\tx\n1\t2\n", {"separator": ";"}, "data.separator: does nothing for files of the form tsv"),
        ("a.ts", "@targetLabel true\n@data\n1,2:3\n", {"time": "t"}, "data.time: does nothing .* ts"),
        ("a.ts", "@targetLabel true\n@data\n1,2:3\n", {"layout": "wide"}, "data.layout: does nothing"),
        ("a.json", "[[[60], [62]]]", {"scaling": "minmax"}, "data.scaling: does nothing for files of the form frames"),
    ],
)
def test_options_that_the_files_do_not_heed(tmp_path, name, text, options, told):
    (tmp_path / name).write_text(text)
    settings = {"loader": "time-series", "train": [tmp_path / name], "target": {"kind": "value", "columns": "y"}}
    with pytest.raises(UserError, match=told):
        TimeSeriesLoader(TimeSeriesSettings.model_validate(settings | options), "many-to-one").load()


def test_an_index_of_arrays_is_known_by_the_array_that_is_named(tmp_path):
    rows = ["file,y"]
    for number in range(12):
        np.savez(tmp_path / f"{number}.npz", rgb=np.full((2 + number % 3, 2), float(number)), flow=np.zeros((1, 2)))
        rows.append(f"{number}.npz,{number}")
    (tmp_path / "index.csv").write_text("\n".join(rows))
    settings = {"loader": "time-series", "array": "rgb", "target": {"kind": "value", "columns": "y"}}
    found = []
    for where in ({"train": [tmp_path / "index.csv"]}, {"train": [tmp_path], "index": tmp_path / "index.csv"}):
        loader = TimeSeriesLoader(TimeSeriesSettings.model_validate(settings | where), "many-to-one")
        parts = loader.load()
        assert [len(parts[part]) for part in ("train", "valid", "test")] == [10, 1, 1]
        found.append(
            sorted(
                (round(value), length)
                for data in parts.values()
                for batch in [data.batch(np.arange(len(data)))]
                for value, length in zip(
                    (batch.targets * batch.scale + batch.center)[:, 0].tolist(),
                    batch.sequences.lengths.tolist(),
                    strict=True,
                )
            )
        )
    assert found[0] == found[1] == [(number, 2 + number % 3) for number in range(12)]
