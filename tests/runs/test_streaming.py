"""Streams of rows: each answered at once, as in the batch; the state kept between two processes."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnncli.inputs.stream import Stream
from rnncli.runs.load import LoadedRun, refuse
from rnncli.runs.streaming import answers
from rnncli.tasks.evaluation import outcomes

from .small import story_config, texts_config, write_story, write_texts
from .streams import assert_alike, batch, in_halves, loaded, series_config, table, told

EACH_STEP: dict[str, dict[str, Any]] = {
    "class": {"target": {"kind": "class", "columns": "level"}},
    "labels": {"target": {"kind": "labels", "columns": "marks"}, "missing": "mask"},
    "value": {"target": {"kind": "value", "columns": "rise"}, "missing": "forward"},
    "values": {"target": {"kind": "value", "columns": ["rise", "load"]}, "missing": "drop", "covariates": ["wind"]},
    "next": {"target": {"kind": "next", "columns": "load"}, "missing": "drop"},
    "next by change": {"target": {"kind": "next", "columns": "load"}, "skip": "last", "layers": 2},
    "one-to-one": {"target": {"kind": "class", "columns": "level"}, "task": "one-to-one"},
    "one-to-one forward": {"target": {"kind": "value", "columns": "rise"}, "task": "one-to-one", "missing": "forward"},
}


def write(folder: Path, lines: list[str], name: str = "table.csv") -> Path:
    (folder / name).write_text("".join(lines))
    return folder / name


def by_place_and_time(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["place"], row["hour"]))


@pytest.mark.parametrize("case", EACH_STEP)
def test_each_step_of_mixed_series(case: str, tmp_path: Path) -> None:
    options = EACH_STEP[case]
    lines = table(gaps=0.2 if "missing" in options else 0.0)
    # Where the table itself is mixed, the target must be there for training.
    run = loaded(series_config(write(tmp_path, lines), **options), tmp_path)
    found = told(run, lines)
    assert_alike(by_place_and_time(found), by_place_and_time(batch(run, lines)))
    asked = [line.split(",")[0] for line in lines[1:]]
    times = [row["hour"] for row in found]
    assert times == asked if len(times) == len(asked) else 10 < len(times) < len(asked)
    if run.loader.carries:
        assert_alike(in_halves(run, lines, 1, 41, tmp_path / "state"), found)


@pytest.mark.parametrize(
    ("kind", "column", "missing"), [("class", "kind", None), ("value", "steady", "mask"), ("labels", "kind", "forward")]
)
@pytest.mark.parametrize("pooling", ["last", ["attention", "mean", "max"]])
def test_a_whole_series_so_far(kind: str, column: str, missing: str | None, pooling: Any, tmp_path: Path) -> None:
    steady = {"east": "1.5", "north": "-2", "west": "0.25"}
    lines = table(70, gaps=0.2 if missing else 0.0)
    lines = ["steady," + lines[0], *(f"{steady[line.split(',')[1]]},{line}" for line in lines[1:])]
    target = {"kind": kind, "columns": column}
    plain = series_config(write(tmp_path, lines), target, "many-to-one", pooling=pooling, missing=missing)
    run = loaded(plain, tmp_path)
    found = told(run, lines)
    assert_alike(in_halves(run, lines, 1, 30, tmp_path / "state"), found)
    done = 0
    for stop in range(2, len(lines) + 1):
        name, hour = lines[stop - 1].split(",")[2], lines[stop - 1].split(",")[1]
        if done == len(found) or found[done]["hour"] != hour or found[done]["place"] != name:
            assert missing == "forward"  # not yet a value in each column
            continue
        if done % 4 == 0:
            of_all = next(row for row in batch(run, lines[:1] + of_place(lines[1:stop], name)) if row["place"] == name)
            assert_alike([{key: found[done][key] for key in of_all}], [of_all])
        done += 1
    assert done == len(found) > 60


def of_place(lines: list[str], name: str) -> list[str]:
    return [line for line in lines if line.split(",")[2] == name]


FORECASTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "mask": {"missing": "mask"},
    "drop": {"missing": "drop"},
    "forward": {"missing": "forward", "window_normalization": "revin"},
    "interpolate": {"missing": "interpolate", "skip": "linear"},
    "own scale": {"scaling_per_series": True},
    "own scale, series not seen": {"scaling_per_series": True, "missing": "forward"},
    "without time": {"time": None, "patch": 2},
}


@pytest.mark.parametrize("case", FORECASTS)
def test_the_horizon_after_each_row(case: str, tmp_path: Path) -> None:
    options, target = FORECASTS[case], {"kind": "forecast", "columns": "load"}
    gaps = 0.1 if options.get("missing") else 0.0
    plain = series_config(write(tmp_path, table(240, gaps)), target, context=6, horizon=3, **options)
    plain["data"] |= {"valid": None, "test": None, "split": {"valid": 0.2, "test": 0.2}}
    run = loaded(plain, tmp_path)
    lines = table(60, gaps, seed=8)
    if "not seen" in case:
        lines = [line.replace(",east,", ",south,") for line in lines]
    rows = iter(told(run, lines))
    seen: dict[str, list[str]] = defaultdict(list)
    answered = 0
    for line in lines[1:]:
        name = line.split(",")[1]
        seen[name].append(line)
        if len(seen[name]) < 6:
            continue
        bad: list[Any] = []
        source = io.BytesIO("".join([lines[0], *seen[name]]).encode())
        if expected := [dict(row) for row in run.rows(source, bad.append, False)]:
            assert_alike([next(rows) for _ in range(3)], expected)
            answered += 1
    assert next(rows, None) is None and answered > 20
    assert_alike(in_halves(run, lines, 1, 50, tmp_path / "state"), told(run, lines))
    assert any("no answer: a forecast reads context 6 rows" in note for note in run.loader.notes)


@pytest.mark.parametrize("units", ["word", "character"])
def test_lines_of_a_language_model_go_on_as_in_a_stream(units: str, tmp_path: Path) -> None:
    story = write_story(tmp_path / "story.txt", 40)
    plain = story_config(story)
    plain["data"] |= {"units": units}
    run = loaded(plain, tmp_path)
    lines = [*story.read_text().splitlines(keepends=True)[:20], "\n", "an unheard-of word\n"]
    found = told(run, lines)
    assert_alike(in_halves(run, lines, 0, 9, tmp_path / "state"), found)
    (tmp_path / "again.txt").write_text("".join(lines))
    whole = run.loader.labelled(tmp_path / "again.txt")
    assert isinstance(whole, Stream)
    nll = [one for _, outcome in outcomes(run.model, whole, 1, run.device) for one in outcome.nll]
    assert len(nll) == sum(row["tokens"] for row in found)
    stop = 0
    for row in found:
        start, stop = stop, stop + row["tokens"]
        np.testing.assert_allclose(row["nll"], sum(nll[start:stop]), rtol=1e-5)
        np.testing.assert_allclose(row["perplexity"], np.exp(row["nll"] / row["tokens"]), rtol=1e-5)
    alone = batch(run, lines)
    assert abs(alone[7]["nll"] - found[7]["nll"]) > 1e-4, "the lines before must make a difference"


TAGGED = """\
EU NNP B-ORG
rejects VBZ O
German JJ B-MISC

# a comment
Peter NNP B-PER
Blackburn NNP I-PER


the DT O
lamb NN O
"""


def tagging_config(folder: Path, task: str = "many-to-many", **data: Any) -> dict[str, Any]:
    file = write(folder, [TAGGED], "tags.conll")
    return {
        "task": task,
        "data": {
            "loader": "tagging", "train": str(file), "valid": str(file), "test": str(file), "scheme": "BIO",
            "comment": "#", "characters": True, "capitals": True, **data,
        },
        "model": {"cell": {"type": "lstm", "hidden_size": 6}, "layers": 2, "embedding_size": 5},
        "training": {"epochs": 3, "batch_size": 2, "learning_rate": 0.05, "threads": 1},
    }  # fmt: skip


@pytest.mark.parametrize("task", ["many-to-many", "one-to-one"])
def test_words_are_tagged_one_by_one(task: str, tmp_path: Path) -> None:
    run = loaded(tagging_config(tmp_path, task, scheme="BIO" if task == "many-to-many" else "none"), tmp_path)
    lines = TAGGED.splitlines(keepends=True)
    found = told(run, lines)
    assert [row["sentence"] for row in found] == [1, 1, 1, 2, 2, 3, 3]
    assert_alike(found, batch(run, lines))
    if task == "many-to-many":
        for cut in range(1, len(lines)):
            assert_alike(in_halves(run, lines, 0, cut, tmp_path / f"state{cut}"), found)


def test_texts_are_answered_each_by_itself(tmp_path: Path) -> None:
    file = write_texts(tmp_path / "texts.csv", 30)
    run = loaded(texts_config(file), tmp_path)
    lines = file.read_text().splitlines(keepends=True)
    assert_alike(told(run, lines), batch(run, lines))


def test_wide_rows_are_answered_each_by_itself(tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    rows = [[f"s{k}", "up" if k % 3 else "down", *draw.normal(size=draw.integers(3, 9)).round(3)] for k in range(24)]
    width = max(map(len, rows))
    lines = [
        ",".join(map(str, row + [""] * (width - len(row)))) + "\n"
        for row in [["name", "way", *range(1, width - 1)], *rows]
    ]
    target = {"kind": "class", "columns": "way"}
    wide = {"layout": "wide", "series": "name", "time": None, "covariates": [], "categories": []}
    run = loaded(series_config(write(tmp_path, lines), target, "many-to-one", **wide), tmp_path)
    assert_alike(told(run, lines), batch(run, lines))


def test_no_answer_waits_for_more_than_its_row(tmp_path: Path) -> None:
    lines = table(30)
    plain = series_config(write(tmp_path, lines), {"kind": "class", "columns": "level"})
    run = loaded(plain, tmp_path)

    class Lines(io.BytesIO):
        """Counts the lines that were asked for."""

        asked = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.asked += 1
            return super().readline(size)

        def __iter__(self) -> Iterator[bytes]:  # type: ignore[override]
            return iter(self.readline, b"")

    source = Lines("".join(lines).encode())
    for count, _ in enumerate(answers(run, source, refuse), 2):
        assert source.asked == count


def test_the_threshold_decides_in_a_stream_too(tmp_path: Path) -> None:
    lines = table(60)
    plain = series_config(write(tmp_path, lines), {"kind": "class", "columns": "kind"}, "many-to-one")
    run = loaded(plain, tmp_path)
    run.threshold = told(run, lines)[30]["probability_inland"] + 1e-4
    chosen = {(row["prediction"] == "inland", row["probability_inland"] >= run.threshold) for row in told(run, lines)}
    assert chosen == {(True, True), (False, False)}


def test_a_run_is_as_it_was_after_a_stream(tmp_path: Path) -> None:
    lines = table(40)
    run = loaded(series_config(write(tmp_path, lines), {"kind": "class", "columns": "level"}), tmp_path)
    first, again = told(run, lines), told(LoadedRun(tmp_path / "run"), lines)
    assert first == told(run, lines) == again
