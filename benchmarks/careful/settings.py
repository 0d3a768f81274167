"""The sizes of a config of configs/benchmarks, read without rnncli."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml


def settings(name: str) -> tuple[dict[str, Any], Path, int]:
    """The config of that name, the folder of the data, the epochs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--epochs", type=int, required=True)
    given = parser.parse_args()
    path = Path(__file__).parents[2] / "configs" / "benchmarks" / f"{name}.yaml"
    return yaml.safe_load(path.read_text()), given.data, given.epochs
