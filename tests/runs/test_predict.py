"""Predictions of a run: in order, beside their input, the same as its evaluation."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rnncli
from rnncli.errors import ConfigError, DataError
from rnncli.runs.evaluate import evaluate_run
from rnncli.runs.load import LoadedRun, refuse

from .small import (
    config_of,
    series_config,
    story_config,
    texts_config,
    trained,
    write_series,
    write_story,
    write_texts,
)


def test_rows_come_in_the_order_of_the_input(folder: Path) -> None:
    table = pd.read_csv(folder / "texts.csv")
    found = rnncli.load(folder / "run").predict(folder / "texts.csv", probabilities=True)
    assert list(found.columns) == [*table.columns, "prediction", "probability_bad", "probability_good"]
    pd.testing.assert_frame_equal(found[list(table.columns)].astype(str), table.astype(str))
    np.testing.assert_allclose(found["probability_bad"] + found["probability_good"], 1, atol=1e-6)
    chosen = np.where(found["probability_good"] > found["probability_bad"], "good", "bad")
    assert (found["prediction"] == chosen).all()
    assert table["text"].str.split().str.len().nunique() > 3, "batches are by length, the input is not"


def test_frames_texts_and_files_predict_the_same(folder: Path) -> None:
    run = rnncli.load(folder / "run")
    table = pd.read_csv(folder / "texts.csv")
    of_file = run.predict(str(folder / "texts.csv"), probabilities=True)
    of_frame = run.predict(table[["text"]], probabilities=True)
    of_texts = run.predict(table["text"].tolist(), probabilities=True)
    of_stream = pd.DataFrame(list(run.rows(io.BytesIO((folder / "texts.csv").read_bytes()), refuse, True)))
    columns = ["prediction", "probability_bad", "probability_good"]
    for other in (of_frame, of_texts, of_stream):
        pd.testing.assert_frame_equal(other[columns], of_file[columns])
    one_by_one = [run.predict([text])["prediction"][0] for text in table["text"][:9]]
    assert one_by_one == of_file["prediction"][:9].tolist()


def test_accuracy_of_the_predictions_is_that_of_the_evaluation(folder: Path) -> None:
    run = LoadedRun(folder / "run")
    found = run.predict(folder / "texts.csv")
    evaluated = evaluate_run(run, folder / "texts.csv", "test")
    assert evaluated.values["accuracy"] == pytest.approx((found["prediction"] == found["label"]).mean())
    assert (evaluated.size, evaluated.unit) == (80, "rows")
    confusion = pd.crosstab(found["label"], found["prediction"]).reindex(index=evaluated.names, columns=evaluated.names)
    assert evaluated.confusion == confusion.fillna(0).astype(int).values.tolist()


@pytest.mark.parametrize("part", ["valid", "test"])
def test_evaluation_of_a_part_is_that_of_the_summary(part: str, folder: Path) -> None:
    run = LoadedRun(folder / "run")
    assert evaluate_run(run, None, part).values == run.directory.read_summary()[part]


def test_rows_that_can_not_be_read_are_told_and_left_out(folder: Path) -> None:
    (folder / "new.csv").write_text("text,label\na lovely film,good\nragged,good,more,cells\n,bad\ndull film,bad\n")
    run, bad = rnncli.load(folder / "run"), []
    rows = list(run.rows(folder / "new.csv", bad.append, False))
    assert [row["text"] for row in rows] == ["a lovely film", "dull film"]
    assert [str(error).rsplit("/", 1)[1].split(": ")[0] for error in bad] == ["new.csv:3", "new.csv:4"]
    with pytest.raises(DataError, match=r"new\.csv:3"):
        run.predict(folder / "new.csv")


def test_a_chosen_threshold_decides(tmp_path: Path) -> None:
    plain = texts_config(write_texts(tmp_path / "texts.csv"), choose_threshold=True, epochs=1)
    summary = trained(config_of(plain, tmp_path), tmp_path / "run")
    threshold = summary["threshold"]
    assert 0 < threshold < 1
    run = rnncli.load(tmp_path / "run")
    found = run.predict(tmp_path / "texts.csv", probabilities=True)
    assert ((found["prediction"] == "good") == (found["probability_good"] >= threshold)).all()
    assert evaluate_run(run, None, "test").values == summary["test"]
    assert not ((found["prediction"] == "good") == (found["probability_good"] >= 0.5)).all()


def test_a_threshold_needs_two_classes(tmp_path: Path) -> None:
    plain = texts_config(write_texts(tmp_path / "texts.csv"), choose_threshold=True)
    plain["data"]["target"] = {"kind": "value", "column": "grade"}
    with pytest.raises(ConfigError, match="choose_threshold: there is a threshold only between two classes"):
        trained(config_of(plain, tmp_path), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_labels_are_joined_as_they_are_parted(tmp_path: Path) -> None:
    file = write_texts(tmp_path / "texts.csv")
    file.write_text(file.read_text().replace("film town", "film|small town"))
    plain = texts_config(file, epochs=1)
    plain["data"]["target"] = {"kind": "labels", "column": "about", "separator": "|"}
    trained(config_of(plain, tmp_path), tmp_path / "run")
    found = rnncli.load(tmp_path / "run").predict(file)
    assert set("|".join(found["prediction"]).split("|")) <= {"film", "small town", "town", ""}


def test_a_language_model_scores_texts(tmp_path: Path) -> None:
    story = write_story(tmp_path / "story.txt")
    trained(config_of(story_config(story), tmp_path), tmp_path / "run")
    run = rnncli.load(tmp_path / "run")
    found = run.predict(story)
    assert len(found) == 60 and (found["perplexity"] > 1).all()
    np.testing.assert_allclose(np.exp(found["nll"] / found["tokens"]), found["perplexity"])
    assert evaluate_run(run, None, "test").unit == "tokens"


def test_a_forecast_goes_on_in_time(tmp_path: Path) -> None:
    file = write_series(tmp_path / "series.csv")
    summary = trained(config_of(series_config(file), tmp_path), tmp_path / "run")
    run = rnncli.load(tmp_path / "run")
    found = run.predict(file)
    assert found["time"].astype(str).tolist() == ["2024-01-06 00:00", "2024-01-06 01:00", "2024-01-06 02:00"]
    assert found["load"].between(0, 50).all()
    assert evaluate_run(run, None, "test").values == summary["test"]


PREDICT = """
import sys
from pathlib import Path
from rnncli.runs.load import LoadedRun
run = LoadedRun(Path(sys.argv[1]))
count = sum(1 for _ in run.rows(Path(sys.argv[2]), print, True))
status = Path("/proc/self/status").read_text()  # getrusage would also count what the parent had
print(count, status.split("VmHWM:")[1].split()[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_does_not_grow_with_the_input(folder: Path) -> None:
    lines = (folder / "texts.csv").read_text().splitlines()
    found = {}
    for megabytes in (3, 30):
        file = folder / f"{megabytes}.csv"
        repeats = megabytes * 10**6 // sum(len(line) + 1 for line in lines[1:])
        file.write_text("\n".join([lines[0], *lines[1:] * repeats]) + "\n")
        said = subprocess.run(
            [sys.executable, "-c", PREDICT, str(folder / "run"), str(file)], capture_output=True, text=True, check=True
        )
        count, kilobytes = map(int, said.stdout.split())
        assert count == repeats * 80
        found[megabytes] = kilobytes / 1024
    assert found[30] - found[3] < 20
