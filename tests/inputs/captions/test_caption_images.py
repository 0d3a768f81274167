"""Images out of folders and zips against Pillow's pixels, features, images to be described, and what can't be read."""

import io
import json
import os
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from caption_files import listing, loader, pixels, said, shown, tokens, write_images, zipped
from PIL import Image

from rnncli.errors import DataError, MissingExtra
from rnncli.inputs.features import Values

ROOT = os.environ.get("RNNCLI_DATA")
NO_SPLIT = {"split": {"valid": 0, "test": 0}}


def refuse(error: DataError) -> None:
    raise error


def saved(tmp_path: Path, image: Image.Image, name: str) -> Path:
    (tmp_path / "album").mkdir(exist_ok=True)
    image.save(tmp_path / "album" / name)
    (tmp_path / "tokens.txt").write_text(f"{name}#0\ta thing\n")
    return tmp_path / "album"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".gif", ".webp"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK", "1"])
def test_pixels_are_those_of_pillow(tmp_path, suffix, mode):
    try:
        album = saved(tmp_path, Image.fromarray(pixels(3)).convert(mode), f"one{suffix}")
    except (OSError, KeyError, ValueError):
        pytest.skip(f"{suffix} has no mode {mode}")
    made = loader(album, tmp_path / "tokens.txt", **NO_SPLIT)
    expected = np.asarray(Image.open(album / f"one{suffix}").convert("RGB"))
    assert np.array_equal(shown(made.load()["train"], 0), expected)
    assert not any("resized" in note for note in made.notes)


def test_images_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    (tmp_path / "album").mkdir()
    Image.fromarray(pixels(3)).save(tmp_path / "album/one.png", exif=exif)
    (tmp_path / "tokens.txt").write_text("one.png#0\ta thing\n")
    made = loader(tmp_path / "album", tmp_path / "tokens.txt", **NO_SPLIT, size=(10, 6))
    assert np.array_equal(shown(made.load()["train"], 0), np.rot90(pixels(3), -1))


def test_images_of_another_size_are_resized_and_counted(tmp_path):
    album = write_images(tmp_path / "album", 3)
    Image.fromarray(pixels(9, 17, 13)).save(album / "a1.png")
    made = loader(album, tokens(tmp_path / "tokens.txt", 3), **NO_SPLIT)
    data = made.load()["train"]
    expected = Image.fromarray(pixels(9, 17, 13)).resize((10, 6), Image.Resampling.LANCZOS)
    assert np.array_equal(shown(data, 2), np.asarray(expected))
    assert np.array_equal(shown(data, 0), pixels(2))
    assert made.notes[0] == "images resized to 6 x 10 pixels (data.size): 1"


@pytest.mark.parametrize("below", ["", "deep/er/"])
def test_a_zip_is_as_its_folder_and_nothing_is_extracted(tmp_path, below):
    album = write_images(tmp_path / "album", 8, ".png")
    captions = tokens(tmp_path / "tokens.txt", 8)
    settings = {"test": listing(tmp_path / "test.txt", 2, 3), "captions": captions, "split": {"valid": 0}}
    train = listing(tmp_path / "train.txt", 4, 0)
    path = zipped(album, below)
    before = {*tmp_path.rglob("*")}
    (one, made), (two, other) = (
        (each.load(), each) for each in (loader(album, train, **settings), loader(path, train, **settings))
    )
    assert {*tmp_path.rglob("*")} == before
    for name in ("train", "test"):
        assert len(one[name]) == len(two[name])
        for row in range(len(one[name])):
            assert np.array_equal(shown(one[name], row), shown(two[name], row))
    assert path in other.files
    assert [file for file in made.files if file.suffix == ".zip"] == []
    chunks = [*other.chunks(path, refuse)]
    assert [own["image"] for own in chunks[0].rows] == [f"{below}a{k}.png" for k in range(8)]


def test_names_without_folders_serve_where_one_image_has_them(tmp_path):
    album = tmp_path / "album"
    for k, name in enumerate(["x/a.png", "y/a.png", "y/b.png"]):
        (album / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(k)).save(album / name)
    (album / ".hidden.png").write_bytes(b"none")
    table = tmp_path / "t.csv"
    table.write_text("image,caption\ny/a.png,one thing\nb.png,two things\n")
    made = loader(album, table, **NO_SPLIT)
    data = made.load()["train"]
    assert [np.array_equal(shown(data, row), pixels(k)) for row, k in ((0, 1), (1, 2))] == [True, True]
    table.write_text("image,caption\na.png,one thing\nb.png,two things\n")
    with pytest.raises(DataError, match=r"t\.csv:2: there is no image 'a\.png' in .*; the nearest is .*a\.png"):
        loader(album, table, **NO_SPLIT).load()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "tokens.txt",
            "a0.png#0\tone\na1.png two\n",
            r"tokens\.txt:2: has no image and caption, .* found 'a1\.png two'",
        ),
        ("tokens.txt", "a0.png#0\tone\na1.png#0\t \n", r"tokens\.txt:2: the caption of image a1\.png is empty"),
        ("tokens.txt", "a0.png#0\tone\na12.png#0\ttwo\n", r"tokens\.txt:2: there is no image 'a12\.png' in .*a1\.png"),
        ("table.csv", "image,text\na0.png,one\n", r"table\.csv: has no column 'caption' \(data\.target\.column\)"),
        ("table.csv", "image,caption\na0.png,one\n,two\n", r"table\.csv:3: names no image in column 'image'"),
        ("table.jsonl", '{"image": "a0.png", "caption": "one"}\n{"image": "a1.png"}', r"table\.jsonl:2: has no column"),
    ],
)
def test_bad_captions_are_named_or_left_out(tmp_path, file, text, message):
    album = write_images(tmp_path / "album", 2)
    (tmp_path / file).write_text(text)
    with pytest.raises(DataError, match=message):
        loader(album, tmp_path / file, **NO_SPLIT).load()
    if "text" not in text:
        made = loader(album, tmp_path / file, **NO_SPLIT, skip_bad_rows=True)
        assert len(made.load()["train"]) == 1
        assert made.notes[-1].startswith("rows left out: 1; the first: ")


@pytest.mark.parametrize(
    ("numbers", "captions", "message"),
    [
        ((0, 1, 7), 4, r"train\.txt:3: image 'a7\.png' has no caption in .*tokens\.txt; the nearest that has one is a"),
        ((0, 3), 4, r"train\.txt:2: there is no image 'a3\.png' in .*album; the nearest is a"),
        ((0, 1, 0), 4, r"train\.txt:3: lists image a0\.png a second time"),
    ],
)
def test_bad_lists_are_named_or_left_out(tmp_path, numbers, captions, message):
    album = write_images(tmp_path / "album", 3)
    settings = {"captions": tokens(tmp_path / "tokens.txt", captions), **NO_SPLIT}
    train = listing(tmp_path / "train.txt", *numbers)
    with pytest.raises(DataError, match=message):
        loader(album, train, **settings).load()
    made = loader(album, train, **settings, skip_bad_rows=True)
    assert len(made.load()["train"]) == 2 * (len(numbers) - 1)
    assert "rows left out: 1" in made.notes[-1]


@pytest.mark.parametrize(("side", "suffix"), [(9_500, "png"), (14_000, "gif"), (60_000, "bmp")])
def test_an_image_that_would_fill_the_memory_is_not_decoded(tmp_path, side, suffix, recwarn):
    """Pillow by itself warns of the first and refuses the others."""
    album = write_images(tmp_path / "album", 2, f".{suffix}")
    one = bytearray((album / f"a1.{suffix}").read_bytes())
    order, size = {"png": (">", "II"), "gif": ("<", "HH"), "bmp": ("<", "II")}[suffix]
    place = {"png": 16, "gif": 6, "bmp": 18}[suffix]
    struct.pack_into(order + size, one, place, side, side)
    if suffix == "png":
        struct.pack_into(">I", one, 29, zlib.crc32(one[12:29]))
    (album / f"a1.{suffix}").write_bytes(one)
    table = tmp_path / "t.csv"
    table.write_text(f"image,caption\na0.{suffix},one\na1.{suffix},two\n")
    with pytest.raises(DataError, match=rf"a1\.{suffix}: has more pixels than the 89,478,485 that are decoded"):
        loader(album, table, **NO_SPLIT).load()
    assert len(loader(album, table, **NO_SPLIT, skip_bad_rows=True).load()["train"]) == 1
    assert not recwarn.list


def test_more_pixels_than_the_memory_holds(tmp_path):
    album = write_images(tmp_path / "album", 2)
    captions = tokens(tmp_path / "tokens.txt", 2)
    with pytest.raises(DataError, match=r"album: 2 images of 40000000 x 50000000 pixels \(data\.size\) take 11175"):
        loader(album, captions, **NO_SPLIT | {"size": (40_000_000, 50_000_000)}).load()


@pytest.mark.parametrize("damage", ["text", "cut", "empty", "crc"])
@pytest.mark.parametrize("zip", [False, True])
def test_an_image_that_cannot_be_decoded(tmp_path, damage, zip):
    album = write_images(tmp_path / "album", 3, height=40, width=30)
    one = album / "a1.png"
    content = one.read_bytes()
    middle = len(content) // 2
    one.write_bytes(
        {
            "text": b"no picture at all",
            "cut": content[:middle],
            "empty": b"",
            "crc": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
        }[damage]
    )
    images = zipped(album) if zip else album
    captions = tokens(tmp_path / "tokens.txt", 3)
    with pytest.raises(DataError, match=r"a1\.png: can't be decoded as an image \("):
        loader(images, captions, **NO_SPLIT).load()
    made = loader(images, captions, **NO_SPLIT, skip_bad_rows=True)
    data = made.load()["train"]
    assert [said(made, data, row).split()[4] for row in range(4)] == ["2", "2", "0", "0"]
    assert len(data.inputs["image"].values) == 2
    told: list[DataError] = []
    (chunk,) = made.chunks(images, told.append)
    assert [own["image"] for own in chunk.rows] == ["a0.png", "a2.png"]
    assert len(told) == 1


def test_folders_and_zips_without_images(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.zip").write_text("no zip")
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as file:
        file.writestr("a.txt", "text")
    captions = tokens(tmp_path / "tokens.txt", 3)
    for name, message in (
        ("empty", "has no images"),
        ("texts.zip", "has no images"),
        ("bad.zip", "is no folder and can't be opened as a zip file"),
        ("albun", "no such file"),
    ):
        with pytest.raises(DataError, match=message):
            loader(tmp_path / name, captions, **NO_SPLIT).load()


def test_pillow_is_an_extra(tmp_path, monkeypatch):
    album = write_images(tmp_path / "album", 1)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtra, match=r"reading images needs the package Pillow: pip install 'rnncli\[images\]'"):
        loader(album, tokens(tmp_path / "tokens.txt", 1), **NO_SPLIT).load()


def described(made, source, on_bad_row=refuse):
    """(own columns, pixels) of each image of a source."""
    return [
        (dict(own), chunk.dataset.batch(np.array([row])).inputs["image"].values[0].numpy())
        for chunk in made.chunks(source, on_bad_row)
        for row, own in enumerate(chunk.rows)
    ]


def test_images_to_be_described_come_from_anywhere(tmp_path):
    album = write_images(tmp_path / "album", 3)
    made = loader(album, tokens(tmp_path / "tokens.txt", 3), **NO_SPLIT)
    made.load()
    made.notes.clear()
    other = write_images(tmp_path / "other", 5, height=12, width=20)
    small = Image.fromarray(pixels(4, 12, 20)).resize((10, 6), Image.Resampling.LANCZOS)
    expected = np.asarray(small).transpose(2, 0, 1)[None]
    for source, rows in ((other, 5), (zipped(other), 5), (other / "a4.png", 1)):
        found = described(made, source)
        assert len(found) == rows
        assert found[-1][0] == {"image": "a4.png"}
        assert np.array_equal(found[-1][1], expected)
    assert made.notes[-1] == "images resized to 6 x 10 pixels (data.size): 1"
    table = other / "new.csv"
    table.write_text("image,by\na4.png,me\na9.png,you\n")
    told: list[DataError] = []
    ((own, values),) = described(made, table, told.append)
    assert (own, len(told)) == ({"image": "a4.png", "by": "me"}, 1)
    assert "new.csv:3: there is no image 'a9.png'" in str(told[0])
    assert np.array_equal(values, expected)
    # Elsewhere the names are those of data.images.
    frame = pd.DataFrame({"image": ["a2.png"], "n": [1]})
    for source in (frame, io.BytesIO(b"image,n\na2.png,1\n"), ["a2.png"]):
        ((own, values),) = described(made, source)
        assert own["image"] == "a2.png"
        assert np.array_equal(values[0].transpose(1, 2, 0), pixels(2))
    (chunk,) = made.chunks(other / "a4.png", refuse)
    assert [*made.written(chunk, [{"prediction": "a dog"}])] == [{"image": "a4.png", "prediction": "a dog"}]
    with pytest.raises(DataError, match=r"nearest in .* is a4"):
        described(made, other / "a44.png")


@pytest.mark.parametrize("regions", [None, 3])
def test_features_from_npy_and_table_are_standardised_by_the_training_part(tmp_path, regions):
    random = np.random.default_rng(0)
    shape = (6, 4) if regions is None else (6, regions, 4)
    values = random.normal(3, 7, shape)
    np.save(tmp_path / "f.npy", values)
    (tmp_path / "names.txt").write_text("".join(f"a{k}.png\n" for k in range(6)))
    settings = {
        "names": tmp_path / "names.txt",
        "size": None,
        "test": listing(tmp_path / "test.txt", 1, 3),
        "captions": tokens(tmp_path / "tokens.txt", 6),
        "split": {"valid": 0},
    }
    train = listing(tmp_path / "train.txt", 5, 0, 2)
    made = loader(tmp_path / "f.npy", train, **settings)
    data = made.load()
    assert made.features == {"image": Values(4)}
    seen = values[[0, 2, 5]]
    scaled = torch.tensor((values - seen.mean()) / seen.std(), dtype=torch.float32).view(6, -1, 4)
    torch.testing.assert_close(data["train"].batch(np.array([1, 4])).inputs["image"].values, scaled[[5, 2]])
    torch.testing.assert_close(data["test"].batch(np.array([0, 1])).inputs["image"].values, scaled[[1, 3]])
    again = loader(tmp_path / "f.npy", train, **settings)
    again.restore(json.loads(json.dumps(made.state())))
    (chunk,) = again.chunks(tmp_path / "f.npy", refuse)
    torch.testing.assert_close(chunk.dataset.batch(np.arange(6)).inputs["image"].values, scaled)
    np.save(tmp_path / "wide.npy", values[..., :3])
    with pytest.raises(DataError, match=r"features of an image are \d x 3 numbers, in the training part \d x 4"):
        [*again.chunks(tmp_path / "wide.npy", refuse)]
    if regions is None:
        table = pd.DataFrame(values, columns=list("abcd"))
        table.insert(2, "image", [f"a{k}.png" for k in range(6)])
        table.to_csv(tmp_path / "f.csv", index=False)
        other = loader(tmp_path / "f.csv", train, **settings | {"names": None})
        torch.testing.assert_close(other.load()["train"].batch(np.array([1, 4])).inputs["image"].values, scaled[[5, 2]])
        (chunk,) = other.chunks(tmp_path / "f.csv", refuse)
        assert [own["image"] for own in chunk.rows] == [f"a{k}.png" for k in range(6)]


@pytest.mark.parametrize(
    ("values", "names", "message"),
    [
        (np.zeros(6), 6, r"has the shape \(6,\); \(images, numbers\) or"),
        (np.zeros((6, 0)), 6, r"has the shape \(6, 0\)"),
        (np.full((6, 2), np.nan), 6, r"row 1 has a number that is not finite"),
        (np.zeros((6, 2), dtype="U3"), 6, r"holds <U3 where an array of numbers"),
        (np.array([[object()]] * 6), 6, r"can't be read as an array of numbers"),
        (np.zeros((6, 2)), 5, r"names\.txt: has 5 names, f\.npy has 6 images"),
        (b"\x93NUMPY junk", 6, r"can't be read as an array of numbers"),
    ],
)
def test_features_that_cannot_be_used(tmp_path, values, names, message):
    path = tmp_path / "f.npy"
    if isinstance(values, bytes):
        path.write_bytes(values)
    else:
        np.save(path, values, allow_pickle=True)
    (tmp_path / "names.txt").write_text("".join(f"a{k}.png\n" for k in range(names)))
    made = loader(path, tokens(tmp_path / "tokens.txt", 6), names=tmp_path / "names.txt", size=None, **NO_SPLIT)
    with pytest.raises(DataError, match=message):
        made.load()


def test_a_table_of_features_holds_numbers(tmp_path):
    captions = tokens(tmp_path / "tokens.txt", 2)
    for text, message in (
        ("image,x\na0.png,1\na1.png,one\n", r"f\.csv:3: column 'x' holds 'one' where a finite number"),
        ("image,x\na0.png,1\na0.png,2\n", r"f\.csv:3: names image a0\.png a second time"),
        ("image\na0.png\n", r"f\.csv:2: has no columns but that of the image"),
    ):
        (tmp_path / "f.csv").write_text(text)
        with pytest.raises(DataError, match=message):
            loader(tmp_path / "f.csv", captions, size=None, **NO_SPLIT).load()


@pytest.mark.skipif(ROOT is None, reason="RNNCLI_DATA is not set")
def test_flickr8k():
    folder = Path(ROOT or "") / "flickr8k"
    made = loader(
        folder / "images_64.zip",
        folder / "Flickr_8k.trainImages.txt",
        valid=folder / "Flickr_8k.devImages.txt",
        test=folder / "Flickr_8k.testImages.txt",
        captions=folder / "Flickr8k.token.txt",
        target={"lowercase": True, "min_count": 5},
        size=None,
    )
    data = made.load(limit=200)
    assert {name: len(part) for name, part in data.items()} == {"train": 1000, "valid": 200, "test": 200}
    assert not any("resized" in note for note in made.notes)
    assert {len(several) for several in data["test"].references} == {5}
    name = (folder / "Flickr_8k.testImages.txt").read_text().split()[17]
    with zipfile.ZipFile(folder / "images_64.zip") as file:
        image = Image.open(io.BytesIO(file.read(f"images_64/{name}"))).convert("RGB")
    assert np.array_equal(shown(data["test"], 17), np.asarray(image))
