"""Numbers that are written of an image: from the columns of a table and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from caption_files import listing, loader, pixels, shown, tokens, write_images
from pydantic import ValidationError

from rnncli.errors import ConfigError, DataError

HOURS = ["early", "noon", "late"]
NUMBERS = {"target": {"kind": "values", "columns": HOURS}}


def table(path: Path, count: int = 9) -> pd.DataFrame:
    """Of each image a row, the last image first; the columns are not in the order in which they are written."""
    numbers = np.random.default_rng(5).normal(4, 3, (count, 3)).round(3)
    frame = pd.DataFrame(numbers, columns=["late", "early", "noon"])
    frame = frame.assign(image=[f"a{k}.png" for k in range(count)], note="n")[::-1]
    frame.to_csv(path, index=False)
    return frame.set_index("image")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    return write_images(tmp_path / "album", 9)


def own(data, row: int) -> np.ndarray:
    """The numbers of an example as they stood in the table."""
    batch = data.batch(np.array([row]))
    return (batch.targets * batch.scale + batch.center).squeeze(2)[0].numpy()


@pytest.mark.parametrize("listed", [False, True])
def test_each_image_has_its_numbers_in_the_order_of_the_settings(album, tmp_path, listed):
    frame = table(tmp_path / "numbers.csv")
    lists = {
        name: listing(tmp_path / f"{name}.txt", *k) for name, k in {"train": (5, 0, 3, 8), "valid": (7, 2)}.items()
    }
    if listed:
        parts = {"valid": lists["valid"], "split": {"test": 0}, "captions": tmp_path / "numbers.csv"}
        made = loader(album, lists["train"], **parts, **NUMBERS)
    else:
        made = loader(album, tmp_path / "numbers.csv", split={"valid": 0.25, "test": 0}, **NUMBERS)
    data = made.load()
    target = made.target
    assert (target.kind, target.names, target.horizon, target.from_one) == ("forecast", ("value",), 3, True)
    assert {name: len(part) for name, part in data.items()} == (
        {"train": 4, "valid": 2} if listed else {"train": 7, "valid": 2}
    )
    for part in data.values():
        for row in range(len(part)):
            [k] = [k for k in range(9) if np.array_equal(shown(part, row), pixels(k))]
            np.testing.assert_allclose(own(part, row), frame.loc[f"a{k}.png", HOURS].to_numpy(float), atol=1e-5)
    train = np.concatenate([own(data["train"], row) for row in range(len(data["train"]))])
    batch = data["valid"].batch(np.array([0]))
    assert float(batch.center) == pytest.approx(train.mean(), rel=1e-5)
    assert float(batch.scale) == pytest.approx(train.std(), rel=1e-5)


def test_what_is_kept_of_a_run_reads_new_files_and_writes_the_columns(album, tmp_path):
    table(tmp_path / "numbers.csv")
    made = loader(album, tmp_path / "numbers.csv", split={"valid": 0, "test": 0}, **NUMBERS)
    data = made.load()["train"]
    again = loader(album, tmp_path / "numbers.csv", split={"valid": 0, "test": 0}, **NUMBERS)
    again.restore(json.loads(json.dumps(made.state())))
    assert again.target == made.target
    read = again.labelled(tmp_path / "numbers.csv")
    assert [own(read, row).tolist() for row in range(9)] == [own(data, row).tolist() for row in range(9)]
    [chunk] = again.chunks(album, on_bad_row=lambda error: pytest.fail(str(error)))
    assert len(chunk.dataset) == 9 and chunk.dataset.batch(np.arange(9)).targets is None
    steps = [{"value": 10.0 * k + hour} for k in range(9) for hour in range(3)]
    rows = list(again.written(chunk, steps))
    assert [[row[hour] for hour in HOURS] for row in rows] == [[10.0 * k, 10.0 * k + 1, 10.0 * k + 2] for k in range(9)]
    assert [row["image"] for row in rows] == [f"a{k}.png" for k in range(9)]


def test_rows_that_cannot_be_used_are_told(album, tmp_path):
    path = tmp_path / "numbers.csv"
    path.write_text("image,early,noon,late\na0.png,1,2,3\na1.png,1,x,3\na0.png,4,5,6\na9.png,1,2,3\na2.png,1,2,inf\n")
    for lines, told in {
        (0, 1, 2): "column 'noon' holds 'x' where a finite number is needed",
        (0, 1, 3): "image a0.png has numbers already, in line 2",
        (0, 1, 5): "column 'late' holds 'inf' where a finite number is needed",
        (0, 1, 4): "there is no image 'a9.png'",
    }.items():
        text = path.read_text().splitlines()
        (tmp_path / "bad.csv").write_text("\n".join(text[line] for line in lines) + "\n")
        with pytest.raises(DataError, match=r"bad\.csv:3: ") as caught:
            loader(album, tmp_path / "bad.csv", **NUMBERS).load()
        assert told in str(caught.value)
    made = loader(album, path, skip_bad_rows=True, split={"valid": 0, "test": 0}, **NUMBERS)
    assert len(made.load()["train"]) == 1
    assert any(note.startswith("rows left out: 4") for note in made.notes)
    with pytest.raises(DataError, match="noons"):
        loader(album, path, target={"kind": "values", "columns": ["early", "noons"]}).load()


def test_captions_of_flickrs_form_hold_no_numbers(album, tmp_path):
    with pytest.raises(ConfigError, match="values are columns of a table, and "):
        loader(album, tokens(tmp_path / "tokens.txt", 9), **NUMBERS).load()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"kind": "values"}, "columns: is missing; kind: values writes the numbers of these columns"),
        ({"kind": "values", "columns": ["early"], "units": "character"}, "target.units: is for kind: text"),
        ({"kind": "values", "columns": ["early"], "max_length": 3}, "target.max_length: is for kind: text"),
        ({"columns": ["early"]}, "target.columns: is for kind: values"),
        ({"kind": "values", "columns": ["early", "image"]}, "target.columns: one is data.image"),
    ],
)
def test_options_that_would_do_nothing_are_refused(album, tmp_path, target, told):
    table(tmp_path / "numbers.csv")
    with pytest.raises((ValidationError, ConfigError), match=told):
        loader(album, tmp_path / "numbers.csv", target=target)
