"""The README stays true: its commands run, its config is the shipped one, its links lead somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rnncli.cells import CELLS
from rnncli.models.settings import ModelSettings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """The lines of plain blocks that run rnncli, in their order."""
    lines = [line for kind, text in BLOCKS if kind == "" for line in text.splitlines()]
    return [line.split("  #")[0].strip() for line in lines if re.match(r"(\.venv/bin/|cat .* \| )?rnncli ", line)]


def test_links_lead_to_files():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_its_config_is_the_shipped_one():
    assert (ROOT / "configs" / "sentiment.yaml").read_text(encoding="utf-8").rstrip() in README


def test_its_table_names_every_config():
    named = set(re.findall(r"\(configs/(\w+)\.yaml\)", README))
    assert named == {path.stem for path in (ROOT / "configs").glob("*.yaml")}


def test_its_table_names_every_cell():
    table = README.split("| names | source |")[1].split("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [re.sub(r"\(.*?\)", "", row) for row in rows]  # options stand in brackets
    assert sorted(re.findall(r"`(\w+)`", " ".join(named))) == sorted(CELLS)


def test_its_cell_is_the_shipped_one():
    assert (ROOT / "configs" / "cells" / "my_cell.py").read_text(encoding="utf-8") in README


def test_its_models_are_accepted():
    models = [yaml.safe_load(text)["model"] for kind, text in BLOCKS if kind == "yaml" and text.startswith("model:")]
    assert models
    for model in models:
        ModelSettings.model_validate(model)


@pytest.mark.slow
def test_its_commands_run(tmp_path):
    for folder in ("configs", "data"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    assert len(commands()) >= 8
    for command in commands():
        command = command.replace(".venv/bin/", "")
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 141), f"{command}\n{done.stderr}"  # 141: head has read enough
    assert (tmp_path / "answers.csv").read_text(encoding="utf-8").count("\n") == 21
    code = next(text for kind, text in BLOCKS if kind == "python" and "rnncli.load" in text)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
