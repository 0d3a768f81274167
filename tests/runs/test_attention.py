"""Where decoders look, as pages and pictures: the numbers are the model's, and what users wrote stays text."""

from __future__ import annotations

import base64
import io
import random
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from rnncli.decoding.settings import DecodingSettings
from rnncli.errors import RunError
from rnncli.models.encoder_decoder import EncoderDecoder
from rnncli.runs import attention, attention_figure, attention_page
from rnncli.runs.attention import END_MARK, SPACE, Looks
from rnncli.runs.load import LoadedRun, refuse

from .small import config_of, texts_config, trained, write_texts

SCRIPT = "<script>alert('1')</script>"
WORDS = {"one": "eins", "two": "zwei", "three": "drei", SCRIPT: f"&{SCRIPT}"}


LENGTH = {"max_length": 12}


def pairs(folder: Path, count: int = 70) -> Path:
    """Pairs of words: sources of 1 to 7 words, some with spaces about them; seen anew where `folder` has them."""
    draw, lines = random.Random(1), ["source\ttarget"]
    for _ in range(count):
        words = draw.choices(list(WORDS), k=draw.randint(1, 7))
        lines.append("\t".join(["  ".join(words), " ".join(WORDS[word] for word in words)]))
    path = folder / "pairs.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def config(
    folder: Path,
    data: dict[str, Any] | None = None,
    task: str = "many-to-many",
    decoding: dict[str, Any] = LENGTH,
    **model: Any,
) -> Any:
    whole = {
        "task": task,
        "data": data or {"loader": "pairs", "train": str(pairs(folder)), "split": {"valid": 0.2, "test": 0}},
        "model": {"cell": {"type": "gru", "hidden_size": 8}, "embedding_size": 6, **model},
        "decoding": decoding,
        "training": {"epochs": 3, "batch_size": 4, "learning_rate": 0.03, "threads": 1},
    }
    return config_of(whole, folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> LoadedRun:
    folder = tmp_path_factory.mktemp("attention")
    trained(config(folder, decoder={"attention": "additive"}, bidirectional=True), folder / "run")
    return LoadedRun(folder / "run")


@pytest.fixture
def decode(run: LoadedRun, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LoadedRun]:
    """The run with another way of decoding, for one test."""

    def changed(**options: Any) -> LoadedRun:
        monkeypatch.setattr(run, "decoding", DecodingSettings.model_validate(options))
        return run

    return changed


def source(run: LoadedRun) -> Path:
    return run.directory.path.parent / "pairs.tsv"


def looks(run: LoadedRun, given: Any, most: int = 50) -> Looks:
    found = Looks(run, most)
    for _ in run.rows(given, refuse, False, found.see):
        pass
    return found


class Section(NamedTuple):
    """What a page says of one input."""

    heading: str
    head: list[str]
    side: list[str]
    titles: list[str]
    styles: list[str]


class Sections(HTMLParser):
    """Reads a page, as a browser would; any element that could run code or reach out fails."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[Section] = []
        self._open: list[str] = []
        self._row = False
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = dict(attributes)
        assert tag not in ("script", "iframe", "link", "img", "object", "a")
        assert not any(name.startswith("on") or name in ("src", "href") for name in known)
        self._open.append(tag)
        if tag == "section":
            self.found.append(Section("", [], [], [], []))
        elif tag in ("td", "i") and "title" in known:
            self.found[-1].titles.append(known["title"] or "")
            self.found[-1].styles.append(known["style"] or "")
        elif tag == "th":
            self._row = known["scope"] == "row"

    def handle_endtag(self, tag: str) -> None:
        self._open.reverse()
        self._open.remove(tag)
        self._open.reverse()

    def handle_data(self, data: str) -> None:
        if "h2" in self._open:
            self.found[-1] = self.found[-1]._replace(heading=data)
        elif "th" in self._open:
            (self.found[-1].side if self._row else self.found[-1].head).append(data)
        elif "figcaption" in self._open:
            self.found[-1].side.append(data)


def model_says(run: LoadedRun, text: str) -> tuple[list[int], np.ndarray]:
    """The tokens of the answer to one text and the weights of it, without batch mates."""
    assert isinstance(run.model, EncoderDecoder)
    (chunk,) = run.loader.chunks([text], refuse)
    with torch.no_grad():
        batch = chunk.dataset.batch(np.arange(1))
        answer = run.model.eval().decoded(batch, run.decoding)[0][0].tokens
        found = run.model.attention(batch, [answer])
    assert found is not None
    return answer, found[0]


@pytest.mark.parametrize("way", [{}, {"method": "beam", "beam_size": 3, "n_best": 2}])
def test_a_page_has_the_weights_of_the_model(decode: Callable[..., LoadedRun], way: dict[str, Any]) -> None:
    run = decode(max_length=12, **way)
    found = looks(run, source(run), most=9)
    sections = Sections(attention_page.content(found)).found
    texts = [line.split("\t")[0] for line in source(run).read_text().splitlines()[1:10]]
    predictions = run.predict(source(run))
    answers = predictions["prediction"][:: 2 if way else 1].tolist()
    assert len(sections) == 9
    for section, text, answer in zip(sections, texts, answers, strict=False):
        tokens, weights = model_says(run, text)
        names = [run.loader.target.names[token] for token in tokens]
        rows = names + [END_MARK] * (len(tokens) < 12)
        assert answer == " ".join(names)
        assert section.heading == (answer or "(nothing)")
        assert section.head == text.split()
        assert section.side == rows
        shown = np.array([float(title.rpartition(": ")[2]) for title in section.titles])
        shades = np.array([float(style.removeprefix("--w:")) for style in section.styles])
        wanted = weights[: len(rows)]
        np.testing.assert_allclose(shown.reshape(wanted.shape), wanted, atol=6e-4)
        np.testing.assert_allclose(shades.reshape(wanted.shape), wanted / wanted.max(), rtol=0.01, atol=6e-4)
        pairs = [f"{word} → {row}" for row in rows for word in text.split()]
        assert [title.rpartition(": ")[0] for title in section.titles] == pairs
    assert len({section.heading for section in sections}) > 2, "else any weights would do"


def test_drawn_answers_are_those_of_the_predictions(decode: Callable[..., LoadedRun]) -> None:
    run = decode(method="sample", temperature=2.0, seed=3, max_length=9)
    assert [look.text for look in looks(run, source(run)).found] == run.predict(source(run))["prediction"].tolist()[:50]


def test_an_answer_that_was_cut_has_no_end(decode: Callable[..., LoadedRun]) -> None:
    run = decode(max_length=2)
    found = looks(run, source(run)).found
    cut = [look for look in found if len(look.text.split()) == 2]
    assert cut and all(len(look.written) == len(look.weights) == 2 for look in cut)
    assert all(END_MARK not in look.written for look in cut)


def test_what_users_wrote_stays_text(run: LoadedRun) -> None:
    page = attention_page.content(looks(run, [SCRIPT, "one"])).decode()
    assert "<script" not in page and "alert(&#39;1&#39;)" in page
    assert not re.search(r"https?:|@import|url\((?!data:)", page), "nothing is fetched"


def test_what_is_left_out_is_told(run: LoadedRun) -> None:
    found = looks(run, source(run))
    assert (len(found.found), found.inputs, found.left_out) == (50, 70, 20)
    assert "The first 50 of 70 inputs; 20 are left out." in attention_page.content(found).decode()
    assert "left out" not in attention_page.content(looks(run, ["one two"])).decode()


def test_a_page_stays_small(run: LoadedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = np.cumsum([look.weights.size for look in looks(run, source(run)).found])
    monkeypatch.setattr(attention, "MOST_WEIGHTS", int(sizes[6]))
    assert len(looks(run, source(run)).found) == 7
    monkeypatch.setattr(attention, "MOST_WEIGHTS", 1)
    assert len(looks(run, source(run)).found) == 1, "one is always shown"


@pytest.mark.parametrize("count", [1, 5, 40])
def test_a_picture_has_a_sensible_size(run: LoadedRun, count: int) -> None:
    found = looks(run, ["one two three"] * count, attention_figure.MOST)
    assert len(found.found) == min(count, 12)
    with Image.open(io.BytesIO(attention_figure.content(found))) as image:
        image.load()
        assert image.format == "PNG"
        assert 150 < image.width < 1800
        assert 100 < image.height / len(found.found) < 400
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert ((pixels[..., 2] - pixels[..., 0]) > 60).any(), "cells are blue"


def test_sounds_are_named_by_the_clock_and_every_tenth_step_is_labelled(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    for number in range(12):
        samples = np.sin(np.arange(4000 + 300 * number) * (0.2 if number % 2 else 0.6)) + 0.01 * draw.normal(size=1)
        soundfile.write(tmp_path / f"{'ab'[number % 2]}b_{number}.wav", 0.3 * samples, 8000)
    data = {
        "loader": "audio",
        "train": str(tmp_path),
        "name": r"(?P<word>[a-z]+)_\d+",
        "target": {"kind": "sequence", "column": "word"},
        "features": {"type": "log_mel", "mels": 8, "hop": 10, "window": 30},
        "split": {"valid": 0.25, "test": 0},
    }
    trained(config(tmp_path, data, decoder={}), tmp_path / "run")
    found = looks(LoadedRun(tmp_path / "run"), tmp_path / "ab_0.wav")
    (look,) = found.found
    steps = 1 + (4000 - 240) // 80
    assert look.read == [f"{0.015 + 0.01 * step:.3f} s" for step in range(steps)]
    assert look.weights.shape == (len(look.written), steps)
    assert "ab_0.wav" in str(look.own)
    (section,) = Sections(attention_page.content(found)).found
    assert section.head == look.read[::10]
    assert len(section.titles) == look.weights.size
    with Image.open(io.BytesIO(attention_figure.content(found))) as image:
        assert image.width < 1900


def test_captions_lie_over_the_picture(tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    rows = ["image,caption"]
    for number in range(10):
        pixels = np.random.default_rng(number).integers(0, 256, (8, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(album / f"p{number}.png")
        rows.append(f"p{number}.png,{['one', 'two'][number % 2]} thing")
    (tmp_path / "train.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    data = {
        "loader": "captions",
        "images": str(album),
        "train": str(tmp_path / "train.csv"),
        "size": [8, 16],
        "split": {"valid": 0.2, "test": 0},
    }
    settings = config(tmp_path, data, "one-to-many", decoder={}, image_encoder={"channels": [8, 16]})
    trained(settings, tmp_path / "run")
    run = LoadedRun(tmp_path / "run")
    found = looks(run, album)
    page = attention_page.content(found)
    sections = Sections(page).found
    assert len(sections) == len(found.found) == 10
    shown = [base64.b64decode(each) for each in re.findall(r"data:image/png;base64,([\w+/=]+)", page.decode())]
    for number, (section, look, png) in enumerate(zip(sections, found.found, shown, strict=True)):
        original = np.asarray(Image.open(album / f"p{number}.png"))
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), original)
        assert look.grid == (2, 4) and look.read[5] == "row 2, column 2"
        assert section.side == look.written
        values = [float(title.rpartition(": ")[2]) for title in section.titles]
        np.testing.assert_allclose(np.reshape(values, look.weights.shape), look.weights, atol=6e-4)
        np.testing.assert_allclose(look.weights.sum(1), 1, rtol=1e-5)
    with Image.open(io.BytesIO(attention_figure.content(found))) as image:
        assert 150 < image.width < 1800 and 500 < image.height < 4000


@pytest.mark.parametrize("units", ["sentencepiece", "character"])
def test_spaces_can_be_seen(tmp_path: Path, units: str) -> None:
    side = {"units": units} | ({"sentencepiece_size": 30} if units == "sentencepiece" else {})
    data = {"loader": "pairs", "train": str(pairs(tmp_path)), "source": side, "target": side}
    trained(config(tmp_path, data, decoder={}), tmp_path / "run")
    (look,) = looks(LoadedRun(tmp_path / "run"), ["two one"]).found
    assert look.own == {"source": "two one"}
    assert "".join(look.read).lstrip(SPACE) == f"two{SPACE}one"
    assert "".join(look.written).removesuffix(END_MARK).replace(SPACE, " ").strip() == look.text.strip()


def _class_pairs(folder: Path) -> Any:
    pairs(folder)
    data = {"loader": "pairs", "train": str(folder / "pairs.tsv"), "source": {"kind": "class"}}
    return config(folder, data | {"split": {"valid": 0, "test": 0}}, "one-to-many", decoder={})


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "CTC": (lambda folder: config(folder, decoding={}, head={"type": "ctc"}), "CTC says what it reads step by step"),
    "none": (
        lambda folder: config(folder, decoder={"attention": "none"}),
        r"has none \(model.decoder.attention: none\)",
    ),
    "class": (_class_pairs, "one position"),
    "kind": (lambda folder: config_of(texts_config(write_texts(folder / "texts.csv")), folder), "target of kind class"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_where_there_is_nothing_to_show_the_reason_is_told(tmp_path: Path, kind: str) -> None:
    make, reason = REFUSED[kind]
    trained(make(tmp_path), tmp_path / "run")
    with pytest.raises(RunError, match=reason) as refused:
        looks(LoadedRun(tmp_path / "run"), [next(iter(WORDS))])
    assert str(refused.value).startswith(str(tmp_path / "run"))
