"""What a new user reads first."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rnncli as package
from rnncli.cells import CELLS
from rnncli.cli.app import app
from rnncli.inputs.catalogue import LOADER_SETTINGS
from rnncli.metrics import METRICS

COMMANDS = [command.name for command in app.registered_commands]
SECTIONS = ["task", "data", "model", "training", "decoding"]
RNNCLI = str(Path(sys.executable).with_name("rnncli"))


def test_version(rnncli):
    assert rnncli("--version") == (0, f"rnncli {package.__version__}\n", "")


def test_help_lists_every_command_with_its_whole_sentence(rnncli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = rnncli("--help")
    assert code == 0
    listed = dict(re.findall(r"^  (\w+)  +(\S.*)$", out.split("Commands:")[1], re.M))
    assert set(COMMANDS) <= set(listed)
    assert not [text for text in listed.values() if text.endswith("...")]
    assert "Exit codes" in out


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_of_a_command_fits_80_columns_and_explains_each_option(rnncli, monkeypatch, command, option):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = rnncli(command, option)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert "bool" not in out
    for name, text in re.findall(r"^  ((?:-|[A-Z]+ <).*?)(?:  +|\n {10,})(.*)$", out, re.M):
        assert len(text.split()) >= 2, f"{name} is not explained"


def test_no_arguments_give_help(rnncli):
    assert "COMMAND [ARGS]" in "".join(rnncli()[1:])


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=str)
def test_help_needs_no_torch(command):
    code = f"""
import sys
from rnncli.cli import main
sys.argv = ["rnncli", *{command}, "--help"]
try:
    main()
finally:
    sys.exit(9 if "torch" in sys.modules or "pandas" in sys.modules else 0)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_python_m():
    done = subprocess.run([sys.executable, "-m", "rnncli", "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"rnncli {package.__version__}\n"


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete"), ("zsh", "compdef"), ("fish", "complete")])
def test_completion_script(shell, word):
    asked = {"_RNNCLI_COMPLETE": f"source_{shell}"}
    done = subprocess.run([RNNCLI], check=False, capture_output=True, text=True, env=asked)
    assert word in done.stdout and "rnncli" in done.stdout


def test_completion_of_a_command():
    asked = {"_RNNCLI_COMPLETE": "complete_bash", "COMP_WORDS": "rnncli tr", "COMP_CWORD": "1"}
    done = subprocess.run([RNNCLI], check=False, capture_output=True, text=True, env=asked)
    assert done.stdout.split() == ["train"]


def test_describe_gives_every_part_a_line(rnncli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = rnncli("describe")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    named = [line.split()[0] for line in lines if line.startswith("  ")]
    assert named == [*CELLS, *LOADER_SETTINGS, *METRICS, *SECTIONS]


@pytest.mark.parametrize(("topic", "names"), [("cells", CELLS), ("loaders", LOADER_SETTINGS), ("metrics", METRICS)])
def test_describe_topic(rnncli, topic, names):
    out = rnncli("describe", topic).out
    assert [line.split()[0] for line in out.splitlines() if not line.startswith(" ")] == list(names)


def test_describe_options_of_a_section(rnncli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    out = rnncli("describe", "options", "training.schedule").out
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert all(head.startswith("training.schedule.") for head in heads)
    assert "training.schedule.every  whole number (at least 1); required" in heads
    assert "Only with training.schedule.type: step." in out


def test_describe_options_by_any_part_of_the_key(rnncli):
    out = rnncli("describe", "options", "hidden_size").out
    assert out.startswith("model.cell.hidden_size ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["cell"], "did you mean 'cells'?"),
        (["options", "droput"], "did you mean 'dropout'?"),
        (["metrics", "accuracy"], "metrics takes no key"),
    ],
)
def test_describe_something_unknown(rnncli, arguments, told):
    code, out, err = rnncli("describe", *arguments)
    assert (code, out) == (2, "") and told in err


def test_schema_is_json(rnncli):
    assert set(json.loads(rnncli("describe", "schema").out)["properties"]) == set(SECTIONS)
