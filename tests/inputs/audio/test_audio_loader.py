"""Where recordings come from, what is known of them, and what becomes of them."""

import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.io.wavfile
import torch
from audio_loading import CLASS, NAME, TEXT, features, loader, restored, same, spoken, texts, tone, write

from rnncli.inputs.audio.loader import AudioLoader
from rnncli.inputs.audio.settings import AudioSettings, LogMelSettings
from rnncli.inputs.audio.spectra import Spectra
from rnncli.inputs.features import Values

BY_NAME = {"name": NAME, "target": CLASS | {"column": "word"}}
PLAIN = {"normalization": "none", "split": {"valid": 0, "test": 0}}


def foldered(folder, source):
    """The same recordings in a folder for each word."""
    for path in source.iterdir():
        (folder / path.name.split("_")[0]).mkdir(parents=True, exist_ok=True)
        (folder / path.name.split("_")[0] / path.name).write_bytes(path.read_bytes())
    return folder


def zipped(path, folder):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*"), reverse=True):
            archive.write(file, file.relative_to(folder))
        archive.writestr("__MACOSX/low.wav", b"no sound")
        archive.writestr("README.md", b"about")
    return path


def test_a_class_by_the_name_of_the_file(tmp_path):
    made = loader(spoken(tmp_path), **BY_NAME, **PLAIN)
    data = made.load()
    assert made.target.names == ("high", "low") and made.target.counts == (10, 10)
    assert made.features == {"features": Values(40)}
    batch = data["train"].batch(np.array([19, 0]))
    assert batch.targets.tolist() == [1, 0] and batch.targets.dtype == torch.int64
    rate, samples = scipy.io.wavfile.read(tmp_path / "high_ann_0.wav")
    wanted = Spectra(LogMelSettings(type="log_mel"), rate)((samples / 2**15).astype(np.float32))
    steps = int(batch.inputs["features"].lengths[1])
    np.testing.assert_allclose(batch.inputs["features"].values[1, :steps], wanted, atol=1e-4)
    assert len(made.files) == 20 and made.notes == []


def test_folder_zip_and_manifest_say_the_same(tmp_path):
    source = spoken(tmp_path / "flat")
    plain = loader(source, **BY_NAME, **PLAIN).load()["train"]
    folder = foldered(tmp_path / "folders", source)
    by_folder = loader(folder, **PLAIN).load()["train"]
    archive = loader(zipped(tmp_path / "all.zip", folder), **PLAIN)
    by_zip = archive.load()["train"]
    rows = [f"flat/{path.name},{path.name.split('_')[0]}" for path in sorted(source.iterdir())]
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join(["path,said", *rows]) + "\n")
    by_manifest = loader(manifest, input="path", target={"kind": "class", "column": "said"}, **PLAIN)
    by_table = by_manifest.load()["train"]
    for other in (by_folder, by_zip, by_table):
        same(plain, other)
        assert other.targets.tolist() == plain.targets.tolist()
    assert archive.files == [tmp_path / "all.zip"]
    assert archive.notes == ["left out of all.zip: 1 file that is no recording (README.md)"]
    assert by_manifest.files == [manifest, *sorted(source.iterdir())]
    assert not any(path.suffix == ".wav" for path in tmp_path.iterdir())  # nothing is taken out of the zip file


def test_zip_files_without_folders_are_folders_of_their_names(tmp_path):
    spoken(tmp_path / "flat")
    for name in ("low", "high"):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for path in sorted((tmp_path / "flat").glob(f"{name}_*")):
                archive.write(path, path.name)
    archives = [tmp_path / "high.zip", tmp_path / "low.zip"]
    made = AudioLoader(AudioSettings(loader="audio", train=archives, target=CLASS, **PLAIN), "many-to-one")
    data = made.load()["train"]
    same(data, loader(tmp_path / "flat", **BY_NAME, **PLAIN).load()["train"])
    assert made.target.names == ("high", "low") and data.targets.tolist() == [0] * 10 + [1] * 10
    assert made.files == archives
    beside = loader(tmp_path, **BY_NAME, **PLAIN)  # a zip file within a folder is no recording
    assert len(beside.load()["train"]) == 20
    assert beside.notes == [f"left out of {tmp_path.name}: 2 files that are no recordings (high.zip, low.zip)"]


def test_parts_by_groups_and_by_share(tmp_path):
    split = {"test": {"index": [0, "3"], "speaker": ["bob"]}, "valid": {"speaker": ["ann"], "index": ["2"]}}
    made = loader(spoken(tmp_path), **BY_NAME, normalization="none", split=split)
    data = made.load()
    assert {name: len(part) for name, part in data.items()} == {"train": 14, "valid": 2, "test": 4}
    whole = features(loader(tmp_path, **BY_NAME, **PLAIN).load()["train"])
    names = sorted(path.stem for path in tmp_path.iterdir())
    wanted = [names.index(f"{word}_bob_{index}") for word in ("high", "low") for index in (0, 3)]
    for one, row in zip(features(data["test"]), wanted, strict=True):
        np.testing.assert_array_equal(one, whole[row])
    for seed in range(5):
        drawn = loader(tmp_path, **BY_NAME, split={"test": {"speaker": ["bob"]}, "valid": 0.4, "seed": seed}).load()
        assert {name: len(part) for name, part in drawn.items()} == {"train": 6, "valid": 4, "test": 10}
        assert sorted(drawn["valid"].targets.tolist()) == [0, 0, 1, 1]  # as many of each class
    refit = loader(tmp_path, **BY_NAME, split={"test": {"speaker": ["bob"]}, "valid": 0.2}).load(refit=True)
    assert {name: len(part) for name, part in refit.items()} == {"train": 10, "test": 10}


def test_equal_recordings_fall_into_one_part(tmp_path):
    spoken(tmp_path, count=2)
    for path in list(tmp_path.iterdir()):
        (tmp_path / path.name.replace(".wav", "9.wav")).write_bytes(path.read_bytes())
    for seed in range(5):
        data = loader(tmp_path, **BY_NAME, split={"valid": 0.3, "test": 0.3, "seed": seed}).load()
        held = [{one.tobytes() for one in features(part)} for part in data.values()]
        assert not held[0] & held[1] and not held[0] & held[2] and not held[1] & held[2]


def test_parts_of_files_of_their_own_and_a_limit(tmp_path):
    train, test = spoken(tmp_path / "a", count=7), spoken(tmp_path / "b", ("eve",), count=2)
    data = loader(train, test=test, **BY_NAME, split={"valid": 0.25}).load(limit=12)
    assert {name: len(part) for name, part in data.items()} == {"train": 9, "valid": 3, "test": 4}
    few = loader(train, test=test, **BY_NAME, split={"valid": 0}).load(limit=3)
    assert few["train"].targets.tolist() == [0, 1, 0]  # an equal share of each class
    assert len(few["test"]) == 3
    spread = loader(train, name=NAME, target=TEXT, split={"valid": 0, "test": 0}).load(limit=4)
    assert texts(spread["train"]) == ["high", "high", "low", "low"]  # evenly from the first to the last


def test_stereo_is_the_mean_and_another_rate_is_brought_to_the_first(tmp_path):
    mono, other = tone(500), tone(900, seed=4)
    write(tmp_path / "a" / "1.wav", (mono + other) / 2)
    write(tmp_path / "a" / "2.wav", np.stack([mono, other], axis=1))
    write(tmp_path / "b" / "3.wav", tone(700, rate=22050), 22050)
    write(tmp_path / "b" / "4.flac", tone(700))
    made = loader(tmp_path, **PLAIN)
    heard = features(made.load()["train"])
    np.testing.assert_allclose(heard[0], heard[1], atol=0.05)
    assert made.notes == ["resampled to 8000 Hz: 1 of 4 recordings"]
    list(made.chunks(tmp_path / "a", pytest.fail))
    list(made.chunks(tmp_path / "b", pytest.fail))
    assert made.notes[1:] == ["resampled to 8000 Hz: 1 of 2 recordings"]  # of those read since then
    assert len(heard[2]) == len(heard[3])
    # The noises differ, the tone is the same.
    loud = heard[3].mean(0) > heard[3].mean(0).max() - 4
    np.testing.assert_allclose(heard[2].mean(0)[loud], heard[3].mean(0)[loud], atol=0.3)
    faster = loader(tmp_path, sample_rate=16000, **PLAIN)
    faster.load()
    assert faster.notes == ["resampled to 16000 Hz: 4 of 4 recordings"]
    assert restored(made)._recordings.to_json() == {"stored": False, "sample_rate": 8000, "width": 40}


@pytest.mark.parametrize("suffix", [".npy", ".csv"])
def test_features_stored_beforehand(tmp_path, suffix):
    generator = np.random.default_rng(2)
    tables = [generator.normal(size=(steps, 3)).astype(np.float32) for steps in (4, 1, 6, 2)]
    for number, table in enumerate(tables):
        path = tmp_path / "xy"[number % 2] / f"{number}{suffix}"
        path.parent.mkdir(exist_ok=True)
        if suffix == ".npy":
            np.save(path, table)
        else:
            np.savetxt(path, table, delimiter=",", fmt="%.9g")
    made = loader(tmp_path, **PLAIN)
    heard = features(made.load()["train"])
    for one, other in zip(heard, [tables[k] for k in (0, 2, 1, 3)], strict=True):
        np.testing.assert_array_equal(one, other)
    assert made.features == {"features": Values(3)}
    (chunk,) = restored(made).chunks(tmp_path / "y" / f"3{suffix}", pytest.fail)
    np.testing.assert_array_equal(features(chunk.dataset)[0], tables[3])


def test_rows_of_predictions(tmp_path):
    train = spoken(tmp_path / "train")
    made = loader(train, **BY_NAME, **PLAIN)
    made.load()
    new = tmp_path / "new"
    write(new / "deep" / "any name.wav", tone(310))  # what is asked for need not be in it
    write(new / "high_eve_2.wav", tone(1600))
    manifest = new / "list.tsv"
    manifest.write_text("file\tnote\nhigh_eve_2.wav\tx\ndeep/any name.wav\ty\n")
    predictions = [{"prediction": "p"}, {"prediction": "q"}]
    again = restored(made)

    def written(source):
        return [
            dict(row) for c in again.chunks(source, pytest.fail) for row in again.written(c, predictions[: len(c.rows)])
        ]

    assert written(new) == [
        {"file": "deep/any name.wav", "prediction": "p"},
        {"file": "high_eve_2.wav", "prediction": "q"},
    ]
    assert written(zipped(tmp_path / "new.zip", new))[1] == {"file": "high_eve_2.wav", "prediction": "q"}
    assert written(manifest) == [
        {"file": "high_eve_2.wav", "note": "x", "prediction": "p"},
        {"file": "deep/any name.wav", "note": "y", "prediction": "q"},
    ]
    one = new / "high_eve_2.wav"
    assert written(one) == [{"file": "high_eve_2.wav", "prediction": "p"}]
    assert written([str(one)]) == [{"file": str(one), "prediction": "p"}]
    assert written(pd.DataFrame({"file": [str(one)], "k": [7]})) == [{"file": str(one), "k": "7", "prediction": "p"}]
