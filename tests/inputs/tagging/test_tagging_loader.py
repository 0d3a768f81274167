"""From files to encoded sentences."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnncli.errors import DataError, RunError, UserError
from rnncli.inputs.batches import Batch, Dataset
from rnncli.inputs.features import UNKNOWN, Categories, Spelling, Tokens
from rnncli.inputs.tagging.lexicon import CAPITALS, LONGEST_SPELLING, capitals, spelling
from rnncli.inputs.tagging.loader import TaggingLoader
from rnncli.inputs.tagging.settings import TaggingSettings

TRAIN = "EU B-ORG\nrejects O\nGerman B-MISC\ncall O\n\nPeter B-PER\nBlackburn I-PER\n\nrejects O\n"
VALID = "German B-MISC\nPeter B-PER\n\nlamb O\n"
TEST = "Peter B-ANIMAL\nrejects O\nrejects O\n\nSheep B-ANIMAL\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    for name, text in (("train", TRAIN), ("valid", VALID), ("test", TEST)):
        (tmp_path / f"{name}.conll").write_text(text)
    return {name: [tmp_path / f"{name}.conll"] for name in ("train", "valid", "test")}


def loader(files: dict[str, Any], task: str = "many-to-many", **options: Any) -> TaggingLoader:
    settings = TaggingSettings.model_validate({"loader": "tagging", **files, **options})
    return TaggingLoader(settings, task)  # type: ignore[arg-type]


def spelled_out(dataset: Dataset, of: TaggingLoader) -> list[tuple[list[str], list[str]]]:
    """Each sentence as the words and tags that its ids stand for."""
    entries, found = of._lexicon.words.entries, []
    for row in range(len(dataset)):
        batch = dataset.batch(np.array([row]))
        assert batch.targets is not None
        words = [entries[word] for word in batch.inputs["tokens"].values.flatten().tolist()]
        found.append((words, [of.target.names[tag] for tag in batch.targets.flatten().tolist()]))
    return found


def test_sentences_are_encoded(files: dict[str, Any]) -> None:
    of = loader(files)
    parts = of.load()
    assert spelled_out(parts["train"], of) == [
        (["EU", "rejects", "German", "call"], ["B-ORG", "O", "B-MISC", "O"]),
        (["Peter", "Blackburn"], ["B-PER", "I-PER"]),
        (["rejects"], ["O"]),
    ]
    assert spelled_out(parts["valid"], of) == [(["German", "Peter"], ["B-MISC", "B-PER"]), (["<unk>"], ["O"])]
    assert of.features == {"tokens": Tokens(size=8)}
    assert of.files == [files[name][0] for name in ("train", "valid", "test")]


def test_tags_count_the_training_part_and_unseen_ones_are_named(files: dict[str, Any]) -> None:
    of = loader(files)
    parts = of.load()
    assert of.target.names == ("O", "B-MISC", "B-ORG", "B-PER", "I-PER", "B-ANIMAL")
    assert of.target.counts == (3, 1, 1, 1, 1, 0)
    assert of.target.kind == "tag" and of.target.per_step and of.target.scheme is None
    assert spelled_out(parts["test"], of)[1] == (["<unk>"], ["B-ANIMAL"])
    assert of.notes == [
        "test: tags that the training part does not have can't be learnt, and count as wrong: B-ANIMAL (2)",
        "unknown words: valid 33.3 % of 3 tokens",
        "unknown words: test 25.0 % of 4 tokens",
    ]


def test_words_are_normalised_and_counted(files: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text("The X\nthe Y\n7 X\n\nTHE X\n42 Y\nA4 X\n")
    of = loader(files, lowercase=True, digits=True, min_count=1)
    assert spelled_out(of.load()["train"], of)[1][0] == ["the", "00", "a0"]
    of = loader(files, lowercase=True, min_count=2)
    assert [words for words, _ in spelled_out(of.load()["train"], of)] == [
        ["the", "the", "<unk>"],
        ["the"] + ["<unk>"] * 2,
    ]


def test_characters_spell_each_token_as_it_stands(files: dict[str, Any]) -> None:
    of = loader(files, characters=True, lowercase=True)
    parts = of.load()
    assert of._lexicon.characters is not None
    alphabet = of._lexicon.characters.entries
    assert of.features["characters"] == Spelling(len(alphabet))
    batch = parts["test"].batch(np.array([1, 0]))
    assert batch.spellings is not None
    assert batch.spellings.batch == 3  # Peter, rejects and Sheep, each once
    words = [["".join(alphabet[letter] for letter in token) for token in row] for row in letters(batch)]
    assert words == [["<unk><unk>ee<unk>"] * 3, ["Peter", "rejects", "rejects"]]  # padding repeats the last token


def test_long_tokens_keep_both_ends() -> None:
    token = "".join(random.Random(1).choices("abc", k=10_000))
    assert len(spelling(token)) == LONGEST_SPELLING
    assert token.startswith(spelling(token)[:32]) and token.endswith(spelling(token)[-32:])
    assert spelling(token[:64]) == token[:64]


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("rejects", "lower"),
        ("d'être", "lower"),
        ("b2b", "lower"),
        ("Peter", "title"),
        ("A", "title"),
        ("Élan", "title"),
        ("EU", "upper"),
        ("F-16", "upper"),
        ("iPhone", "mixed"),
        ("McDonald", "mixed"),
        ("1,000.5", "digit"),
        (".", "other"),
        ("北京", "other"),
    ],
)
def test_capitals(token: str, kind: str) -> None:
    assert capitals(token) == kind


def test_capitals_are_read_beside_the_words(files: dict[str, Any]) -> None:
    of = loader(files, capitals=True, lowercase=True)
    values = of.load()["train"].batch(np.array([0])).inputs["capitals"].values.flatten().tolist()
    assert of.features["capitals"] == Categories(8)
    names = {position: name for name, position in CAPITALS.items()}
    assert [names[value] for value in values] == ["upper", "lower", "title", "lower"]
    assert min(values) > UNKNOWN and max(values) < 8


def test_schemes_are_converted_and_repaired(files: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text("a I-P\nb I-P\nc O\n\nd B-P\ne I-Q\n")
    (tmp_path / "test.conll").write_text("Peter B-P\nrejects I-P\nx I-P\n")
    files["valid"] = files["test"]
    of = loader(files, scheme="BIO")
    assert [tags for _, tags in spelled_out(of.load()["train"], of)] == [["B-P", "I-P", "O"], ["B-P", "B-Q"]]
    assert of.target.scheme == "BIO"
    assert of.notes[0].startswith("train: tags that break the scheme BIO (such as an I- after O) and were repaired: 2;")
    of = loader(files, scheme="IOB1", train_scheme="BIOES")
    parts = of.load()
    assert [tags for _, tags in spelled_out(parts["train"], of)] == [["B-P", "E-P", "O"], ["S-P", "S-Q"]]
    assert spelled_out(parts["test"], of)[0][1] == ["B-P", "I-P", "E-P"]
    assert of.target.scheme == "BIOES"
    assert of.notes[0].startswith(
        "train: tags that break the scheme IOB1 (such as an I- after O) and were repaired: 1;"
    )


def test_a_tag_of_another_scheme_is_refused(files: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text("a O\nb S-P\n")
    with pytest.raises(
        DataError, match=r"train.conll:2: the tag 'S-P' is not of the scheme BIO, which knows O, B-type"
    ):
        loader(files, scheme="BIO").load()


def test_one_to_one_takes_each_token_by_itself(files: dict[str, Any]) -> None:
    of = loader(files, task="one-to-one", characters=True)
    train = of.load()["train"]
    batch = train.batch(np.array([5, 2]))
    assert of.target.kind == "class" and not of.target.per_step and of.target.scheme is None
    assert len(train) == 7
    assert batch.sequences.lengths.tolist() == [1, 1]
    assert batch.targets is not None
    assert [of.target.names[tag] for tag in batch.targets.tolist()] == ["I-PER", "B-MISC"]


def test_many_to_one_is_refused(files: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="many-to-one gives one answer for a whole sentence"):
        loader(files, task="many-to-one")


def many(tmp_path: Path, sentences: int) -> dict[str, Any]:
    """A training file, each sentence of it twice and with tags of its own."""
    path = tmp_path / "many.conll"
    path.write_text("".join(f"t{k % (sentences // 2)} X\nw {'XY'[k % 2]}\n\n" for k in range(sentences)))
    return {"train": [path]}


def test_parts_are_drawn_and_equal_sentences_stay_together(tmp_path: Path) -> None:
    files = many(tmp_path, 202)

    def words_of(**options: Any) -> dict[str, list[str]]:
        of = loader(files, **options)
        tokens = {name: part.inputs["tokens"] for name, part in of.load().items()}  # type: ignore[attr-defined]
        # Seen words only, so by position in the file: the length of a part is what the draw settles.
        return {name: [str(ids) for ids in part.flat.tolist()] for name, part in tokens.items()}

    drawn = words_of(split={"valid": 0.1, "test": 0.2})
    assert {name: len(words) // 2 for name, words in drawn.items()} == {"train": 142, "valid": 20, "test": 40}
    assert drawn == words_of(split={"valid": 0.1, "test": 0.2})
    assert drawn != words_of(split={"valid": 0.1, "test": 0.2, "seed": 2})
    # All but the word "w" of the parts held out is unknown: no sentence of theirs is in the training part.
    for name in ("valid", "test"):
        assert drawn[name].count(str(UNKNOWN)) == len(drawn[name]) // 2
    assert set(words_of(split={"valid": 0, "test": 0.2})) == {"train", "test"}


def test_refit_joins_the_validation_part(files: dict[str, Any]) -> None:
    of = loader(files)
    parts = of.load(refit=True)
    assert set(parts) == {"train", "test"}
    assert spelled_out(parts["train"], of)[3:] == [(["German", "Peter"], ["B-MISC", "B-PER"]), (["lamb"], ["O"])]
    assert of.target.counts[0] == 4


def test_limit(files: dict[str, Any]) -> None:
    assert {name: len(part) for name, part in loader(files).load(limit=2).items()} == {
        "train": 2,
        "valid": 2,
        "test": 2,
    }


def test_bad_sentences_are_left_out_when_asked(files: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text("a O\nb\n\n" + TRAIN)
    with pytest.raises(DataError, match=r"train.conll:2: has 1 column"):
        loader(files).load()
    of = loader(files, skip_bad_rows=True)
    assert len(of.load()["train"]) == 3
    assert of.notes[0].startswith("train: sentences that can't be read and were left out: 1; ")


@pytest.mark.parametrize("text", ["", "\ufeff", "\n\t\n\n", "# only a comment\n"])
def test_a_file_without_sentences_is_refused(files: dict[str, Any], tmp_path: Path, text: str) -> None:
    (tmp_path / "valid.conll").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"valid.conll: holds no sentence"):
        loader(files, comment="#").load()


def test_one_tag_only_is_refused(files: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text("a O\nb O\n")
    with pytest.raises(DataError, match="every token of the training part has the tag 'O'"):
        loader(files).load()


def test_pretrained_vectors(files: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text("EU 1 2 3\nunseen 7 7 7\nPeter -1 0 .5\n")
    of = loader(files, vectors=tmp_path / "glove.txt")
    of.load()
    tokens, ids = of.features["tokens"], of._lexicon.words.ids
    assert isinstance(tokens, Tokens) and tokens.vectors is not None
    assert tokens.vectors[ids["Peter"]].tolist() == [-1, 0, 0.5] and tokens.vectors[ids["EU"]].tolist() == [1, 2, 3]
    assert np.isnan(tokens.vectors).sum() == (len(ids) + 1 - 2) * 3
    assert tmp_path / "glove.txt" in of.files
    again = loader(files, vectors=tmp_path / "glove.txt")
    again.restore(of.state())
    restored = again.features["tokens"]
    assert isinstance(restored, Tokens) and restored.vectors is not None
    assert restored.vectors.shape == tokens.vectors.shape


@pytest.mark.parametrize("task", ["many-to-many", "one-to-one"])
def test_a_restored_loader_encodes_the_same(files: dict[str, Any], task: str) -> None:
    options: dict[str, Any] = {"characters": True, "capitals": True, "scheme": "BIO", "train_scheme": "BIOES"}
    first = loader(files, task, **options)
    test = first.load()["test"]
    second = loader(files, task, **options)
    second.restore(json.loads(json.dumps(first.state())))
    again = second.labelled(files["test"][0])
    assert second.target == first.target and second.features == first.features
    assert second.state() == first.state()
    for row in range(len(test)):
        one, other = test.batch(np.array([row])), again.batch(np.array([row]))
        assert one.targets is not None and other.targets is not None
        assert one.targets.tolist() == other.targets.tolist()
        assert letters(one) == letters(other)
        for name in ("tokens", "capitals"):
            assert one.inputs[name].values.tolist() == other.inputs[name].values.tolist()


def letters(batch: Batch) -> list[list[list[int]]]:
    """The character ids of each token."""
    assert batch.spellings is not None
    pairs = zip(batch.spellings.values.tolist(), batch.spellings.lengths.tolist(), strict=True)
    spelled = [ids[:length] for ids, length in pairs]
    return [[spelled[word] for word in row] for row in batch.inputs["characters"].values.tolist()]


def test_a_labelled_file_with_an_unknown_tag_is_refused(files: dict[str, Any], tmp_path: Path) -> None:
    of = loader(files)
    of.load()
    (tmp_path / "new.conll").write_text("EU B-ORG\n\nx O\ny B-ORGA\n")
    with pytest.raises(DataError, match=r"new.conll:4: the run does not know the tag 'B-ORGA'.*'B-ORG'"):
        of.labelled(tmp_path / "new.conll")


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: state.pop("words"),
        lambda state: state.pop("target"),
        lambda state: state["target"].pop("names"),
        lambda state: state.update(words=["a", "b"]),
        lambda state: state.update(characters=None),
        lambda state: state.update(vector_width="wide"),
    ],
)
def test_a_damaged_state_is_refused(files: dict[str, Any], damage: Any) -> None:
    of = loader(files, characters=True)
    of.load()
    state = of.state()
    damage(state)
    with pytest.raises(RunError, match="damaged"):
        loader(files, characters=True).restore(state)


def test_options_that_would_do_nothing(files: dict[str, Any], tmp_path: Path) -> None:
    for options, told in (
        ({"train_scheme": "BIOES"}, "train_scheme: needs the scheme"),
        ({"split": {"valid": 0.2}}, "split.valid: data.valid has files of its own"),
    ):
        with pytest.raises(ValueError, match=told):
            loader(files, **options)
    for option in ({"separator": " "}, {"comment": "%"}):
        with pytest.raises(UserError, match=f"data.{next(iter(option))}: CoNLL-U says itself"):
            loader({"train": [tmp_path / "a.conllu.gz"]}, **option)
