"""Reads a text as if it stood in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnncli.config import read
from rnncli.errors import ConfigError

from .example import Example

CELL = "cell: {type: lstm, hidden_size: 2}\n"


def settings(folder: Path, text: str, *overrides: str) -> Example:
    path = folder / "x.yaml"
    path.write_bytes(text.encode())
    return read(path, Example, overrides)


def mistakes(folder: Path, text: str, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        settings(folder, text, *overrides)
    assert caught.value.exit_code == 2
    return caught.value.mistakes
