"""`rnncli predict` of runs that write: a prompt, and options of decoding."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

from rnncli.cli import main

from .conftest import Rnncli
from .test_processes import RNNCLI, environment

SPEAKS = """\
task: many-to-many
data: {loader: text, train: text.txt, units: character, target: {kind: next}}
model: {cell: {type: lstm, hidden_size: 12}}
training: {epochs: 2, batch_size: 4, bptt_steps: 20, learning_rate: 0.02, threads: 1, device: cpu}
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, reverses: Path) -> dict[str, Path]:
    """A run that writes text on, and one that writes backwards."""
    folder = tmp_path_factory.mktemp("writing")
    (folder / "text.txt").write_text("to be or not to be\n" * 60, encoding="utf-8")
    (folder / "speaks.yaml").write_text(SPEAKS, encoding="utf-8")
    arguments = ["rnncli", "train", f"{folder}/speaks.yaml", "--out", f"{folder}/speaks", "--quiet"]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", arguments)
        main()
    assert not ended.value.code
    return {"speaks": folder / "speaks", "reverses": reverses / "run"}


def test_a_prompt_is_written_on(runs: dict[str, Path], rnncli: Rnncli) -> None:
    once, again = (rnncli("predict", runs["speaks"], "--prompt", "to b", "--length", 30) for _ in range(2))
    assert once.code == 0 and once == again and not once.err
    assert once.out.startswith("to b") and len(once.out) == len("to b") + 30 + 1
    other = rnncli("predict", runs["speaks"], "--prompt", "to b", "--length", 30, "--seed", 9, "--temperature", 2)
    assert other.out != once.out
    stopped = rnncli("predict", runs["speaks"], "--prompt", "to b", "--length", 500, "--stop", "e ")
    assert stopped.out.endswith("e \n") and "e " not in stopped.out[4:-3]
    strange = rnncli("predict", runs["speaks"], "--prompt", "to ß", "--length", 3)
    assert strange.code == 0 and "left out: 'ß'" in strange.err and strange.out.startswith("to ß")


def test_text_comes_as_it_is_written(runs: dict[str, Path]) -> None:
    """The reader of a pipe has the first characters long before the last one is drawn, and may leave."""
    command = [RNNCLI, "predict", str(runs["speaks"]), "--prompt", "to", "--length", "100000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read(200).startswith(b"to")
        process.stdout.close()
        assert process.wait(30) == 141
        assert process.stderr.read() == b""


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_answers_of_a_beam_and_draws_are_rows(runs: dict[str, Path], rnncli: Rnncli) -> None:
    given = b"source\n014\n021\n"
    plain = rnncli("predict", runs["reverses"], "--quiet", given=given)
    assert [list(row) for row in rows(plain.out)] == [["source", "prediction"]] * 2
    best = rows(rnncli("predict", runs["reverses"], "--n-best", 3, given=given).out)
    assert [(row["source"], row["rank"]) for row in best] == [(s, r) for s in ("014", "021") for r in "123"]
    scores = [float(row["score"]) for row in best]
    assert scores[0] >= scores[1] >= scores[2] and len({row["prediction"] for row in best[:3]}) == 3
    greedy = rows(rnncli("predict", runs["reverses"], "--beam-size", 1, given=given).out)
    assert greedy == rows(plain.out)
    drawn = rows(rnncli("predict", runs["reverses"], "--n-best", 8, "--temperature", 3, given=given).out)
    assert len(drawn) == 16 and len({row["prediction"] for row in drawn}) > 4
    short = rows(rnncli("predict", runs["reverses"], "--length", 2, "--temperature", 3, given=given).out)
    assert all(len(row["prediction"]) <= 2 for row in short)


@pytest.mark.parametrize(
    ("run", "arguments", "said"),
    [
        ("speaks", ["--prompt", "to", "--beam-size", 3], "token by token"),
        ("speaks", ["--prompt", "to", "--stream"], "--stream: with --prompt"),
        ("speaks", ["--stop", "x"], "--stop: ends what --prompt begins"),
        ("speaks", ["--temperature", 1.5], "kind token"),
        ("reverses", ["--prompt", "012"], "language models"),
        ("reverses", ["--temperature", 1.5, "--beam-size", 3], "several ways of decoding"),
        ("reverses", ["--probabilities"], "--probabilities"),
        ("reverses", ["--beam-size", 2, "--n-best", 3], "n_best"),
    ],
)
def test_mistakes(runs: dict[str, Path], rnncli: Rnncli, run: str, arguments: list[object], said: str) -> None:
    ended = rnncli("predict", runs[run], *arguments, given=b"source\n014\n")
    assert ended.code == 2 and said in ended.err and "Traceback" not in ended.err
    assert ended.out == ""
