"""Files that can't be trained on: `check` and `train` say where and what is wrong, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

HEADS = {"texts": "text,label\n", "forecasts": "time,load,wind\n", "gestures": "id,step,x,label\n", "sentences": ""}

# What stands in the file ({good}: all that is good), the line that is named (None: the file alone), what is said of it.
TEXTS = {
    "no such column": ("review,label\na b,yes\n", None, ["has no column 'text' (data.input)", "review, label"]),
    "a column spelled otherwise": ("txt,label\na b,yes\n", None, ["no column 'text'", "did you mean 'txt'?"]),
    "no target column": ("text,labels\na b,yes\n", None, ["(data.target.column); did you mean 'labels'?"]),
    "two columns of one name": ("text,text\na,yes\n", 1, ["the header has two columns 'text'"]),
    "too many fields": ("{good}a,b,c\n", 32, ["has 3 fields, the header has 2"]),
    "too few fields": ("{good}a\n", 32, ["has 1 field, the header has 2"]),
    "an open quote": ('{good}"a,yes\nb,no\n', 32, ["a quote is opened and never closed"]),
    "a quote within quotes": ('{good}"a "b" c",yes\n', 32, ["a quote within such a cell is written twice"]),
    "empty": ("", None, ["is empty"]),
    "a header alone": ("text,label\n", None, ["has no rows"]),
    "bad bytes": ("{good}caf\xe9,yes\n", 32, ["byte 0xe9 (column 4) is not utf-8; state the file's encoding"]),
    "no text": ("{good},yes\n", 32, ["the text is empty"]),
    "white space for a text": ("{good}  ,yes\n", 32, ["the text is empty"]),
    "no class": ("{good}a b,\n", 32, ["has no class in column 'label'"]),
    "one class": ("text,label\na,yes\nb,yes\nc,yes\n", None, ["has only one class, 'yes'", "needs at least two"]),
    "too few rows": ("text,label\na,yes\nb,no\n", None, ["too few", "0.1 for valid: 2", "(data.valid)"]),
}
FORECASTS = {
    "no such column": ("time,wind\n1,2\n", None, ["has no column 'load' (data.target.columns", "time, wind"]),
    "a time column spelled otherwise": ("tme,load\n1,2\n", None, ["'time' (data.time); did you mean 'tme'?"]),
    "too few fields": ("{good}2024-01-02,1\n", 82, ["has 2 fields, the header has 3"]),
    "empty": ("", None, ["is empty"]),
    "a header alone": ("time,load,wind\n", None, ["has no rows"]),
    "text for a number": (
        "{good}2024-01-02,much,1\n",
        82,
        ["column load holds 'much' where a finite number is needed"],
    ),
    "an infinite number": ("{good}2024-01-02,inf,1\n", 82, ["holds 'inf' where a finite number"]),
    "a number beyond float32": ("{good}2024-01-02,1e39,1\n", 82, ["holds '1e39' where a finite number"]),
    "NaN": ("{good}2024-01-02,NaN,1\n", 82, ["column load has no value", "drop, forward, interpolate or mask"]),
    "nothing": ("{good}2024-01-02,,1\n", 82, ["column load has no value here (1 missing in all)"]),
    "two time zones": (
        "time,load\n2024-01-01 00:00+01:00,1\n2024-01-01 01:00+02:00,2\n",
        3,
        ["the time zone +02:00, but line 2 has the time zone +01:00"],
    ),
    "a time zone at times": (
        "time,load\n2024-01-01 00:00,1\n2024-01-01 01:00Z,2\n",
        3,
        ["the time zone Z, but line 2 has no time zone"],
    ),
    "a time twice": ("{good}2024-01-01 00:07,1,1\n", 82, ["the time 2024-01-01 00:07 twice, also in line 9"]),
    "no time": ("{good},1,1\n", 82, ["column time holds no time"]),
    "another form of times": ("time,load\n01.02.2024,1\n", 2, ["'01.02.2024', not understood", "data.time_format"]),
    "bad bytes": ("{good}caf\xe9,1,1\n", 82, ["byte 0xe9 (column 4) is not utf-8"]),
    "too short to train": (
        "time,load\n1,1\n2,2\n3,3\n",
        None,
        ["the series has 3 rows; one training window needs context 4 + horizon 2 = 6"],
    ),
    "a part too short": (
        "time,load\n" + "".join(f"{k},{k}\n" for k in range(11)),
        None,
        ["the validation part of the series has 1 row; one validation window needs horizon 2"],
    ),
    "one step": ("time,load\n1,1\n", None, ["the series has 1 row; one training window needs"]),
}
GESTURES = {
    "no such column": ("name,step,x,label\na,1,2,up\n", None, ["has no column 'id' (data.series)"]),
    "a missing value": ("{good}z,0,,up\n", 75, ["column x of series z has no value here", "data.missing must say"]),
    "no series": ("{good},0,1,up\n", 75, ["column id names no series"]),
    "no class": ("{good}z,0,1,\n", 75, ["column label holds no class"]),
    "two classes in one series": ("{good}z,0,1,up\nz,1,1,down\n", 76, ["the target 'down' differs from 'up'"]),
    "one class": (
        "id,step,x,label\n" + "".join(f"a{k},0,{k},up\n" for k in range(30)),
        None,
        ["are 'up'", "two classes"],
    ),
    "a time twice": ("{good}z,3,1,up\nz,3,2,up\n", 76, ["series z has the time 3 twice, also in line 75"]),
    "too few series": ("id,step,x,label\na,0,1,up\nb,0,2,down\n", None, ["too few", "(data.valid)"]),
}
SENTENCES = {
    "no tag": ("{good}alone\n", 121, ["has 1 column where a token and its tag are needed"]),
    "parted by something else": ("a,B\nb,A\n", 1, ['perhaps data.separator: "," cuts it']),
    "too many columns": ("{good}a b C\n", 121, ["has 3 columns, line 1 has 2"]),
    "empty": ("", None, ["holds no sentence"]),
    "blank lines alone": ("\n \n\t\n", None, ["holds no sentence"]),
    "bad bytes": ("{good}caf\xe9 A\n", 121, ["byte 0xe9 (column 4) is not utf-8"]),
    "one tag": ("".join(f"w{k} O\n\n" for k in range(30)), None, ["every token of the training part has the tag 'O'"]),
    "too few sentences": ("a A\nb B\n", None, ["too few", "(data.valid)"]),
}
CASES = [
    pytest.param(loader, *case, id=f"{loader}: {name}")
    for loader, cases in {"texts": TEXTS, "forecasts": FORECASTS, "gestures": GESTURES, "sentences": SENTENCES}.items()
    for name, case in cases.items()
]


def standing() -> set[str]:
    return {entry.name for entry in Path().iterdir()}


@pytest.mark.parametrize(("loader", "content", "line", "said"), CASES)
def test_what_is_wrong_is_said_and_nothing_is_left_behind(loader, content, line, said, trained, command):
    case = trained[loader]
    path = case.write(content.replace("{good}", case.good).encode("latin-1"))
    place = f"rnncli: {path}: " if line is None else f"rnncli: {path}:{line}: "
    checked = command("check", "config.yaml")
    checked.refused(place, *said)
    assert command("train", "config.yaml", "--out", "run") == checked
    assert standing() == {"config.yaml", path.name}


@pytest.mark.parametrize("loader", ["texts", "forecasts", "gestures", "sentences"])
def test_the_mended_file_trains_without_force(loader, trained, command):
    case = trained[loader]
    case.write("")
    assert command("train", "config.yaml").code == 2
    case.write(case.good)
    command("train", "config.yaml", "--quiet").done()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_run_that_stands_is_not_lost_to_a_bad_file(texts, command):
    texts.write(texts.good)
    command("train", "config.yaml", "--quiet").done()
    before = contents(Path("runs"))
    texts.write("")
    command("train", "config.yaml").refused("runs/config: exists already")
    command("train", "config.yaml", "--force").refused("is empty")
    command("train", "config.yaml", "--force", "--set", "model.layers=0").refused("model.layers")
    assert contents(Path("runs")) == before


@pytest.mark.parametrize(
    ("loader", "place", "said"),
    [
        ("texts", "test.csv:32", "class 'maybe' does not occur in the training part; it has no, yes"),
        ("gestures", "test.csv:75", "class 'maybe' does not occur in the training part; it has down, up"),
    ],
)
def test_a_class_that_only_the_test_part_has(loader, place, said, trained, command):
    case = trained[loader]
    new = {"texts": "film,maybe\n", "gestures": "z,0,1,maybe\n"}[loader]
    Path("test.csv").write_text(case.good + new, encoding="utf-8")
    path = case.write(case.good, ", test: test.csv")
    for what in ("check", "train"):
        command(what, "config.yaml").refused(f"{path.parent}/{place}: {said}")
    command("eval", case.run, "test.csv").refused(f"{place}: {said}")
    # Left out where that is asked for.
    case.write(case.good, ", test: test.csv, skip_bad_rows: true")
    if loader == "texts":
        ended = command("train", "config.yaml")
        ended.done()
        assert f"rows left out: 1; the first: {path.parent}/{place}: {said}" in ended.out


def test_a_tag_that_only_the_test_part_has_counts_as_wrong(sentences, command):
    Path("test.conll").write_text("the B\nend C\n", encoding="utf-8")
    sentences.write(sentences.good, ", test: test.conll")
    ended = command("check", "config.yaml")
    ended.done()
    assert "test: tags that the training part does not have can't be learnt, and count as wrong: C (1)" in ended.out
    # A run that has not seen the file does not know the tag.
    command("eval", sentences.run, "test.conll").refused("test.conll:2: the run does not know the tag 'C'; ", "A, B, O")


@pytest.mark.parametrize("loader", ["texts", "forecasts", "gestures", "sentences"])
def test_a_file_that_stands_nowhere(loader, trained, command):
    case = trained[loader]
    path = case.write(case.good)
    config = Path("config.yaml")
    config.write_text(config.read_text().replace(path.name, f"my_{path.name}"))
    said = f"my_{path.name}: no such file; the nearest in {path.parent} is {path.name}"
    for what in ("check", "train"):
        command(what, "config.yaml").refused(said)
    for what in ("eval", "predict"):
        command(what, case.run, f"my_{path.name}").refused(f"my_{path.name}: no such file; the nearest in ")
    config.write_text(config.read_text().replace("my_", "nowhere/"))
    command("train", "config.yaml").refused(f"no such file: there is no folder {path.parent}/nowhere")
    assert not Path("runs", "config").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.csv.gz", "is damaged or can't be read"),
        ("a.csv.xz", "is damaged or can't be read"),
        ("a.csv.bz2", "is damaged or can't be read"),
        ("a.csv.zst", "is damaged or can't be read"),
        ("a.parquet", "can't be read as Parquet"),
    ],
)
@pytest.mark.parametrize("loader", ["texts", "gestures"])
def test_a_file_that_is_not_what_its_name_says(loader, name, said, trained, command):
    path = trained[loader].write(b"not\x00what\xffits name says\n" * 9, name=name)
    for what in ("check", "train"):
        command(what, "config.yaml").refused(f"{path}: {said}")
    command("predict", trained[loader].run, path).refused(f"{path}: {said}")


def test_a_pickle_for_an_array(gestures, command):
    # Loading it would run the command.
    pickle = b"cos\nsystem\n(S'touch loaded'\ntR."
    for name in ("a.npy", "a.npz"):
        path = gestures.write(pickle, name=name)
        command("train", "config.yaml", "--set", "data.time=null").refused(f"{path}: is no array of numbers")
    assert not Path("loaded").exists()


def test_a_text_file_of_no_known_form(texts, command):
    path = texts.write(texts.good, name="reviews.dat")
    command("check", "config.yaml").refused(f"data.format: {path} is read as lines", "(csv, tsv, jsonl, parquet)")
    texts.write(texts.good, ", format: csv", name="reviews.dat")
    command("check", "config.yaml", "--quiet").done()


def test_another_encoding(texts, command):
    path = texts.write((texts.good + "café,yes\n").encode("latin-1"), ", encoding: utf-16")
    command("check", "config.yaml").refused(f"{path}:1: in or soon after this line are bytes that are not utf-16")
    texts.write((texts.good + "café,yes\n").encode("latin-1"), ", encoding: latin1x")
    command("check", "config.yaml").refused("data.encoding: unknown encoding 'latin1x'")
    texts.write((texts.good + "café,yes\n").encode("latin-1"), ", encoding: latin-1")
    command("check", "config.yaml", "--quiet").done()


def test_all_mistakes_of_a_config_come_at_once(texts, command):
    texts.write(texts.good)
    wrong = """task: many-to-on
data: {loader: text, train: reviews.csv, target: {column: label, kind: klass}, lowercas: true}
model: {cell: {type: lstmm, hidden_size: 3}, layers: 0}
training: {epochs: ten, learning_rate: 1e-3x}
extra: 1
"""
    Path("config.yaml").write_text(wrong, encoding="utf-8")
    mistakes = [
        "config.yaml:1:7: task: unknown value 'many-to-on'; did you mean 'many-to-one'?",
        "config.yaml:2:72: data.target.kind: unknown value 'klass'; did you mean 'class'?",
        "config.yaml:2:80: data.lowercas: unknown key 'lowercas'; did you mean 'lowercase'?",
        "config.yaml:3:22: model.cell.type: unknown",
        "config.yaml:3:54: model.layers: must be at least 1, found 0",
        "config.yaml:4:20: training.epochs: expected a whole number, found 'ten'",
        "config.yaml:4:40: training.learning_rate: expected a number, found '1e-3x'",
        "config.yaml:5:1: extra: unknown key 'extra'",
    ]
    for what in ("check", "train"):
        command(what, "config.yaml").refused(*mistakes)
    ended = command("train", "config.yaml", "--out", "run", "--set", "model.layer=2", "--set", "none")
    ended.refused("--set none: expected key=value", "--set model.layer=2: unknown key 'layer'; did you mean 'layers'?")
    assert standing() == {"config.yaml", "reviews.csv"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"- 1\n", "expected keys with values, found a list"),
        (b"task: a\ntask: b\n", "the key 'task' is given twice, first on line 1"),
        (b"a: [1\n", "but got '<stream end>'"),
        (b"a:\n\tb: 1\n", "a tab stands where YAML wants spaces"),
        (b"\xff\xfe", "the file is not UTF-8"),
    ],
)
def test_what_is_no_config(content, said, command):
    Path("config.yaml").write_bytes(content)
    command("train", "config.yaml").refused("rnncli: config.yaml:", said)
