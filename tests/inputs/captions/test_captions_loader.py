"""Captions: examples, references, parts, what is told and what is kept of a run."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from caption_files import COLOURS, listing, loader, pixels, said, shown, tokens, write_images
from pydantic import ValidationError

from rnncli.errors import ConfigError, DataError, RunError
from rnncli.inputs.captions.dataset import Captions, Shared
from rnncli.inputs.features import Images

NO_SPLIT = {"split": {"valid": 0, "test": 0}}


@pytest.fixture
def album(tmp_path: Path) -> Path:
    return write_images(tmp_path / "album", 8)


def caption(k: int, n: int) -> str:
    return " ".join(f"A {COLOURS[k % 4]} thing number {k} {'seen ' * n}.".split())


def number(text: str) -> int:
    return int(text.split()[4])


def test_lists_make_parts_and_every_training_caption_is_an_example(album, tmp_path):
    made = loader(
        album,
        listing(tmp_path / "train.txt", 5, 0, 3),
        valid=listing(tmp_path / "valid.txt", 7),
        test=listing(tmp_path / "test.txt", 2, 1),
        captions=tokens(tmp_path / "tokens.txt", 8),
    )
    data = made.load()
    assert made.features == {"image": Images(6, 10)}
    assert {name: len(part) for name, part in data.items()} == {"train": 6, "valid": 1, "test": 2}
    told = [said(made, data["train"], row) for row in range(6)]
    assert told == [caption(k, n) for k in (5, 0, 3) for n in (0, 1)]
    for row, text in enumerate(told):
        assert np.array_equal(shown(data["train"], row), pixels(number(text)))
    assert data["train"].references[4:] == ((caption(3, 0), caption(3, 1)), (caption(3, 1), caption(3, 0)))
    batch = data["test"].batch(np.array([1, 0]))
    assert batch.references == [tuple(caption(k, n) for n in (0, 1)) for k in (1, 2)]
    assert np.array_equal(shown(data["test"], 0), pixels(2))
    assert said(made, data["valid"], 0).split() == ["A", "grey", "thing", "number", "<unk>", "."]
    assert len(data["train"].inputs["image"].values) == 6  # each image once in memory
    images = {f"a{k}.png" for k in (0, 1, 2, 3, 5, 7)}
    assert {path.name for path in made.files} == {"train.txt", "valid.txt", "test.txt", "tokens.txt"} | images


def test_the_target_counts_what_is_learnt(album, tmp_path):
    made = loader(album, tokens(tmp_path / "tokens.txt", 8), **NO_SPLIT, target={"lowercase": True, "min_count": 5})
    data = made.load()
    target = made.target
    assert (target.kind, target.units, target.from_one, target.per_step) == ("sequence", "word", True, False)
    # Of the eight images each colour has two with two captions each: four, fewer than five.
    assert dict(zip(target.names, target.counts, strict=True)) == {
        "<pad>": 0, "<unk>": 32, ".": 16, "a": 16, "number": 16, "seen": 8, "thing": 16,
    }  # fmt: skip
    assert said(made, data["train"], 1) == "a <unk> thing number <unk> seen ."
    assert made.notes == ["unknown words: train 30.8 %"]


def test_references_are_in_nfc_and_lowercase(album, tmp_path):
    plain = "Über  Äpfel\u00a0 und Öl"
    table = tmp_path / "table.jsonl"
    rows = [
        {"image": f"a{k}.png", "caption": unicodedata.normalize(form, plain), "by": k}
        for k in range(4)
        for form in ("NFD", "NFC")
    ]
    table.write_text("\n".join(map(json.dumps, rows)))
    train = listing(tmp_path / "train.txt", 0, 1)
    for lowercase, wanted in ((False, "Über Äpfel und Öl"), (True, "über äpfel und öl")):
        made = loader(
            album,
            train,
            test=listing(tmp_path / "test.txt", 3),
            captions=table,
            split={"valid": 0},
            target={"lowercase": lowercase},
        )
        data = made.load()
        assert data["test"].references == [(wanted, wanted)]
        assert said(made, data["train"], 0) == wanted
        assert len(made.target.names) == 2 + 4


@pytest.mark.parametrize("units", ["character", "grapheme", "sentencepiece"])
def test_other_units_spell_the_captions_again(album, tmp_path, units):
    options = {"units": units} | ({"sentencepiece_size": 30} if units == "sentencepiece" else {})
    made = loader(album, tokens(tmp_path / "tokens.txt", 8), **NO_SPLIT, target=options)
    data = made.load()
    assert {said(made, data["train"], row) for row in range(16)} == {caption(k, n) for k in range(8) for n in (0, 1)}


def test_long_training_captions_are_left_out_and_the_others_are_not_cut(album, tmp_path):
    made = loader(
        album,
        listing(tmp_path / "train.txt", 0, 1, 4),
        test=listing(tmp_path / "test.txt", 2),
        captions=tokens(tmp_path / "tokens.txt", 8, each=3),
        split={"valid": 0},
        target={"max_length": 7},
    )
    data = made.load()
    assert [said(made, data["train"], row) for row in range(6)] == [caption(k, n) for k in (0, 1, 4) for n in (0, 1)]
    assert made.notes[0] == "training captions left out: 3 of 9 have more units than max_length 7"
    assert [len(text.split()) for text in data["test"].references[0]] == [6, 7, 8]
    assert np.array_equal(shown(data["train"], 5), pixels(4))
    assert data["train"].references[5] == tuple(caption(4, n) for n in (1, 0, 2))
    with pytest.raises(DataError, match=r"all 9 captions of the training part have more units"):
        loader(
            album, tmp_path / "train.txt", captions=tmp_path / "tokens.txt", **NO_SPLIT, target={"max_length": 5}
        ).load()


def test_shares_are_drawn_by_image_and_equal_images_stay_together(tmp_path):
    album = write_images(tmp_path / "album", 40)
    for k in range(20, 40):  # the same pictures under other names
        (album / f"a{k}.png").write_bytes((album / f"a{k - 20}.png").read_bytes())
    made = loader(album, tokens(tmp_path / "tokens.txt", 40), split={"valid": 0.2, "test": 0.3, "seed": 4})
    data = made.load()
    assert {name: len(part) for name, part in data.items()} == {"train": 40, "valid": 8, "test": 12}
    parts = {name: {shown(part, row).tobytes() for row in range(len(part))} for name, part in data.items()}
    assert [len(parts[name]) for name in ("train", "valid", "test")] == [10, 4, 6]
    assert len(set.union(*parts.values())) == 20
    texts = [{number(text) for several in data[name].references for text in several} for name in ("valid", "test")]
    assert not texts[0] & texts[1]


def test_refit_joins_the_validation_part_and_limit_counts_images(album, tmp_path):
    settings = {"valid": listing(tmp_path / "valid.txt", 6, 7), "captions": tokens(tmp_path / "tokens.txt", 8)}
    train = listing(tmp_path / "train.txt", 0, 1, 2)
    made = loader(album, train, **settings, split={"test": 0})
    assert {name: len(part) for name, part in made.load(refit=True).items()} == {"train": 10}
    made = loader(album, train, **settings, split={"test": 0})
    assert {name: len(part) for name, part in made.load(limit=1).items()} == {"train": 2, "valid": 1}


def test_shuffled_images_stay_in_their_part_and_captions_stay_together(tmp_path):
    album = write_images(tmp_path / "album", 30)
    settings = {
        "test": listing(tmp_path / "test.txt", *range(20, 30)),
        "captions": tokens(tmp_path / "tokens.txt", 30),
        "split": {"valid": 0},
    }
    train = listing(tmp_path / "train.txt", *range(20))
    found = []
    for seed in (1, 1, 2):
        made = loader(album, train, **settings | {"split": {"valid": 0, "seed": seed}}, shuffle_images=True)
        data = made.load()
        assert any("control" in note for note in made.notes)
        which = {pixels(k).tobytes(): k for k in range(30)}
        pairs = [
            (number(said(made, data["train"], row)), which[shown(data["train"], row).tobytes()]) for row in range(40)
        ]
        assert pairs[::2] == pairs[1::2]
        assert sorted(image for _, image in pairs[::2]) == list(range(20))
        assert sum(text == image for text, image in pairs[::2]) < 5
        drawn = [which[shown(data["test"], row).tobytes()] for row in range(10)]
        assert sorted(drawn) == list(range(20, 30))
        assert drawn != list(range(20, 30))
        assert [number(several[0]) for several in data["test"].references] == list(range(20, 30))
        found.append((pairs, drawn))
    assert found[0] == found[1] != found[2]


def test_a_run_is_restored_and_reads_a_labelled_list(album, tmp_path):
    settings = {"captions": tokens(tmp_path / "tokens.txt", 8), **NO_SPLIT}
    train = listing(tmp_path / "train.txt", 0, 1, 2, 3)
    made = loader(album, train, **settings)
    made.load()
    other = loader(album, train, **settings)
    other.restore(json.loads(json.dumps(made.state())))
    assert (other.features, other.target) == (made.features, made.target)
    data = other.labelled(listing(tmp_path / "more.txt", 3, 6))
    assert said(other, data, 0) == caption(3, 0)
    assert data.references[1] == (caption(6, 0), caption(6, 1))
    assert np.array_equal(shown(data, 1), pixels(6))
    for damage in ({"shape": None}, {"target": 3}, {"vocabulary": ["a"]}):
        with pytest.raises(RunError, match="damaged"):
            other.restore(made.state() | damage)


def test_captions_of_an_image_follow_one_another_when_shuffled():
    of_examples = np.repeat(np.arange(30), np.arange(30) % 4 + 1)
    values = torch.arange(30.0).view(30, 1, 1)
    shared = Shared(values, of_examples)
    from rnncli.inputs.batches import Ragged

    ones = Ragged(torch.ones(len(of_examples), dtype=torch.int64), np.arange(len(of_examples) + 1))
    data = Captions({"image": shared}, ones)
    plans = [data.plan(8, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    for plan in plans:
        rows = np.concatenate(plan)
        assert sorted(rows) == list(range(len(data)))
        assert {len(batch) for batch in plan[:-1]} == {8}
        images = of_examples[rows]
        assert (np.diff(images) != 0).sum() == 29
        assert data.batch(plan[1]).inputs["image"].values.flatten().tolist() == of_examples[plan[1]].tolist()
    same, other = ([list(map(int, np.concatenate(plan))) for plan in plans[k::2]] for k in (0, 1))
    assert same[0] == other[0] != same[1]
    assert same[0] != sorted(same[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": (6, 0)}, "size"),
        ({"images": "f.npy", "size": None}, "names: is missing"),
        ({"names": "n.txt"}, "names: is for a .npy"),
        ({"images": "f.csv"}, "size: features of images have none"),
        ({"target": {"sentencepiece_size": 9}}, "sentencepiece_size: is for units: sentencepiece"),
        ({"target": {"column": "image"}}, "target.column: is data.image"),
        ({"format": "tokens", "separator": ";"}, "separator"),
        ({"valid": "v.txt", "test": "t.txt", "split": {"seed": 3}}, "split.seed"),
    ],
)
def test_options_that_do_nothing_are_refused(tmp_path, settings, message):
    images = tmp_path / settings.pop("images", "album")
    for name in ("names", "valid", "test"):
        if name in settings:
            settings[name] = tmp_path / settings[name]
    with pytest.raises(ValidationError, match=message):
        loader(images, tmp_path / "t.txt", **settings)


def test_the_seed_counts_where_images_are_shuffled(tmp_path):
    loader(tmp_path, tmp_path / "t", valid=tmp_path / "v", test=tmp_path / "w", split={"seed": 3}, shuffle_images=True)


def test_the_task_is_one_to_many(tmp_path):
    with pytest.raises(ConfigError, match="one-to-many, not many-to-many"):
        loader(tmp_path, tmp_path / "t", task="many-to-many")
