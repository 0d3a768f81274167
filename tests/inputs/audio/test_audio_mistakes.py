"""Recordings that can't be used, options that do nothing, states that are damaged."""

import io
import sys
import zipfile

import numpy as np
import pytest
import soundfile
from audio_loading import CLASS, NAME, TEXT, features, loader, settings, spoken, tone, write
from pydantic import ValidationError

from rnncli.errors import ConfigError, DataError, MissingExtra, RunError, UserError
from rnncli.inputs.audio.loader import AudioLoader

BY_NAME = {"name": NAME, "target": CLASS | {"column": "word"}}
PLAIN = {"split": {"valid": 0, "test": 0}}


def long_float(path):
    soundfile.write(path, np.array([0.1, np.nan] * 500), 8000, subtype="FLOAT")


def promised(path, rate=8000, length=2**36 - 1):
    """A FLAC file whose header promises what isn't there."""
    soundfile.write(path, tone(400), 8000, format="FLAC")
    head = bytearray(path.read_bytes())
    channels_and_bits = int.from_bytes(head[18:26], "big") >> 36 & 0xFF
    head[18:26] = (rate << 44 | channels_and_bits << 36 | length).to_bytes(8, "big")
    path.write_bytes(head)


BAD = {
    "empty file": (lambda path: path.write_bytes(b""), "can't be decoded"),
    "text": (lambda path: path.write_text("hello" * 100), "can't be decoded"),
    "half a header": (lambda path: path.write_bytes(b"RIFF\x24\x08\0\0WAVEfmt "), "can't be decoded"),
    "no samples": (lambda path: soundfile.write(path, np.zeros(0), 8000), "has no samples"),
    "short": (lambda path: write(path, tone(400, 0.02)), "has 160 samples at 8000 Hz, which is less than a window"),
    "no number": (long_float, "no finite number"),
    "endless": (promised, "says that it has 68,719,476,735 samples, where at most"),
    "stream": (lambda path: promised(path, length=0), "stored without its length, write it anew"),
    "fast": (lambda path: soundfile.write(path, tone(400), 400_001), "has 400,001 samples a second, where at most"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", BAD)
def test_a_recording_that_can_not_be_used(tmp_path, kind, packed):
    make, message = BAD[kind]
    source = spoken(tmp_path / "sounds", count=2)
    make(source / "low_eve_7.wav")
    if packed:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            for path in source.iterdir():
                archive.write(path, path.name)
        source = tmp_path / "all.zip"
    with pytest.raises(DataError, match=message) as caught:
        loader(source, **BY_NAME, **PLAIN).load()
    assert str(caught.value).startswith(f"{source}/low_eve_7.wav: ")
    made = loader(source, **BY_NAME, **PLAIN, skip_bad_rows=True)
    assert len(made.load()["train"]) == 8
    assert made.notes[-1].startswith("rows left out: 1; the first: ")
    told = []
    found = [row for chunk in made.chunks(source, told.append) for row in chunk.rows]
    assert len(found) == 8 and len(told) == 1 and message in str(told[0])


def test_a_file_whose_name_does_not_match(tmp_path):
    spoken(tmp_path)
    for name in ("low", "low_ann_1x", "a_low_ann_1"):
        write(tmp_path / f"{name}.wav", tone(300))
        with pytest.raises(DataError, match=rf"{name}.wav: the name '{name}' does not match data.name"):
            loader(tmp_path, **BY_NAME).load()
        (tmp_path / f"{name}.wav").unlink()


def test_a_class_that_the_training_part_lacks(tmp_path):
    train, test = spoken(tmp_path / "a"), tmp_path / "b"
    write(test / "lwo_ann_1.wav", tone(300))
    with pytest.raises(DataError, match=r"lwo_ann_1.wav: class 'lwo' does not occur .* did you mean 'low'\?"):
        loader(train, test=test, **BY_NAME, split={"valid": 0}).load()
    with pytest.raises(DataError, match="only one class, 'a'"):
        loader(train, **PLAIN).load()


def test_columns_that_are_not_there(tmp_path):
    spoken(tmp_path)
    with pytest.raises(DataError, match=r"no column 'wrod' \(data.target.column\); did you mean 'word'\?"):
        loader(tmp_path, name=NAME, target=CLASS | {"column": "wrod"}).load()
    for split, message in (
        ({"test": {"speker": ["ann"]}}, r"no column 'speker' \(data.split.test\)"),
        ({"test": {"speaker": ["anna"]}}, r"data.split.test: no file has the speaker 'anna'; did you mean 'ann'\?"),
        ({"test": {"speaker": ["ann"]}, "valid": {"index": [1]}}, "is chosen for valid and for test"),
        ({"test": {"speaker": ["ann", "bob"]}}, "no file is left for the train part"),
        ({"test": {"speaker": ["ann"], "index": ["07"]}}, "no file has the index '07'"),
    ):
        with pytest.raises(UserError, match=message):
            loader(tmp_path, **BY_NAME, split=split).load()


def test_manifests_with_mistakes(tmp_path):
    write(tmp_path / "a.wav", tone(300))
    write(tmp_path / "b.wav", tone(900))
    manifest = tmp_path / "m.csv"

    def load(content, **options):
        manifest.write_text(content)
        return loader(manifest, target=CLASS | {"column": "said"}, **PLAIN, **options).load()

    with pytest.raises(DataError, match=r"m.csv:3: .*c.wav: no such file"):
        load("file,said\na.wav,x\nc.wav,y\n")
    with pytest.raises(DataError, match=r"m.csv:2: .*a.wav: has no class in 'said'"):
        load("file,said\na.wav,\n")
    with pytest.raises(DataError, match=r"m.csv: has no column 'file' \(data.input\)"):
        load("path,said\na.wav,x\n")
    with pytest.raises(DataError, match=r"'said' is a column of the manifest and a group of data.name"):
        load("file,said\na.wav,x\n", name="(?P<said>.)")
    assert len(load("file,said\na.wav,x\nb.wav,y\nc.wav,y\n", skip_bad_rows=True)["train"]) == 2


def test_stored_features_with_mistakes(tmp_path):
    def load(**files):
        for name, content in files.items():
            path = tmp_path / f"{name}.npy"
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                np.save(path, content, allow_pickle=True)
        return loader(tmp_path, name=r"(?P<word>\w)\d?", target=CLASS | {"column": "word"}, **PLAIN).load()

    good = np.ones((3, 2))
    assert len(features(load(a=good, b=good)["train"])) == 2
    for bad, message in (
        (np.ones(4), r"shape \(4,\)"),
        (np.ones((0, 2)), r"shape \(0, 2\)"),
        (np.ones((3, 4)), "has 4 features, the first file of the training part 2"),
        (np.array([[1, np.inf]]), "not finite"),
        (np.array([["x", "y"]]), "holds <U1 where an array of numbers is needed"),
        (np.array([{"a": 1}]), "can't be read as an array of numbers"),
        (b"\x93NUMPY\1\0\x50\0{'descr': '<f8', 'shape': (3," + b" " * 40 + b"\n", "can't be read as an array"),
        (b"\x93NUMPY\1\0\x50\0" + f"{{{'x' * 70}{':8'}".ljust(79).encode() + b"\n", "can't be read as an array"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            load(b1=bad)
        assert "b1.npy" in str(caught.value)
    (tmp_path / "b1.npy").unlink()
    for content, message in (
        ("1,2\n3,x\n", "line 2 holds '3,x'"),
        ("1,2\n3,inf\n", "line 2 holds '3,inf'"),
        ("1,2\n3\n", "line 2 has 1 numbers, the first 2"),
    ):
        (tmp_path / "c.csv").write_text(content)
        with pytest.raises(DataError, match=f"c.csv: {message}"):
            load()
    (tmp_path / "c.csv").unlink()
    write(tmp_path / "c.wav", tone(400))
    with pytest.raises(DataError, match=r"c.wav: holds a sound, and the first file of the training part stored"):
        load()
    (tmp_path / "c.wav").unlink()
    with pytest.raises(ConfigError, match=r"data.features: the files hold features"):
        loader(tmp_path, features={"type": "mfcc"}, **PLAIN).load()


def test_sources_without_recordings(tmp_path):
    with pytest.raises(DataError, match="has no file that can be used"):
        loader(tmp_path).load()
    with pytest.raises(DataError, match="no such file"):
        loader(tmp_path / "sounds").load()
    (tmp_path / "broken.zip").write_bytes(b"PK no zip")
    with pytest.raises(DataError, match=r"broken.zip: is no folder and can't be opened as a zip file"):
        loader(tmp_path / "broken.zip").load()
    (tmp_path / "a.mp4").write_bytes(b"x")
    with pytest.raises(DataError, match="is neither a recording"):
        loader(tmp_path / "a.mp4").load()
    made = loader(spoken(tmp_path / "good"), **BY_NAME, **PLAIN)
    made.load()
    with pytest.raises(UserError, match="not from standard input"):
        list(made.chunks(io.BytesIO(), pytest.fail))


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtra, match=r"needs the package soundfile: pip install 'rnncli\[audio\]'"):
        loader(spoken_without_package(tmp_path), **PLAIN).load()


def spoken_without_package(folder):
    (folder / "a.wav").write_bytes(b"RIFF")
    return folder


JOIN = {"recordings": 2, "train": 9, "valid": 1, "test": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": CLASS | {"units": "word"}}, "target.units: is for texts"),
        ({"target": CLASS | {"lowercase": True}}, "target.lowercase: is for texts"),
        ({"join": JOIN}, "join: joins texts"),
        ({"features": {"type": "mfcc", "coefficients": 30, "mels": 20}}, "features.coefficients: 30"),
        ({"split": {"seed": 2, "valid": 0, "test": {"x": ["a"]}}}, "split.seed: no part is drawn"),
        ({"test": "there", "split": {"test": {"x": ["a"]}}}, "split.test: data.test has files of its own"),
        ({"name": "(?P<a>"}, "is no regular expression"),
        ({"name": "(a)"}, "has no named group"),
        ({"name": "(?P<folder>a)"}, "has a group 'folder'"),
        ({"split": {"test": {"x": []}}}, "at least 1 item"),
    ],
)
def test_options_that_do_nothing(options, message):
    with pytest.raises(ValidationError, match=message):
        settings("here", **options)


@pytest.mark.parametrize(("target", "task"), [(CLASS, "many-to-many"), (TEXT, "many-to-one"), (CLASS, "one-to-one")])
def test_tasks_that_do_not_go_with_the_target(target, task):
    with pytest.raises(ConfigError, match=f"does not go with task: {task}"):
        AudioLoader(settings("here", target=target), task)


@pytest.mark.parametrize("key", ["target", "encoder", "recordings", "scale"])
def test_a_damaged_state(tmp_path, key):
    made = loader(spoken(tmp_path), name=NAME, target=TEXT, normalization="training", **PLAIN)
    made.load()
    for damaged in ({k: v for k, v in made.state().items() if k != key}, made.state() | {key: [1]}):
        with pytest.raises(RunError):
            loader(tmp_path, name=NAME, target=TEXT, normalization="training").restore(damaged)
