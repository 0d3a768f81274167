import io
import math

import pytest
from text_loading import decoded, loader, write

from rnncli.errors import DataError
from rnncli.inputs.stream import Stream

NEXT = {"target": {"kind": "next"}}


def model(train, **settings):
    return loader(train, "many-to-many", **NEXT, **settings)


def spelled(made, stream):
    entries = made.state()["vocabulary"]
    return [entries[id] for id in stream.ids]


def test_words_of_lines(tmp_path):
    train = write(tmp_path / "train.txt", " the cat <unk> \n the dog sat \n\n")
    test = write(tmp_path / "test.txt", " a cat \n")
    made = model(train, valid=test, test=test)
    data = made.load()
    stream = data["train"]
    assert isinstance(stream, Stream)
    assert spelled(made, stream) == ["<eos>", "the", "cat", "<unk>", "<eos>", "the", "dog", "sat", "<eos>", "<eos>"]
    assert len(stream) == 9
    assert spelled(made, data["test"]) == ["<eos>", "<unk>", "cat", "<eos>"]
    assert made.target.kind == "token"
    assert made.target.per_step
    assert list(made.target.names) == made.state()["vocabulary"]
    assert made.features["tokens"].size == len(made.target.names)
    counts = dict(zip(made.target.names, made.target.counts, strict=True))
    assert counts == {"<pad>": 0, "<unk>": 1, "<eos>": 3, "the": 2, "cat": 1, "dog": 1, "sat": 1}


def test_characters_of_the_text_as_it_stands(tmp_path):
    text = "To be,\n  or not\n\nto be\n"
    path = write(tmp_path / "a.txt", text)
    made = model(path, units="character", split={"valid": 0, "test": 0})
    stream = made.load()["train"]
    assert "".join(spelled(made, stream)) == "\n" + text
    assert len(made.target.names) == 2 + len(set(text))


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_characters_are_cut_exactly_at_the_shares(tmp_path, lines):
    text = "".join(chr(ord("a") + k * k % 26) for k in range(1000))
    size = 1000 // lines
    text = "".join(text[k : k + size] + "\n" for k in range(0, 1000, size))
    made = model(write(tmp_path / "a.txt", text), units="character", split={"valid": 0.2, "test": 0.1})
    data = made.load()
    parts = {name: "".join(spelled(made, stream))[1:] for name, stream in data.items()}
    assert list(parts) == ["train", "valid", "test"]
    # A line that is cut in two gets an end in the middle.
    assert "".join(parts.values()).replace("\n", "") == text.replace("\n", "")
    for name, share in {"train": 0.7, "valid": 0.2, "test": 0.1}.items():
        assert abs(len(parts[name]) - share * len(text)) <= 2, name


def test_words_are_cut_at_the_ends_of_lines(tmp_path):
    lines = [f"w{k} w{k * k}" for k in range(50)]
    path = write(tmp_path / "a.txt", "".join(f"{line}\n" for line in lines))
    made = model(path, split={"valid": 0.2, "test": 0.2})
    data = made.load()
    counts = {name: spelled(made, stream)[1:].count("<eos>") for name, stream in data.items()}
    assert sum(counts.values()) == 50
    assert 27 <= counts["train"] <= 33
    assert spelled(made, data["train"])[1:] == [
        word for line in lines[: counts["train"]] for word in (*line.split(), "<eos>")
    ]
    refitted = model(path, split={"valid": 0.2, "test": 0.2}).load(refit=True)
    assert len(refitted["train"]) == len(data["train"]) + len(data["valid"])
    with pytest.raises(DataError, match=r"a\.txt: too few lines to cut a (valid|test) part from: 1"):
        model(write(tmp_path / "a.txt", "one line\n")).load()


def test_texts_of_a_table_are_one_stream(tmp_path):
    path = write(tmp_path / "a.csv", 'text\na b\n"c\nd"\n')
    made = model(path, split={"valid": 0, "test": 0})
    assert spelled(made, made.load()["train"]) == ["<eos>", "a", "b", "<eos>", "c", "d", "<eos>"]


def test_each_text_to_score_is_a_sequence_by_itself(tmp_path):
    train = write(tmp_path / "train.txt", "a b c\nb c\n")
    made = model(train, split={"valid": 0, "test": 0})
    made.load()
    (chunk,) = made.chunks(io.BytesIO(b"a zz\n\nb c a\n"), lambda bad: None)
    assert decoded(made, chunk.dataset) == [["<eos>", "a", "<unk>"], ["<eos>"], ["<eos>", "b", "c", "a"]]
    entries = made.state()["vocabulary"]
    targets, offsets = chunk.dataset.targets.flat.tolist(), chunk.dataset.targets.offsets
    found = [[entries[id] for id in targets[offsets[k] : offsets[k + 1]]] for k in range(3)]
    assert found == [["a", "<unk>", "<eos>"], ["<eos>"], ["b", "c", "a", "<eos>"]]
    steps = [{"nll": float(k)} for k in range(8)]
    assert list(made.written(chunk, steps)) == [
        {"text": "a zz", "tokens": 3, "nll": 3.0, "perplexity": pytest.approx(math.exp(1))},
        {"text": "", "tokens": 1, "nll": 3.0, "perplexity": pytest.approx(math.exp(3))},
        {"text": "b c a", "tokens": 4, "nll": 22.0, "perplexity": pytest.approx(math.exp(5.5))},
    ]


def test_a_labelled_file_is_a_stream(tmp_path):
    train = write(tmp_path / "train.txt", "a b c\nb c\n")
    made = model(train, split={"valid": 0, "test": 0})
    made.load()
    stream = made.labelled(write(tmp_path / "t.txt", "c\nq\n"))
    assert spelled(made, stream) == ["<eos>", "c", "<eos>", "<unk>", "<eos>"]


def test_an_empty_text(tmp_path):
    with pytest.raises(DataError, match=r"train\.txt: has no rows"):
        model(write(tmp_path / "train.txt", "")).load()
