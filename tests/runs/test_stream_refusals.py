"""What can't be answered at once is refused with the reason; bad rows; states that are not of this run."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import pytest

from rnncli.errors import DataError, RunError, UserError
from rnncli.inputs.catalogue import LOADER_SETTINGS
from rnncli.inputs.loader import Loader
from rnncli.inputs.loaders import loader_named
from rnncli.runs.load import LoadedRun, refuse
from rnncli.runs.streaming import answers

from .small import contents, texts_config, write_texts
from .streams import assert_alike, in_halves, loaded, series_config, table, told
from .test_streaming import tagging_config, write

CLASS, FORECAST = {"kind": "class", "columns": "level"}, {"kind": "forecast", "columns": "load"}
WINDOWS: dict[str, Any] = {"context": 6, "horizon": 3, "valid": None, "test": None}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"target": CLASS, "bidirectional": True}, r"reads in both directions \(model.bidirectional\), and the backward"),
    ({"target": FORECAST, "bidirectional": True, **WINDOWS}, "model.bidirectional"),
    ({"target": CLASS, "missing": "interpolate"}, "draws a line to the next value, which is not there yet"),
    ({"target": CLASS, "scaling_per_series": True}, "the scale of a series from all its rows"),
    ({"target": CLASS, "head": {"type": "crf"}}, "the head crf chooses the tags of a sentence together"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `run`, of a class for each step of `table`."""
    folder = tmp_path_factory.mktemp("stream")
    loaded(series_config(write(folder, table(80)), CLASS), folder)
    return folder


@pytest.mark.parametrize(("options", "reason"), REFUSED, ids=[reason[:24] for _, reason in REFUSED])
def test_series_that_wait(options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    lines = table(240)
    run = loaded(series_config(write(tmp_path, lines), **options), tmp_path)
    with pytest.raises(UserError, match=f"--stream: .*{reason}.*; predict without it"):
        answers(run, Untouched(), refuse)


class Untouched(io.BytesIO):
    """Fails where it is read."""

    def readline(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("what is refused must not wait for a row")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"bidirectional": True}, "model.bidirectional"),
        ({"head": {"type": "crf"}}, "the head crf"),
        ({"scheme": "IOB1"}, "tags of BIO .* are written as IOB1 .* sentence by sentence"),
    ],
)
def test_tags_that_wait(more: dict[str, Any], reason: str, tmp_path: Path) -> None:
    plain = tagging_config(tmp_path, **({"scheme": more.pop("scheme")} if "scheme" in more else {}))
    plain["model"] |= more
    with pytest.raises(UserError, match=f"--stream: .*{reason}.*; predict without it"):
        answers(loaded(plain, tmp_path), Untouched(), refuse)


@pytest.mark.parametrize("name", LOADER_SETTINGS)
def test_a_loader_streams_or_says_that_it_does_not(name: str) -> None:
    class Named:
        loader = name

    kind = loader_named(name)
    if kind.stream is Loader.stream:
        one = kind.__new__(kind)
        one.settings = Named()
        with pytest.raises(UserError, match=f"--stream: the loader {name} does not read its inputs row by row"):
            one.stream(io.BytesIO(), {}, refuse)
    else:
        assert name in ("text", "tagging", "time-series")


def test_bad_rows_are_told_and_left_out(home: Path, tmp_path: Path) -> None:
    run, lines = LoadedRun(home / "run"), table(20)
    late = lines[1].replace("low", "late").replace("high", "late")
    spoilt = [*lines[:6], "x,y\n", late, "2025-13-01 00:00,east,1,1,grey,,,,\n", *lines[6:9]]
    spoilt += [f"2025-01-01 00:00,east,{value},1,grey,,,,\n" for value in ("", "much")] + lines[9:]
    bad: list[DataError] = []
    assert_alike(told(run, spoilt, None, bad), told(run, lines))
    places, said = [error.line for error in bad], "\n".join(map(str, bad))
    assert places == [7, 8, 9, 13, 14]
    for part in ("2 fields", "a stream must come in the order of time", "not understood as a time",
                 "data.missing must say what to do", "'much' where a finite number is needed"):  # fmt: skip
        assert part in said
    with pytest.raises(DataError, match="standard input:7: has 2 fields"):
        told(run, spoilt)


def test_what_was_read_before_a_bad_row_is_kept(home: Path, tmp_path: Path) -> None:
    run, lines, state = LoadedRun(home / "run"), table(20), tmp_path / "state"
    with pytest.raises(DataError, match="2 fields"):
        told(run, [*lines[:9], "x,y\n", *lines[9:]], state)
    assert_alike(told(run, lines[:1] + lines[9:], state), told(run, lines)[8:])


def test_a_first_time_that_is_none_does_not_spoil_those_that_follow(home: Path, tmp_path: Path) -> None:
    lines = table(20)
    numbered = [lines[0], *(f"{number},{line.split(',', 1)[1]}" for number, line in enumerate(lines[1:]))]
    plain = series_config(write(tmp_path, numbered), CLASS)
    run = loaded(plain, tmp_path)
    bad: list[DataError] = []
    assert len(told(run, [lines[0], "soon,east,1,1,grey,,,,\n", *numbered[1:]], None, bad)) == 20
    assert [error.line for error in bad] == [2]


def test_rows_that_do_not_follow_the_state_are_left_out(home: Path, tmp_path: Path) -> None:
    lines, state, bad = table(40), tmp_path / "state", []
    run = LoadedRun(home / "run")
    assert_alike(in_halves(run, lines, 1, 20, state), told(run, lines))
    told(run, lines, state, bad)
    assert len(bad) == 40 and "does not come after it" in str(bad[0])
    told(run, [line.replace(":00,", ":00Z,") for line in lines], state, bad)
    assert "can't be compared with it" in str(bad[-1])


def test_the_state_is_of_one_run_alone(home: Path, tmp_path: Path) -> None:
    lines, state = table(80), tmp_path / "state"
    told(LoadedRun(home / "run"), lines[:30], state)
    other = loaded(series_config(write(tmp_path, lines), CLASS, layers=2), tmp_path)
    before = contents(tmp_path)
    with pytest.raises(RunError, match=r"is the state of another run than .*run, or of other weights"):
        told(other, lines, state)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("content", [b"", pickle.dumps({"state": 1}), b"half"])
def test_a_damaged_state_is_refused(content: bytes, home: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    told(LoadedRun(home / "run"), table(20), state)
    state.write_bytes(content if content != b"half" else state.read_bytes()[:-5])
    with pytest.raises(RunError, match=r"damaged, or no safetensors file .* pickles are never loaded"):
        told(LoadedRun(home / "run"), table(20), state)


def test_other_tensors_are_no_state(home: Path) -> None:
    with pytest.raises(RunError, match="is no state of a stream"):
        told(LoadedRun(home / "run"), table(20), home / "run/weights.safetensors")


def test_a_state_where_nothing_is_carried_or_no_folder_is(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        told(LoadedRun(home / "run"), table(20), tmp_path / "absent/state")
    run = loaded(texts_config(write_texts(tmp_path / "texts.csv", 30)), tmp_path)
    with pytest.raises(UserError, match="each row is answered by itself, so there is nothing to carry"):
        told(run, ["text\n", "a film\n"], tmp_path / "state")
