"""What only a real process shows: pipes, signals, encodings, a terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RNNCLI = str(Path(sys.executable).with_name("rnncli"))


def environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return {**kept, "OMP_NUM_THREADS": "1", **more}


def test_a_pipe_that_is_closed_early_is_no_error(folder, trained):
    """`rnncli predict RUN | head -3` with more rows than a pipe holds."""
    line = "x,sun rain good " + "wind " * 40 + ",good\n"
    given = "id,text,label\n" + line * 2000
    done = subprocess.run(
        ["bash", "-c", f"{RNNCLI} predict {trained} | head -3; exit ${{PIPESTATUS[0]}}"],
        check=False,
        input=given.encode(),
        capture_output=True,
        env=environment(),
    )
    assert done.returncode == 141
    assert len(done.stdout.splitlines()) == 3
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr


def test_a_message_in_a_narrow_encoding(folder):
    done = subprocess.run(
        [RNNCLI, "check", "雨.yaml"], check=False, capture_output=True, env=environment(PYTHONIOENCODING="ascii")
    )
    assert done.returncode == 2 and b"no such file" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_saves_and_says_how_to_go_on(folder, number, code):
    command = [RNNCLI, "train", "config.yaml", "--out", "r", "--set", "training.epochs=100000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    assert process.stdout is not None
    while not process.stdout.readline().startswith("epoch "):
        assert process.poll() is None
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "rnncli train r --resume" in err and "Traceback" not in err
    assert (folder / "r/checkpoint/last.safetensors").exists()


def on_terminal(command: list[str], columns: int, **more: str) -> str:
    """All that a command writes to a terminal of that width."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(command[0], command, environment(COLUMNS=str(columns), LINES="30", TERM="xterm-256color", **more))
    written = b""
    ended = time.monotonic() + 60
    while time.monotonic() < ended:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        written += piece
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, written.decode()
    return written.decode()


@pytest.mark.parametrize(("columns", "more"), [(60, {"NO_COLOR": "1"}), (120, {})])
def test_training_on_a_terminal(folder, columns, more):
    written = on_terminal([RNNCLI, "train", "config.yaml", "--set", "training.epochs=12"], columns, **more)
    assert re.search(r"epoch \d+/12", written)
    for shown in ("loss", "accuracy", "rows/s", "left", "best epoch", "majority class", "run: "):
        assert shown in written, shown
    styles = {int(code) for codes in re.findall(r"\x1b\[([\d;]+)m", written) for code in codes.split(";")}
    colours = [code for code in styles if 30 <= code <= 49 or 90 <= code <= 107]
    assert bool(colours) == ("NO_COLOR" not in more)
