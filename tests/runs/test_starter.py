"""`rnncli init` on small files of every form, and on all real ones that hold a task."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnncli.config import read
from rnncli.errors import DataError, UserError
from rnncli.runs.check import check_run
from rnncli.runs.config import RunConfig
from rnncli.runs.starter import config_name, write_starter
from rnncli.runs.starting.tagged import scheme_of
from rnncli.runs.train import train

WORDS = [
    "a",
    "film",
    "of",
    "much",
    "charm",
    "and",
    "little",
    "sense",
    "that",
    "runs",
    "on",
    "far",
    "too",
    "long",
    "its",
]


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[dict[str, Any], str]]:
    """Writes a file, starts a config from it, trains it for an epoch; its values and its text."""

    def make(
        name: str, content: str | bytes, task: str | None = None, loader: str | None = None
    ) -> tuple[dict[str, Any], str]:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        config = write_starter(path, tmp_path / "x.yaml", task, loader, force=True)
        trains(tmp_path / "x.yaml")
        return config.model_dump(), (tmp_path / "x.yaml").read_text()

    return make


def trains(path: Path, *overrides: str) -> None:
    config = read(path, RunConfig, ["training.epochs=1", *overrides])
    assert np.isfinite(check_run(config).loss)
    directory = path.with_suffix(".run")
    for _ in train(config, directory, force=True):
        pass
    summary = json.loads((directory / "summary.json").read_text())
    assert summary["valid"] and summary["test"]


def sentence(generator: np.random.Generator, longest: int = 12) -> str:
    return " ".join(generator.choice(WORDS, generator.integers(5, longest)))


def table(header: str | None, rows: Iterable[Iterable[Any]], separator: str = ",") -> str:
    lines = [separator.join(map(str, row)) for row in rows]
    return "\n".join([*([header] if header else []), *lines]) + "\n"


def texts(answer: Callable[[np.random.Generator, int], Any], count: int = 60) -> list[tuple[Any, ...]]:
    generator = np.random.default_rng(3)
    return [(row, sentence(generator), answer(generator, row)) for row in range(count)]


def hourly(count: int = 300, start: str = "2021-03-01 00:00") -> list[tuple[str, float]]:
    first = datetime.fromisoformat(start)
    return [
        (str(first + timedelta(hours=step)), round(float(np.sin(step / 4)) + step / 50, 3)) for step in range(count)
    ]


def test_csv_with_classes(made: Any) -> None:
    rows = texts(lambda generator, row: ["good", "bad", "so so"][row % 3])
    config, text = made("reviews.csv", table("id,review,verdict", rows))
    assert (config["task"], config["data"]["loader"]) == ("many-to-one", "text")
    assert config["data"]["input"] == "review"
    assert config["data"]["target"] == {"kind": "class", "column": "verdict", "separator": " "}
    assert "all 60 rows of reviews.csv" in text
    assert "3 classes: good (33%)" in text
    assert "train: reviews.csv\n" in text


def test_a_named_target_is_preferred(made: Any) -> None:
    rows = texts(lambda generator, row: f"{'xyz'[row % 3]},{row % 2}")
    config, _ = made("reviews.csv", table("id,review,author,label", rows))
    assert config["data"]["target"]["column"] == "label"


def test_csv_with_values(made: Any) -> None:
    rows = texts(lambda generator, row: round(generator.normal(), 3))
    config, text = made("reviews.csv", table("id,review,worth", rows))
    assert (config["data"]["target"]["kind"], config["data"]["target"]["column"]) == ("value", "worth")
    assert "numbers from -" in text


@pytest.mark.parametrize(("separator", "written"), [("|", "|"), (" ", " ")])
def test_csv_with_labels(made: Any, separator: str, written: str) -> None:
    rows = texts(lambda generator, row: separator.join(generator.permutation(["fun", "war", "love"])[: 1 + row % 3]))
    config, _ = made("reviews.csv", table("id,review,tags", rows))
    assert config["data"]["target"] == {"kind": "labels", "column": "tags", "separator": written}


def test_jsonl_with_lists_of_labels(made: Any) -> None:
    rows = texts(lambda generator, row: generator.permutation(["fun", "war", "love"])[: 1 + row % 3].tolist())
    content = "".join(json.dumps({"body": text, "labels": labels}) + "\n" for _, text, labels in rows)
    config, _ = made("reviews.jsonl", content)
    assert config["data"]["input"] == "body"
    assert config["data"]["target"]["kind"] == "labels"


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_table_without_header(made: Any, order: tuple[int, int]) -> None:
    rows = texts(lambda generator, row: int(row % 7 < 3))
    config, text = made("reviews.tsv", table(None, [[row[column] for column in order] for row in rows], "\t"))
    expected = ["text", "label"] if order == (1, 2) else ["label", "text"]
    assert config["data"]["columns"] == expected
    assert (config["data"]["input"], config["data"]["target"]["column"]) == ("text", "label")
    assert "no header" in text


def test_header_is_seen_over_text_classes(made: Any) -> None:
    rows = [(sentence(np.random.default_rng(row)), "xy"[row % 2]) for row in range(40)]
    config, _ = made("reviews.tsv", table("what was said\tmark", rows, "\t"))
    assert config["data"]["columns"] is None
    assert config["data"]["input"] == "what was said"


def test_short_texts_are_read_by_character(made: Any) -> None:
    generator = np.random.default_rng(0)
    names = ["".join(generator.choice(list("aeiklmnorst"), 7)) for _ in range(80)]
    config, _ = made("names.csv", table("name,language", [(name, "pq"[len(set(name)) % 2]) for name in names]))
    assert (config["data"]["input"], config["data"]["units"]) == ("name", "character")


def test_single_words_serve_one_to_one(made: Any) -> None:
    rows = [(WORDS[row % 15], "xyz"[row % 15 % 3]) for row in range(150)]
    config, _ = made("words.csv", table("word,label", rows), "one-to-one", "text")
    assert config["task"] == "one-to-one"


def test_lines_are_a_language_model(made: Any) -> None:
    generator = np.random.default_rng(1)
    spaced = "\n".join(f"{sentence(generator)} , {sentence(generator)} ." for _ in range(80))
    config, _ = made("corpus.txt", spaced)
    assert (config["task"], config["data"]["target"]["kind"]) == ("many-to-many", "next")
    assert config["data"]["units"] == "word"
    config, text = made("corpus.txt", spaced.replace(" ,", ",").replace(" .", "."))
    assert config["data"]["units"] == "character"
    assert "of the words end in a comma" in text


def test_folder_of_files_that_are_classes(tmp_path: Path) -> None:
    folder = tmp_path / "names"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for language, letters in (("north", "aeikk"), ("south", "mnoru"), ("east", "stvwi")):
        lines = ["".join(generator.choice(list(letters), 6)) for _ in range(30)]
        (folder / f"{language}.txt").write_text("\n".join(dict.fromkeys(lines)))
    config = write_starter(folder, tmp_path / "x.yaml")
    assert config.data.model_dump()["format"] == "files"
    assert "3 classes: east, north, south" in (tmp_path / "x.yaml").read_text()
    trains(tmp_path / "x.yaml")


def test_texts_in_other_encodings(made: Any) -> None:
    rows = texts(lambda generator, row: "ja" if row % 2 else "nein")
    content = table("id,review,label", rows).replace("charm", "Schönheit")
    config, _ = made("reviews.csv", content.encode("cp1252"))
    assert config["data"]["encoding"] == "cp1252"
    config, _ = made("reviews.csv.gz", gzip.compress(content.encode("utf-16")))
    assert config["data"]["encoding"] == "utf-16"


def test_rows_that_cannot_be_read(made: Any) -> None:
    rows = texts(lambda generator, row: row % 2)
    lines = table("id,review,label", rows).splitlines()
    lines[30] += ",one too many"
    config, text = made("reviews.csv", "\n".join(lines))
    assert config["data"]["skip_bad_rows"] is True
    assert "line 31" in text


def test_conll_with_spans(made: Any) -> None:
    config, text = made("news.conll", conll("BIO"))
    assert (config["task"], config["data"]["loader"]) == ("many-to-many", "tagging")
    assert config["data"]["scheme"] == "BIO"
    assert config["model"]["head"] == {"type": "crf", "constrain": True}
    assert "2 types: LOC, PER" in text


def conll(scheme: str) -> str:
    """Sentences of four columns with names of persons and places in them."""
    spans = {
        "BIO": ("B-PER I-PER", "B-LOC"),
        "IOB1": ("I-PER I-PER", "I-LOC"),
        "BIOES": ("B-PER E-PER", "S-LOC"),
    }[scheme]
    generator = np.random.default_rng(5)
    sentences = []
    for _ in range(60):
        tokens = [f"{word} X O" for word in generator.choice(WORDS, 5)]
        person = [f"{name} N {tag}" for name, tag in zip(("Ada", "Bell"), spans[0].split(), strict=True)]
        place = [f"Oslo N {spans[1]}"]
        sentences.append("\n".join([*person, *tokens, *place] if generator.random() < 0.5 else tokens))
    return "\n\n".join(sentences) + "\n"


@pytest.mark.parametrize("scheme", ["BIO", "IOB1", "BIOES"])
def test_scheme_is_that_of_the_tags(scheme: str) -> None:
    tags = [line.split()[-1] for line in conll(scheme).splitlines() if line]
    assert scheme_of(tags) == scheme


@pytest.mark.parametrize("tags", [["NN", "VB"], ["O", "B-x", "X-y"], ["O", "O"], ["B-x", "I-x"]])
def test_other_tags_have_no_scheme(tags: list[str]) -> None:
    assert scheme_of(tags) is None


def test_tagged_text_is_known_by_its_content(made: Any) -> None:
    rows = [f"{line.split()[0]}\t{line.split()[1]}" if line else "" for line in conll("BIO").splitlines()]
    config, _ = made("news.annotated", "# a comment of its own\n" + "\n".join(rows))
    assert config["data"]["loader"] == "tagging"
    assert (config["data"]["scheme"], config["data"]["comment"]) == ("none", "#")


def test_conllu(made: Any) -> None:
    def row(number: int, word: str) -> str:
        return "\t".join([str(number), word, word, "DET" if word in ("a", "its") else "X", *"______"])

    generator = np.random.default_rng(2)
    found = [[row(number, word) for number, word in enumerate(generator.choice(WORDS, 6), 1)] for _ in range(50)]
    config, _ = made("ud.conllu", "\n\n".join("\n".join(["# text", *rows]) for rows in found) + "\n\n")
    assert config["data"]["tag_column"] == "UPOS"


def test_hourly_series(made: Any) -> None:
    config, text = made("load.csv", table("when,load", hourly()))
    data = config["data"]
    assert (config["task"], data["loader"], data["time"]) == ("many-to-many", "time-series", "when")
    assert data["target"]["columns"] == ["load"] or data["target"]["columns"] == "load"
    assert (data["context"], data["horizon"], data["season"]) == (93, 24, None)
    assert "24 steps of 1 hour make a day" in text


@pytest.mark.parametrize(("task", "windows"), [("many-to-one", (93, 1)), ("one-to-one", (1, 1))])
def test_series_for_other_tasks(made: Any, task: str, windows: tuple[int, int]) -> None:
    config, _ = made("load.csv", table("when,load", hourly()), task)
    assert config["task"] == task
    assert (config["data"]["context"] <= 96, config["data"]["horizon"]) == (True, 1)
    assert (config["data"]["context"] == 1) == (windows[0] == 1)


def test_times_in_another_form(made: Any) -> None:
    days = [datetime(2019, 12, 25) + timedelta(days=day) for day in range(120)]
    rows = [(f"{day:%d/%m/%Y}", number % 9) for number, day in enumerate(days)]
    config, text = made("sales.csv", table("day,sold", rows))
    assert config["data"]["time_format"] == "%d/%m/%Y"
    assert config["data"]["horizon"] == 7
    assert "2019-12-25" in text


def test_panel_with_missing_values(made: Any) -> None:
    rows = [(name, time, value + size) for name, size in (("x", 0), ("y", 90)) for time, value in hourly(150)]
    rows[40] = (*rows[40][:2], "")
    config, text = made("panel.csv", table("unit,when,load", rows))
    assert config["data"]["series"] == "unit"
    assert config["data"]["missing"] == "interpolate"
    assert "1 values are missing" in text


def test_equal_times_without_series(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text(table("when,load", [*hourly(50), *hourly(50)]))
    with pytest.raises(UserError, match=r"50 times stand in several rows of column 'when' \(2021-03-01 00:00:00"):
        write_starter(path, tmp_path / "x.yaml")


def test_rows_in_the_order_of_the_file(made: Any) -> None:
    generator = np.random.default_rng(0)
    config, text = made("track.csv", table("east,north", generator.normal(size=(90, 2)).round(3).tolist()))
    assert config["data"]["time"] is None
    assert config["data"]["target"]["columns"] == ["east", "north"]
    assert "in the order of the file" in text


def test_wide_series_with_a_season(made: Any) -> None:
    generator = np.random.default_rng(0)
    rows = [(f"s{row}", *np.tile(generator.normal(size=12), 9).round(3)) for row in range(12)]
    header = ",".join(["name", *(f"V{step}" for step in range(108))])
    config, _ = made("wide.csv", table(header, rows))
    assert (config["data"]["layout"], config["data"]["season"], config["data"]["horizon"]) == ("wide", 12, 12)


def test_wide_series_with_classes(made: Any) -> None:
    generator = np.random.default_rng(0)
    rows = [(f"s{row}", *generator.normal(row % 2, size=20).round(3), "ab"[row % 2]) for row in range(60)]
    header = ",".join(["name", *(f"V{step}" for step in range(20)), "state"])
    config, _ = made("wide.csv", table(header, rows))
    assert config["task"] == "many-to-one"
    assert config["data"]["target"]["columns"] == "state"


def test_classes_of_rows_and_of_series(made: Any) -> None:
    generator = np.random.default_rng(0)
    rows = [(*generator.normal(row % 3, size=3).round(3), "xyz"[row % 3]) for row in range(90)]
    config, _ = made("iris.csv", table("wide,long,high,kind", rows))
    assert (config["task"], config["data"]["target"]["columns"]) == ("one-to-one", "kind")
    assert config["data"]["covariates"] == ["wide", "long", "high"]
    rows = [(row // 6, row % 6, round(generator.normal(), 3), "xy"[row // 6 % 2]) for row in range(240)]
    config, _ = made("moves.csv", table("id,step,speed,kind", rows), "many-to-one")
    assert (config["task"], config["data"]["series"], config["data"]["time"]) == ("many-to-one", "id", "step")
    assert config["data"]["covariates"] == ["speed"]


def test_ts_and_frames(made: Any) -> None:
    generator = np.random.default_rng(0)
    cases = [",".join(f"{value:.3f}" for value in generator.normal(row % 2, size=9)) for row in range(40)]
    lines = [f"{case}:{row % 2}" for row, case in enumerate(cases)]
    config, _ = made("Steps.ts", "\n".join(["@classLabel true 0 1", "@data", *lines]))
    assert (config["task"], config["data"]["target"]["kind"]) == ("many-to-one", "class")
    pieces = [[[int(pitch)] for pitch in generator.integers(60, 64, 8)] for _ in range(30)]
    config, _ = made("tunes.json", json.dumps(pieces))
    assert (config["task"], config["data"]["target"]["kind"]) == ("many-to-many", "next")


def test_siblings_are_taken(tmp_path: Path) -> None:
    rows = texts(lambda generator, row: row % 2)
    (tmp_path / "data").mkdir()
    (tmp_path / "configs").mkdir()
    for part in ("train", "dev", "test"):
        (tmp_path / "data" / f"{part}.csv").write_text(table("id,review,label", rows))
    out = tmp_path / "configs" / "x.yaml"
    config = write_starter(tmp_path / "data" / "train.csv", out)
    paths = [tmp_path / "data" / f"{part}.csv" for part in ("train", "dev", "test")]
    assert [config.data.train, config.data.valid, config.data.test] == [[path] for path in paths]
    assert "root: ../data\n" in out.read_text()
    assert "split" not in out.read_text()
    trains(out)
    alone = write_starter(tmp_path / "data" / "dev.csv", out, force=True)
    assert (alone.data.train, alone.data.valid, alone.data.test) == ([paths[1]], None, None)


@pytest.mark.parametrize(
    ("name", "sibling"),
    [("X_TRAIN.ts", "X_TEST.ts"), ("Hourly-Train.csv", "Hourly-Test.csv"), ("a.train.txt.gz", "a.test.txt.gz")],
)
def test_names_of_siblings(tmp_path: Path, name: str, sibling: str) -> None:
    from rnncli.runs.starting.siblings import parts_of

    for each in (name, sibling):
        (tmp_path / each).touch()
    assert parts_of(tmp_path / name).test == tmp_path / sibling
    assert parts_of(tmp_path / sibling).test is None


def test_names_that_hold_anything(made: Any) -> None:
    rows = texts(lambda generator, row: ["yes: really", "# no"][row % 2])
    config, _ = made("what's #1?.csv", table('id,"text: ""all""\n# of it",no', rows))
    assert config["data"]["input"] == 'text: "all"\n# of it'
    assert config["data"]["target"]["column"] == "no"


@pytest.mark.parametrize(
    ("name", "content", "task", "loader", "message"),
    [
        ("a.csv", "text;label\n" + "so it goes;1\n" * 9, None, None, "parts its columns by ';'"),
        ("a.csv", "", None, None, "is empty"),
        ("a.csv", "a,b\n", None, None, "has a header and no rows"),
        ("a.csv", "a,a\nso it goes on,1\n", None, None, "two columns 'a'"),
        ("a.txt", "so it goes\n" * 9, "many-to-one", None, "nothing beside them to predict.*would do"),
        ("a.csv", "id,text\n1,so it goes on\n2,and on it goes\n", "many-to-one", "text", "no column holds classes"),
        ("a.csv", "text,label\nso it goes on,1\nand on it goes,1\n", None, None, "'label' has one value only"),
        ("a.csv", "a,b\n1,7\n2,5\n3,8\n", None, "text", "no column holds texts.*--loader time-series"),
        ("a.csv", "a,b\nx,so\ny,no\nx,no\n", None, "time-series", "no column holds numbers"),
        ("a.csv", table("date,b", [(f"2020-01-0{n}", n) for n in range(1, 8)]), None, None, "7 steps is too short"),
        ("a.conll", "a X\nb Y\n\nc X\n", "many-to-one", None, "has a tag for each token.*allowed: many-to-many"),
        ("a.json", "[[[60], [61]]]", "many-to-one", None, "holds frames"),
        ("a.npy", "x", None, None, "doesn't look into arrays"),
        ("a.csv", "a,b\n1,2\n", "many-to-some", None, "--task: unknown task 'many-to-some'; did you mean"),
        ("a.csv", "a,b\n1,2\n", None, "texts", "--loader: unknown loader 'texts'; did you mean 'text'"),
    ],
)  # fmt: skip
def test_what_cannot_be_served(
    tmp_path: Path, name: str, content: str, task: str | None, loader: str | None, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        write_starter(tmp_path / name, tmp_path / "x.yaml", task, loader)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "x.yaml").exists()


def test_absent_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").touch()
    with pytest.raises(DataError, match=r"the nearest in .* is reviews\.csv"):
        write_starter(tmp_path / "review.csv", tmp_path / "x.yaml")


@pytest.mark.parametrize(("name", "expected"), [("a.b.csv", "a.b.yaml"), ("a.csv.gz", "a.yaml"), ("a", "a.yaml")])
def test_config_name(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).touch()
    assert config_name(tmp_path / name) == expected


DATA = Path(os.environ.get("RNNCLI_DATA", ""))
PATTERNS = ("*.csv", "*.tsv", "*.jsonl", "*.conll", "*.annotated", "*.conllu.gz", "*.ts")
FOUND = sorted(path for pattern in PATTERNS for path in DATA.rglob(pattern)) if "RNNCLI_DATA" in os.environ else []


@pytest.mark.slow
@pytest.mark.skipif(not FOUND, reason="needs RNNCLI_DATA, the folder of real files")
@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_real_files(path: Path, tmp_path: Path) -> None:
    write_starter(path, tmp_path / "x.yaml")
    check_run(read(tmp_path / "x.yaml", RunConfig))
    trains(tmp_path / "x.yaml", "training.limit=200")


def test_what_init_does_not_write_is_told(tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text("source\ttarget\na b\tc d\n", encoding="utf-8")
    for how, told in (
        ({"loader": "pairs"}, "--loader pairs: init"),
        ({"task": "one-to-many"}, "--task one-to-many: init"),
    ):
        with pytest.raises(UserError, match=told):
            write_starter(tmp_path / "pairs.tsv", tmp_path / "out.yaml", **how)
    assert not (tmp_path / "out.yaml").exists()


@pytest.mark.parametrize(
    ("name", "loader"),
    [
        ("a.wav", "audio"),
        ("sounds/b/a.flac", "audio"),
        ("a.JPG", "captions"),
        ("album/a.png", "captions"),
        ("a.dict", "pairs"),
        ("images.zip", "captions"),
        ("texts.zip", "captions or audio"),
    ],
)
def test_what_it_writes_no_config_of_is_named_with_its_loader(tmp_path, name, loader):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("one\n")
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.png" if path.stem == "images" else "a.txt", "one")
    given = tmp_path / Path(name).parts[0]
    with pytest.raises(UserError, match=f"{given.name}: .*write this one by hand, with loader: {loader};"):
        write_starter(given, tmp_path / "out.yaml")
    assert not (tmp_path / "out.yaml").exists()
