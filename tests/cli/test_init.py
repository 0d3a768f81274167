"""`rnncli init` as a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnncli.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [f"what a {'fine' if row % 3 else 'dull'} thing number {row} was,{row % 3}" for row in range(40)]
    (tmp_path / "reviews.csv").write_text("\n".join(["said,stars", *rows]))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["rnncli", *words])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_writes_into_the_current_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "init", "--input", "../reviews.csv") == 0
    text = Path("reviews.yaml").read_text()
    assert "train: ../reviews.csv" in text
    assert "rnncli train reviews.yaml" in text
    assert capsys.readouterr().out.startswith("reviews.yaml: task many-to-one, loader text\n")
    assert run(monkeypatch, "check", "reviews.yaml") == 0


def test_what_is_there_stays(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("reviews.yaml").write_text("mine")
    assert run(monkeypatch, "init", "--input", "../reviews.csv") == 2
    assert capsys.readouterr().err.startswith("rnncli: reviews.yaml: is there already")
    assert Path("reviews.yaml").read_text() == "mine"
    assert run(monkeypatch, "init", "--input", "../reviews.csv", "--out", "../other.yaml") == 0
    assert "train: reviews.csv" in (folder / "other.yaml").read_text()
    assert run(monkeypatch, "init", "--input", "../reviews.csv", "--force") == 0
    assert "task: many-to-one" in Path("reviews.yaml").read_text()


def test_options_are_heeded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "init", "--input", "../reviews.csv", "--task", "many-to-many", "--loader", "text") == 0
    assert "kind: next" in Path("reviews.yaml").read_text()
    assert run(monkeypatch, "init", "--input", "../reviews.csv", "--out", "absent/x.yaml") == 2
