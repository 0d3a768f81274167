"""`rnncli predict --attention`."""

from __future__ import annotations

import csv
import io
import re
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from .conftest import Rnncli


def headings(page: Path) -> list[str]:
    found = re.findall(r'<h2 dir="auto">(.*?)</h2>', page.read_text(encoding="utf-8"))
    return ["" if text == "(nothing)" else text for text in found]


def test_a_page_stands_beside_the_predictions(rnncli: Rnncli, reverses: Path, tmp_path: Path) -> None:
    plain = rnncli("predict", reverses / "run", reverses / "pairs.csv")
    code, out, err = rnncli("predict", reverses / "run", reverses / "pairs.csv", "--attention", tmp_path / "a.html")
    assert (code, out) == (0, plain.out)
    assert f"attention of 50 inputs in {tmp_path / 'a.html'}; 36 left out\n" in err
    predicted = [row["prediction"] for row in csv.DictReader(io.StringIO(out))]
    assert headings(tmp_path / "a.html") == predicted[:50]
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"], "nothing unfinished is left"


def test_standard_input_is_read_once(rnncli: Rnncli, reverses: Path, tmp_path: Path) -> None:
    page, out = tmp_path / "a.html", tmp_path / "out.csv"
    given = b"source\n123\n\xff\n45\n"
    code, _, err = rnncli("predict", reverses / "run", "--attention", page, "--out", out, given=given)
    assert code == 0 and err.count("left out: ") == 1
    assert headings(page) == [row["prediction"] for row in csv.DictReader(out.open())]
    assert len(headings(page)) == 2
    code, _, err = rnncli("predict", reverses / "run", "--quiet", "--attention", page, "--out", out, given=given)
    assert (code, err.count("\n")) == (0, 1), "the bad row alone is told"


def test_options_of_decoding_count(rnncli: Rnncli, reverses: Path, tmp_path: Path) -> None:
    page, how = tmp_path / "a.html", ["--temperature", 3, "--seed", 5, "--n-best", 2]
    _, out, _ = rnncli("predict", reverses / "run", reverses / "pairs.csv", "--attention", page, *how)
    best = [row["prediction"] for row in csv.DictReader(io.StringIO(out)) if row["rank"] == "1"]
    assert len(set(best)) > 5
    assert headings(page) == best[:50]


def test_a_picture(rnncli: Rnncli, reverses: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.PNG"
    code, _, err = rnncli("predict", reverses / "run", reverses / "pairs.csv", "--attention", file)
    assert code == 0 and "attention of 12 inputs" in err and "74 left out" in err
    with Image.open(file) as image:
        assert image.format == "PNG" and image.height > 1000


def test_without_inputs_there_is_no_file(rnncli: Rnncli, reverses: Path, tmp_path: Path) -> None:
    code, _, err = rnncli("predict", reverses / "run", "--attention", tmp_path / "a.html", given=b"source\n")
    assert code == 0 and "not written, there is no input to show" in err
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--attention", "a.pdf"], "--attention a.pdf: is written as .html or .png"),
        (["--attention", "none/a.png"], "--attention none/a.png: there is no folder none"),
        (["--attention", "a.html", "--stream"], "--attention a.html: would be there only at the end"),
        (["--attention", "a.html", "--prompt", "a"], "--attention: with --prompt nothing is read but the prompt"),
        (["pairs.html", "--attention", "pairs.html"], "--attention pairs.html: is the input itself"),
    ],
)
def test_what_does_not_go_together_is_refused(
    rnncli: Rnncli, reverses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(reverses / "pairs.csv", "pairs.html")
    code, out, err = rnncli("predict", reverses / "run", *more)
    assert (code, out) == (2, "") and told in err
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.html"]


@pytest.mark.parametrize(("package", "name"), [("jinja2", "a.html"), ("matplotlib", "a.png")])
def test_a_missing_package_is_told_before_anything_is_read(
    rnncli: Rnncli, reverses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, name: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    code, out, err = rnncli("predict", reverses / "run", reverses / "pairs.csv", "--attention", tmp_path / name)
    assert (code, out) == (2, "")
    assert f"needs the package {package}: pip install 'rnncli[plot]'" in err


def test_a_run_without_attention_is_refused(rnncli: Rnncli, trained: Path, tmp_path: Path) -> None:
    code, out, err = rnncli("predict", trained, trained.parent / "test.csv", "--attention", tmp_path / "a.html")
    assert (code, out) == (2, "") and "no attention can be shown" in err and "target of kind class" in err
    assert not [*tmp_path.iterdir()]
