"""What the commands print, where, and in which form."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sys

import pytest
import torch


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_train_prints_a_line_an_evaluation_a_table_and_the_place(rnncli, folder):
    code, out, err = rnncli("train", "config.yaml", "--set", "training.epochs=3")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    evaluations = [line for line in lines if line.startswith("epoch ")]
    assert [line.split()[1] for line in evaluations] == ["1", "2", "3"]
    assert all("train loss" in line and "accuracy" in line for line in evaluations)
    summary = json.loads((folder / "runs/config/summary.json").read_text())
    assert f"best epoch {summary['best_epoch']}, accuracy {summary['valid']['accuracy']:.4g}" in out
    table = next(line.split() for line in lines if line.startswith("accuracy"))
    assert [float(value) for value in table[1:]] == pytest.approx(
        [summary[part]["accuracy"] for part in ("valid", "test", "baseline")], abs=1e-3
    )
    assert lines[-1] == "run: runs/config"
    assert "\x1b" not in out


def test_train_json_has_nothing_else_on_standard_output(rnncli, folder):
    code, out, err = rnncli("train", "config.yaml", "--json", "--out", "r")
    assert code == 0
    assert json.loads(out) == json.loads((folder / "r/summary.json").read_text())
    assert "epoch 2" in err and "run: r" in err


@pytest.mark.parametrize("json_too", [False, True])
def test_train_quiet(rnncli, folder, json_too):
    code, out, err = rnncli("train", "config.yaml", "--quiet", *(["--json"] if json_too else []))
    assert (code, err) == (0, "")
    assert (json.loads(out)["ended"] == "epochs") if json_too else out == ""


def test_options_change_the_training_section(rnncli, folder):
    threads = torch.get_num_threads()
    rnncli("train", "config.yaml", "--out", "r", "--limit", 20, "--threads", 2, "--refit", "--max-time", 5, "--quiet")
    torch.set_num_threads(threads)
    summary = json.loads((folder / "r/summary.json").read_text())
    assert summary["sizes"] == {"train": 40, "test": 20}, "refit: train and valid together"
    assert summary["threads"] == 2
    written = (folder / "r/config.yaml").read_text()
    assert re.search(r"max_time: 5\.0", written) and re.search(r"refit: true", written)


def test_force_begins_anew_and_resume_goes_on(rnncli, folder):
    assert rnncli("train", "config.yaml", "--quiet").code == 0
    assert rnncli("train", "config.yaml", "--quiet", "--force", "--set", "training.seed=9").code == 0
    code, out, _ = rnncli("train", "runs/config", "--resume", "--set", "training.epochs=3")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines() if line.startswith("epoch ")] == ["3"]


def test_init_from_a_path_with_a_blank_and_a_hash(rnncli, folder, trained):
    shutil.copytree(trained, folder / "old run #1")
    code, out, err = rnncli("train", "config.yaml", "--init-from", "old run #1")
    assert (code, err) == (0, "")
    assert "start from" in out


def test_check_trains_nothing(rnncli, folder):
    before = sorted(folder.iterdir())
    code, out, err = rnncli("check", "config.yaml")
    assert (code, err) == (0, "")
    assert "rows: train 96, valid 24, test 24" in out
    assert out.endswith("config.yaml: all is well\n")
    assert sorted(folder.iterdir()) == before
    assert rnncli("check", "config.yaml", "--quiet") == (0, "", "")


def test_eval(rnncli, folder, trained):
    summary = json.loads((trained / "summary.json").read_text())
    code, out, _ = rnncli("eval", trained, "--json")
    found = json.loads(out)
    assert code == 0 and found["of"] == "test" and found["values"] == pytest.approx(summary["test"], rel=1e-5)
    assert sum(map(sum, found["confusion"])) == 24
    valid = json.loads(rnncli("eval", trained, "--split", "valid", "--json").out)
    assert valid["values"] == pytest.approx(summary["valid"], rel=1e-5)
    of_file = json.loads(rnncli("eval", trained, "valid.csv", "--json").out)
    assert (of_file["of"], of_file["values"]) == ("valid.csv", valid["values"])
    quiet = dict(line.split("\t") for line in rnncli("eval", trained, "--quiet").out.splitlines())
    assert {name: float(value) for name, value in quiet.items()} == found["values"]
    shown = rnncli("eval", trained).out
    assert "test: 24 rows" in shown and "truth \\ predicted" in shown


def test_predictions_are_the_same_from_a_file_and_from_standard_input(rnncli, folder, trained):
    from_file = rnncli("predict", trained, "test.csv")
    given = (folder / "test.csv").read_bytes()
    assert rnncli("predict", trained, given=given).out == from_file.out
    assert rnncli("predict", trained, "-", given=given).out == from_file.out
    assert from_file.err.splitlines()[-1] == "24 rows"
    found, own = rows_of(from_file.out), rows_of(given.decode())
    assert len(found) == 24
    assert [{name: row[name] for name in own[0]} for row in found] == own
    assert rnncli("predict", trained, "test.csv", "--quiet") == (0, from_file.out, "")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_predictions_to_a_file(rnncli, folder, trained, suffix):
    shown = rows_of(rnncli("predict", trained, "test.csv", "--probabilities").out)
    code, out, err = rnncli("predict", trained, "test.csv", "--probabilities", "--out", f"found{suffix}")
    assert (code, out) == (0, "") and err.splitlines()[-1] == f"24 rows in found{suffix}"
    text = (folder / f"found{suffix}").read_text(encoding="utf-8")
    if suffix == ".jsonl":
        kept = [{name: str(value) for name, value in json.loads(line).items()} for line in text.splitlines()]
    else:
        kept = list(csv.DictReader(io.StringIO(text), delimiter="," if suffix == ".csv" else "\t"))
    assert kept == shown
    assert not list(folder.glob(".found*"))


def test_a_bad_row_is_told_and_left_out_or_stops(rnncli, folder, trained):
    given = b"id,text,label\n1,sun good,good\n2,rain,bad,extra\n3,bad fog,bad\n"
    code, out, err = rnncli("predict", trained, given=given)
    assert code == 0 and [row["id"] for row in rows_of(out)] == ["1", "3"]
    assert ":3:" in err and err.splitlines()[-1] == "2 rows; 1 left out"
    code, out, err = rnncli("predict", trained, "--strict", "--out", "found.csv", given=given)
    assert code == 2 and ":3:" in err
    assert not (folder / "found.csv").exists(), "a file that is there is whole"


def test_predictions_are_utf8_whatever_the_locale(rnncli, folder, trained, monkeypatch):
    kept = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(kept, encoding="latin-1"))
    given = "id,text,label\n1,föhn 雨 good,good\n".encode()
    assert rnncli("predict", trained, given=given).code == 0
    assert "1,föhn 雨 good,good".encode() in kept.getvalue()


def test_a_file_of_which_no_row_can_be_read(rnncli, folder, trained):
    code, out, err = rnncli("predict", trained, given=b"id,text,label\n1,sun\n2,rain,bad,extra\n")
    assert (code, rows_of(out)) == (2, [])
    assert ":2:" in err and ":3:" in err and "none of the rows" in err
