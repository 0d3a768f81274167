"""Sentences to be tagged, in chunks, and what is written of them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnncli.errors import DataError
from rnncli.inputs.loader import Source
from rnncli.inputs.tagging.loader import CHUNK, TaggingLoader
from rnncli.inputs.tagging.settings import TaggingSettings

TRAIN = "EU NNP B-ORG\nrejects VBZ O\nGerman JJ B-MISC\n\nPeter NNP B-PER\nBlackburn NNP I-PER\n"
TOKENS = "Peter\nrejects\n\nlamb\n"


def loaded(tmp_path: Path, task: Any = "many-to-many", **options: Any) -> TaggingLoader:
    path = tmp_path / "train.conll"
    path.write_text(TRAIN)
    given = {"loader": "tagging", "train": [path], "valid": [path], "test": [path], **options}
    of = TaggingLoader(TaggingSettings.model_validate(given), task)
    of.load()
    of.notes.clear()
    return of


def tagged(of: TaggingLoader, source: Source, tags: str) -> tuple[list[dict[str, Any]], list[str]]:
    """What is written where the model predicts these tags, and the messages of bad rows."""
    messages: list[str] = []
    remaining = iter(tags.split())
    written: list[Mapping[str, Any]] = []
    for chunk in of.chunks(source, lambda bad: messages.append(str(bad))):
        assert chunk.dataset.batch(np.arange(len(chunk.dataset))).targets is None
        steps = sum(len(row.sentence.tokens) for row in chunk.rows)
        written += of.written(chunk, [{"prediction": next(remaining), "probability_O": 0.5} for _ in range(steps)])
    assert next(remaining, None) is None
    assert all(row["probability_O"] == 0.5 for row in written)
    return [{name: value for name, value in row.items() if name != "probability_O"} for row in written], messages


@pytest.mark.parametrize("task", ["many-to-many", "one-to-one"])
def test_a_file_of_tokens_alone(tmp_path: Path, task: str) -> None:
    (tmp_path / "new.txt").write_text(TOKENS)
    rows, messages = tagged(loaded(tmp_path, task), tmp_path / "new.txt", "B-PER O X")
    assert messages == []
    assert rows == [
        {"sentence": 1, "column_1": "Peter", "prediction": "B-PER"},
        {"sentence": 1, "column_1": "rejects", "prediction": "O"},
        {"sentence": 2, "column_1": "lamb", "prediction": "X"},
    ]


def test_a_file_with_its_tags_and_standard_input(tmp_path: Path) -> None:
    of = loaded(tmp_path)
    expected = {"sentence": 2, "column_1": "Blackburn", "column_2": "NNP", "column_3": "I-PER", "prediction": "d"}
    assert tagged(of, tmp_path / "train.conll", "a b c e d")[0][-1] == expected
    assert tagged(of, io.BytesIO(TRAIN.encode()), "a b c e d")[0][-1] == expected


def test_tokens_become_the_ids_of_training(tmp_path: Path) -> None:
    of = loaded(tmp_path, characters=True)
    (chunk,) = of.chunks(["Peter rejects", "lamb"], lambda bad: None)
    batch = chunk.dataset.batch(np.array([0, 1]))
    entries = of._lexicon.words.entries
    words = [[entries[word] for word in row] for row in batch.inputs["tokens"].values.tolist()]
    assert words == [["Peter", "rejects"], ["<unk>", "<unk>"]]
    assert batch.spellings is not None and batch.spellings.lengths.tolist() == [5, 7, 4]  # lamb is spelled too
    assert of.notes == ["unknown words: input 33.3 % of 3 tokens"]


def test_texts(tmp_path: Path) -> None:
    rows, messages = tagged(loaded(tmp_path), ["Peter  rejects", " ", "lamb\n"], "a b c")
    assert messages == ["text 2 holds no token"]
    assert rows == [
        {"sentence": 1, "token": "Peter", "prediction": "a"},
        {"sentence": 1, "token": "rejects", "prediction": "b"},
        {"sentence": 2, "token": "lamb", "prediction": "c"},
    ]


def test_frames(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [7, 8], "text": ["Peter rejects", None]})
    rows, messages = tagged(loaded(tmp_path), frame, "a b")
    assert messages == ["text 2 holds no token"]
    assert rows[1] == {"sentence": 1, "id": "7", "token": "rejects", "prediction": "b"}
    with pytest.raises(DataError, match="has no column 'text'"):
        tagged(loaded(tmp_path), frame.rename(columns={"text": "txt"}), "")


def test_conllu_by_its_name_or_as_the_training_part(tmp_path: Path) -> None:
    text = "# x\n1-2\tdon't" + "\t_" * 8 + "\n1\tdo\tdo\tAUX" + "\t_" * 6 + "\n2\tn't\tnot\t_" + "\t_" * 6 + "\n"
    for name in ("train.conllu", "new.conllu", "new.txt"):
        (tmp_path / name).write_text(text)
    given = {"loader": "tagging", "train": [tmp_path / "train.conllu"], "split": {"valid": 0, "test": 0}}
    of = TaggingLoader(TaggingSettings.model_validate(given), "many-to-many")
    of.load()
    for source in (tmp_path / "new.conllu", tmp_path / "new.txt", io.BytesIO(text.encode())):
        rows, _ = tagged(of, source, "AUX PART")
        assert [(row["ID"], row["FORM"], row["UPOS"], row["prediction"]) for row in rows] == [
            ("1", "do", "AUX", "AUX"),
            ("2", "n't", "_", "PART"),
        ]
    (tmp_path / "tokens.txt").write_text("do\nn't\n")
    assert tagged(of, tmp_path / "tokens.txt", "a b")[0][1] == {"sentence": 1, "column_1": "n't", "prediction": "b"}


def test_bad_sentences_are_reported_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "new.conll"
    path.write_bytes(b"a X O\n\nb X O\n\xff X O\nc X O\n\nd X O\n")
    rows, messages = tagged(loaded(tmp_path), path, "a d")
    assert len(messages) == 1 and messages[0].startswith(f"{path}:4: byte 0xff")
    assert [(row["sentence"], row["column_1"]) for row in rows] == [(1, "a"), (2, "d")]


def test_an_empty_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="standard input: holds no sentence"):
        tagged(loaded(tmp_path), io.BytesIO(b"\n\n"), "")


def test_sentences_are_counted_through_all_chunks(tmp_path: Path) -> None:
    of = loaded(tmp_path)
    texts = [f"word{k}" for k in range(2 * CHUNK + 3)]
    assert [len(chunk.rows) for chunk in of.chunks(texts, lambda bad: None)] == [CHUNK, CHUNK, 3]
    rows, _ = tagged(of, texts, "X " * len(texts))
    assert [row["sentence"] for row in rows] == list(range(1, len(texts) + 1))
    assert [row["token"] for row in rows] == texts
    assert of.notes[-1] == "unknown words: input 100.0 % of 2,003 tokens"


def test_chunks_are_read_only_as_they_are_needed(tmp_path: Path) -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            buffer[:] = b"a\n\n\n" * (len(buffer) // 4)
            return len(buffer)

    chunks = loaded(tmp_path).chunks(io.BufferedReader(Endless()), lambda bad: None)
    assert [len(next(chunks).rows) for _ in range(3)] == [CHUNK] * 3


def test_a_long_token_and_a_short_sentence(tmp_path: Path) -> None:
    of = loaded(tmp_path, characters=True)
    (chunk,) = of.chunks(["x" * 10_000, "EU"], lambda bad: None)
    batch = chunk.dataset.batch(np.array([0, 1]))
    assert batch.spellings is not None and batch.spellings.time < 100
    assert batch.sequences.lengths.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("scheme", "train_scheme", "predicted", "written"),
    [
        ("BIO", "BIO", "B-P I-P I-Q", "B-P I-P I-Q"),
        ("IOB1", "BIO", "B-P I-P B-P", "I-P I-P B-P"),
        ("BIO", "BIOES", "B-P E-P S-Q", "B-P I-P B-Q"),
        ("IOB1", "BIOES", "B-P E-P S-P", "I-P I-P B-P"),
        ("BIO", "BIOES", "B-P I-P S-Q", "O O B-Q"),
        ("BIOES", "BIO", "O I-P B-Q", "O S-P S-Q"),
    ],
)
def test_predictions_are_written_in_the_scheme_of_the_file(
    tmp_path: Path, scheme: str, train_scheme: str, predicted: str, written: str
) -> None:
    training = {"BIOES": TRAIN.replace("B-ORG", "S-ORG").replace("B-MISC", "S-MISC").replace("I-PER", "E-PER")}
    of = loaded(tmp_path)
    (tmp_path / "train.conll").write_text(training.get(scheme, TRAIN))
    given = {**of.settings.model_dump(), "scheme": scheme, "train_scheme": train_scheme}
    of = TaggingLoader(TaggingSettings.model_validate(given), "many-to-many")
    of.load()
    rows, _ = tagged(of, ["a b c"], predicted)
    assert [row["prediction"] for row in rows] == written.split()
